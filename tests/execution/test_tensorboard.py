"""TensorBoard's logs say what the run's own files say, while they grow."""

import builtins
import json
from pathlib import Path

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from torch import rand
from torchvision.utils import save_image

from benchmarks.common.errors import UserError
from benchmarks.execution.tensorboard import Logs, logs_folder
from benchmarks.execution.worker import Event
from benchmarks.planning.plan import Job
from tests.planning.run_folders import run_of

CURVE = [
    {"step": step, "seconds": step / 100, "generator/adversarial": 1 / step, "lost": None}
    for step in (50, 100, 150)
]
METRICS = {"rows": {"": {"fid_hybrid": 2.5}, "average": {"fid_hybrid": 2.0}}}


@pytest.fixture
def job(tmp_path: Path) -> Job:
    """A run whose training has just begun."""
    folder = tmp_path / "runs" / "digits" / "gan" / "seed0-abc"
    folder.mkdir(parents=True)
    return Job(run_of("gan"), "abc", folder)


def append(job: Job, name: str, text: str) -> None:
    with (job.folder / name).open("a") as file:
        file.write(text)


def line(row: dict) -> str:
    return json.dumps(row) + "\n"


def logged(tmp_path: Path) -> EventAccumulator:
    (folder,) = logs_folder(tmp_path).glob("digits/gan/seed0-abc")
    return EventAccumulator(str(folder)).Reload()


def points(log: EventAccumulator, name: str) -> list[tuple[int, float]]:
    return [(event.step, event.value) for event in log.Scalars(name)]


def finish(job: Job) -> None:
    (job.folder / "metrics.json").write_text(json.dumps(METRICS))
    (job.folder / "training.json").write_text('{"status": "trained"}')
    save_image(rand(3, 8, 8), job.folder / "reconstructions.png")


def test_a_growing_run_is_followed(job: Job, tmp_path: Path) -> None:
    logs = Logs([job], tmp_path)
    logs.hear(Event("progress", job.label))  # nothing is there yet
    append(job, "curve.jsonl", line(CURVE[0]) + line(CURVE[1])[:9])  # the second half written
    save_image(rand(3, 4, 16), job.folder / "samples-0000050.png")
    logs.hear(Event("progress", job.label))
    name = "training/generator/adversarial"
    assert points(logged(tmp_path), name) == [(50, pytest.approx(0.02))]
    append(job, "curve.jsonl", line(CURVE[1])[9:] + line(CURVE[2]))
    append(job, "light.jsonl", line({"step": 100, "protocol": "1", "fid_hybrid": 9.0}))
    finish(job)
    logs.hear(Event("end", job.label, text="done"))
    logs.hear(Event("end", "controls", text="done"))  # no run of the plan
    log = logged(tmp_path)
    assert points(log, name) == [(step, pytest.approx(1 / step)) for step in (50, 100, 150)]
    assert points(log, "light/fid_hybrid") == [(100, 9.0)]
    assert points(log, "metrics/fid_hybrid") == [(150, 2.5)]
    assert points(log, "metrics-average/fid_hybrid") == [(150, 2.0)]
    assert "training/lost" not in log.Tags()["scalars"]
    pictures = {tag: log.Images(tag) for tag in log.Tags()["images"]}
    assert {tag: [image.step for image in images] for tag, images in pictures.items()} == {
        "samples": [50], "reconstructions": [150],
    }  # fmt: skip
    assert (pictures["samples"][0].width, pictures["samples"][0].height) == (16, 4)


def test_a_resumed_run_is_not_logged_twice(job: Job, tmp_path: Path) -> None:
    """What stood beyond the checkpoint is cut off after "start"; the next command begins anew."""
    append(job, "curve.jsonl", "".join(map(line, CURVE)))
    Logs([job], tmp_path).hear(Event("progress", job.label))
    logs = Logs([job], tmp_path)
    logs.hear(Event("start", job.label))
    (job.folder / "curve.jsonl").write_text(line(CURVE[0]))
    append(job, "curve.jsonl", line(CURVE[1] | {"generator/adversarial": 7.0}))
    logs.hear(Event("progress", job.label))
    assert points(logged(tmp_path), "training/generator/adversarial") == [
        (50, pytest.approx(0.02)),
        (100, 7.0),
    ]


def test_a_finished_run_is_logged_at_once(job: Job, tmp_path: Path) -> None:
    append(job, "curve.jsonl", "".join(map(line, CURVE)))
    finish(job)
    Logs([job], tmp_path)
    assert points(logged(tmp_path), "metrics/fid_hybrid") == [(150, 2.5)]


def test_without_tensorboard_it_is_said(
    job: Job, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = builtins.__import__

    def without(name: str, *rest: object) -> object:
        if name.startswith("torch.utils.tensorboard"):
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(UserError, match=r"pip install '\.\[tensorboard\]'"):
        Logs([job], tmp_path)
