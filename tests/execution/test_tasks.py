"""What a worker leaves: averaged weights as a row of their own, damaged weights, locks, figures."""

import json
import queue
import shutil
import tempfile
import threading
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from benchmarks.common.context import Context
from benchmarks.common.files import ROOT, locked, write_json
from benchmarks.execution import tasks, worker
from benchmarks.planning import plan, suites
from benchmarks.report.data import frame
from benchmarks.report.figures import pictures, quality, style
from benchmarks.training import loop, stacked
from tests.helpers import tiny_batch, tiny_run

CONTEXT = Context(offline=True, device="cpu", results=Path(tempfile.mkdtemp()), side_by_side=99)
"""So many runs at the same time leave each evaluation one thread."""


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Results of a tiny run of a GAN, trained and evaluated in this process."""
    folder = tmp_path_factory.mktemp("results")
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(worker, "_queue", queue.Queue())
        monkeypatch.setattr(worker, "_stop", threading.Event())
        assert finish(job_in(folder)) == "done"
    return folder


@pytest.fixture
def job(results: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> plan.Job:
    """A copy of that run."""
    monkeypatch.setattr(worker, "_queue", queue.Queue())
    monkeypatch.setattr(worker, "_stop", threading.Event())
    shutil.copytree(results, tmp_path, dirs_exist_ok=True)
    return job_in(tmp_path)


def job_in(results: Path) -> plan.Job:
    suite = suites.override(
        suites.load_suite("digits"), ["training.steps=55", "networks.width=16"], ["gan"]
    )
    return plan.jobs(suite, results, [0])[0]


def finish(job: plan.Job) -> str:
    """Train and evaluate as a worker does."""
    trained = tasks.train([job], CONTEXT)[job.label]
    return tasks.evaluate(job, CONTEXT) if trained == "trained" else trained


def rows(job: plan.Job) -> dict[str, dict[str, float]]:
    content: dict[str, dict[str, dict[str, float]]] = json.loads(
        (job.folder / "metrics.json").read_text()
    )
    return content["rows"]


def test_averaged_weights_and_readouts_are_rows(job: plan.Job) -> None:
    assert set(rows(job)) == {"", "discriminator"}
    state = {name: 0.5 * tensor for name, tensor in load_file(_weights(job)).items()}
    save_file(state, job.folder / "weights_average.safetensors")
    (job.folder / "metrics.json").unlink()
    assert finish(job) == "done"
    found = rows(job)
    assert set(found) == {"", "discriminator", "average", "average-discriminator"}
    assert found["average"]["fid_hybrid"] != found[""]["fid_hybrid"]
    names = frame.results_frame([job])["label"].tolist()
    assert names[0] == "GAN"
    assert "GAN (average)" in names


def test_damaged_weights_are_set_aside_and_trained_again(job: plan.Job) -> None:
    before = rows(job)[""]["fid_hybrid"]
    content = _weights(job).read_bytes()
    _weights(job).write_bytes(content[:100])
    (job.folder / "metrics.json").unlink()
    assert finish(job) == "done"
    assert (job.folder / "weights.safetensors.damaged-1").exists()
    assert rows(job)[""]["fid_hybrid"] == before  # the same training again


def test_a_folder_in_use_is_left_alone(job: plan.Job) -> None:
    with locked(job.folder) as mine:
        assert mine
        assert finish(job) == "failed"
    assert finish(job) == "done"


def test_figures_are_drawn_or_left_out(job: plan.Job, tmp_path: Path) -> None:
    assert pictures.side_by_side([job], "samples", tmp_path / "samples")
    assert pictures.over_training([job], tmp_path / "over_training")
    assert not pictures.side_by_side([job], "reconstructions", tmp_path / "none")
    assert not pictures.embedding([job], tmp_path / "none")
    light, looks = frame.light_frame([job]), style.looks_of(["GAN", "GAN (discriminator)"])
    assert light["step"].tolist() == [50, 50]  # the discriminator's features are a row of their own
    assert light["label"].tolist() == ["GAN", "GAN (discriminator)"]
    assert light["knn1_accuracy_features"].isna().tolist() == [True, False]
    assert light["fid_hybrid"].isna().tolist() == [False, True]
    assert quality.learning(light, light, looks, tmp_path / "learning")
    assert (tmp_path / "learning.png").stat().st_size > 5000
    assert quality.truncation(frame.truncation_frame([job]), looks, tmp_path / "truncation")
    nothing = light.iloc[:0].drop(columns=["fid_hybrid", "knn1_accuracy_features"])
    assert not quality.learning(nothing, nothing, {}, tmp_path / "none")
    assert not list(tmp_path.glob("none*"))


def test_failures_and_early_quality_are_columns(job: plan.Job, tmp_path: Path) -> None:
    early = {"step": 200, "protocol": "1", "fid_hybrid": 7.5}
    with (job.folder / "light.jsonl").open("a") as file:
        file.write(json.dumps(early) + "\n" + json.dumps(early | {"step": 400}) + "\n")
    metrics = json.loads((job.folder / "metrics.json").read_text())
    for classes, failed in ((9.0, 1.0), (10.0, 0.0)):  # a class missing from the samples
        metrics["rows"][""]["classes_covered"] = classes
        (job.folder / "metrics.json").write_text(json.dumps(metrics))
        (done, readout) = frame.results_frame([job]).to_dict("records")
        assert (done["failure_rate"], done["light_fid_hybrid_at_200"]) == (failed, 7.5)
        assert readout["failure_rate"] == failed
    assert np.isnan(readout["light_fid_hybrid_at_200"])  # of the game, not of its discriminator
    (job.folder / "training.json").write_text('{"status": "diverged"}')
    (lost,) = frame.results_frame([job]).to_dict("records")
    assert (lost["failure_rate"], lost["light_fid_hybrid_at_200"]) == (1.0, 7.5)
    (job.folder / "training.json").unlink()
    (missing,) = frame.results_frame([job]).to_dict("records")
    assert np.isnan(missing["failure_rate"])


def test_the_gradient_that_reaches_g(job: plan.Job) -> None:
    norms = [8.0, 6.0, *[4.0] * 9, 3.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 2.0, 2.0]
    lines = [{"step": 50 * i, "generator/grad_norm": norm} for i, norm in enumerate(norms)]
    (job.folder / "curve.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    found = frame.results_frame([job]).iloc[0]
    assert found["generator_gradient"] == 1.0  # of 4 3 1 1 1 1 1 1 2 2
    assert found["generator_gradient_kept"] == 2 / 7  # of 2 2, over that of 8 6


def _weights(job: plan.Job) -> Path:
    return job.folder / "weights.safetensors"


def test_a_metric_without_a_value_is_reported_and_stops_nothing(job: plan.Job) -> None:
    state = {name: tensor * float("nan") for name, tensor in load_file(_weights(job)).items()}
    save_file(state, job.folder / "weights.safetensors")
    (job.folder / "metrics.json").unlink()
    assert finish(job) == "done"
    assert "fid_hybrid" not in rows(job)[""]
    assert rows(job)[""]["parameters"] > 0
    lines = frame.undefined_metrics([job])
    assert any(line.startswith("gan seed 0: ") and "finite" in line for line in lines)


def test_facts_about_real_images_are_kept(job: plan.Job) -> None:
    assert [path.name.split("-")[0] for path in CONTEXT.cache.iterdir()] == ["digits"]


def test_truncation_curves_reach_the_report(job: plan.Job) -> None:
    curves = frame.truncation_frame([job])
    assert curves["threshold"].isna().sum() == 1  # the whole prior
    assert {"fid_hybrid", "precision_hybrid", "recall_hybrid"} <= set(curves)


def test_a_run_without_a_class_is_evaluated_as_its_detector(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "_queue", queue.Queue())
    monkeypatch.setattr(worker, "_stop", threading.Event())
    suite = suites.override(
        suites.load_suite("digits-anomaly"), ["training.steps=3", "networks.width=16"], ["bigan"]
    )
    job = plan.jobs(suite, tmp_path, [12])[0]
    assert job.run.left_out == 2
    seen = []
    train = loop.train

    def spy(runs, data, *rest):
        seen.append(set(data[0].labels.tolist()))
        return train(runs, data, *rest)

    monkeypatch.setattr(loop, "train", spy)
    assert finish(job) == "done"
    assert seen == [set(range(10)) - {2}]
    measured = set(rows(job)[""])
    assert {"auroc_score", "auroc_reconstruction", "auroc_nearest_features"} <= measured
    assert "fid_hybrid" not in measured


@pytest.mark.parametrize(
    ("old", "new", "helps"),
    [
        ("(real - 1).square()", "(real - 1).sqare()", False),
        ("(real - 1).square().mean()", "real.sum() if real.sum() > 0 else -real.sum()", True),
        ("(real - 1).square().mean()", "fake.mean() * real.mean().item()", True),
    ],
)
def test_training_alone_is_offered_where_it_helps(
    tmp_path: Path, old: str, new: str, helps: bool
) -> None:
    """Not where a seed alone would fail as well."""
    text = (ROOT / "examples" / "my_family.py").read_text()
    assert old in text
    (tmp_path / "mine.py").write_text(text.replace(old, new))
    games = [loop.build(tiny_run(str(tmp_path / "mine.py"), seed)) for seed in range(2)]
    for game in games:
        game.train().requires_grad_(False)
    pair = tiny_run("bigan").training.model_copy(update={"stacked": 2})
    engine = stacked.StackedEngine(games, [0, 1], torch.device("cpu"), pair)
    with pytest.raises((AttributeError, RuntimeError, ValueError)) as caught:
        engine.play(games[0].turns[0], [tiny_batch(game) for game in games], 0)
    assert isinstance(caught.value, stacked.StackingError) == helps
    if helps:
        assert "mine.py, line 2" in str(caught.value)
        assert "--set training.stacked=false" in str(caught.value)
        assert "\n" not in str(caught.value)


def test_a_diverged_run_tells_after_how_many_updates(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    news: queue.Queue[worker.Event] = queue.Queue()
    monkeypatch.setattr(worker, "_queue", news)
    job = job_in(tmp_path)
    write_json(job.folder / "training.json", {"status": "diverged", "steps": 50})
    monkeypatch.setattr(tasks, "_train", lambda jobs, context: {jobs[0].label: "diverged"})
    assert tasks.train([job], CONTEXT) == {job.label: "diverged"}
    assert news.get_nowait() == worker.Event("end", job.label, 50, text="diverged")
    assert news.empty()
