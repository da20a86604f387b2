"""A run from its first step to its files: exact resume, divergence, damaged checkpoints."""

import json
import math
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from benchmarks.common.files import read_lines
from benchmarks.training import checkpoint
from benchmarks.training.loop import READ_EVERY, Member, Training, Watch, train
from datasets.images import Split
from datasets.loading import load
from tests.helpers import tiny_run
from zoo.registry import FAMILIES

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def data() -> Split:
    return load("digits").train


def finish(run, data: Split, folder: Path, **watch) -> str:
    return together([run], data, [folder], **watch)[0]


def together(runs, data: Split, folders: list[Path], **watch) -> list[str]:
    for folder in folders:
        folder.mkdir(parents=True, exist_ok=True)
    n = len(runs)
    return list(train(runs, [data] * n, folders, CPU, [Watch(**watch)] * n))


def seeds_of(run, n: int):
    """Return a run's first n seeds, in stacks of three."""
    stacked = run.training.model_copy(update={"stacked": 3})
    return [run.model_copy(update={"seed": s, "training": stacked}) for s in range(n)]


# Writing down a stacked turn takes a second or two, so one family stands for all.
@pytest.mark.parametrize(
    ("family", "stacked"),
    [*((family, False) for family in FAMILIES), ("gan", True)],
)
def test_resumed_equals_uninterrupted_to_the_bit(
    family: str, stacked: bool, data: Split, tmp_path: Path
) -> None:
    run = tiny_run(family, steps=7)
    run = seeds_of(run, 1)[0] if stacked else run
    assert finish(run, data, tmp_path / "whole") == "trained"
    stops = iter([False, False, True])
    assert finish(run, data, tmp_path / "cut", stop=lambda: next(stops)) == "interrupted"
    assert not (tmp_path / "cut" / "training.json").exists()
    assert finish(run, data, tmp_path / "cut") == "trained"
    whole, cut = (load_file(tmp_path / n / "weights.safetensors") for n in ("whole", "cut"))
    assert all(torch.equal(whole[name], cut[name]) for name in whole)
    losses = [read_lines(tmp_path / n / "curve.jsonl")[-1] for n in ("whole", "cut")]
    for line in losses:
        line.pop("seconds")
    assert losses[0] == losses[1]
    assert not (tmp_path / "cut" / checkpoint.FILE).exists()


def test_same_run_twice_is_equal_whatever_ran_before(data: Split, tmp_path: Path) -> None:
    run = tiny_run("bigbigan", steps=3)
    finish(run, data, tmp_path / "first")
    finish(tiny_run("gan", steps=2), data, tmp_path / "other")
    torch.rand(3)
    finish(run, data, tmp_path / "second")
    first, second = (load_file(tmp_path / n / "weights.safetensors") for n in ("first", "second"))
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_observing_changes_nothing(data: Split, tmp_path: Path) -> None:
    from benchmarks.evaluation.evaluators import evaluator_of
    from benchmarks.execution.tasks import observer
    from benchmarks.planning.plan import Job

    evaluator = evaluator_of(load("digits"))
    run = tiny_run("bigbigan", steps=52)
    finish(run, data, tmp_path / "plain")
    job = Job(run, "", tmp_path / "seen")
    finish(run, data, job.folder, observe=observer(job, evaluator))
    assert (job.folder / "samples-0000050.png").exists()
    plain, seen = (load_file(tmp_path / n / "weights.safetensors") for n in ("plain", "seen"))
    assert all(torch.equal(plain[name], seen[name]) for name in plain)
    assert [row["step"] for row in read_lines(tmp_path / "seen" / "light.jsonl")] == [50]


def test_divergence_is_a_recorded_result(data: Split, tmp_path: Path) -> None:
    run = tiny_run("gan", steps=READ_EVERY + 5)
    member = Member(run, data, tmp_path, Watch(), CPU)
    with torch.no_grad():
        next(member.game.networks["G"].parameters()).fill_(math.nan)
    Training([member], CPU).play()
    assert member.status == "diverged"
    outcome = json.loads((tmp_path / "training.json").read_text())
    assert (outcome["status"], outcome["steps"]) == ("diverged", READ_EVERY)
    assert not (tmp_path / "weights.safetensors").exists()
    json.loads((tmp_path / "curve.jsonl").read_text(), parse_constant=pytest.fail)  # strict JSON


def test_damaged_and_foreign_checkpoints_are_set_aside(tmp_path: Path) -> None:
    said: list[str] = []
    (tmp_path / checkpoint.FILE).write_bytes(b"not a checkpoint")
    assert checkpoint.load(tmp_path, CPU, said.append) is None
    assert (tmp_path / "checkpoint.pt.damaged-1").exists()
    checkpoint.save(tmp_path, {"device": "cuda"})
    assert checkpoint.load(tmp_path, CPU, said.append) is None
    assert (tmp_path / "checkpoint.pt.of-cuda-1").exists()
    assert len(said) == 2


def test_truncated_or_altered_checkpoint_is_set_aside(data: Split, tmp_path: Path) -> None:
    run = tiny_run("bigan", steps=5)
    finish(run, data, tmp_path, stop=lambda: True)
    path = tmp_path / checkpoint.FILE
    good = path.read_bytes()
    for n, bad in enumerate((good[:-2000], good[:9000] + b"x" + good[9001:], b""), start=1):
        path.write_bytes(bad)
        assert (
            finish(run, data, tmp_path, say=lambda line: None, stop=lambda: True) == "interrupted"
        )
        assert (tmp_path / f"checkpoint.pt.damaged-{n}").exists()
    assert finish(run, data, tmp_path) == "trained"


def test_one_seed_diverges_and_the_others_go_on(data: Split, tmp_path: Path) -> None:
    runs = seeds_of(tiny_run("bigan", steps=READ_EVERY + 5), 3)
    folders = [tmp_path / str(run.seed) for run in runs]
    for folder in folders:
        folder.mkdir()
    members = [Member(run, data, f, Watch(), CPU) for run, f in zip(runs, folders, strict=True)]
    with torch.no_grad():
        next(members[1].game.networks["G"].parameters()).fill_(math.nan)
    Training(members, CPU).play()
    assert [member.status for member in members] == ["trained", "diverged", "trained"]
    assert together(runs[2:], data, [tmp_path / "alone"]) == ["trained"]
    one, other = (load_file(f / "weights.safetensors") for f in (folders[2], tmp_path / "alone"))
    assert all(torch.equal(one[name], other[name]) for name in one)
    steps = [[row["step"] for row in read_lines(f / "curve.jsonl")] for f in folders]
    assert steps == [[50, 55], [50], [50, 55]]


def test_seeds_cut_off_at_different_steps_end_alike(data: Split, tmp_path: Path) -> None:
    runs = seeds_of(tiny_run("gan", steps=6), 2)
    whole, cut = ([tmp_path / name / str(run.seed) for run in runs] for name in ("whole", "cut"))
    assert together(runs, data, whole) == ["trained", "trained"]
    for run, folder, at in zip(runs, cut, (2, 4), strict=True):
        stops = iter([False] * (at - 1) + [True])
        assert finish(run, data, folder, stop=lambda stops=stops: next(stops)) == "interrupted"
    assert together(runs, data, cut) == ["trained", "trained"]
    for expected, found in zip(whole, cut, strict=True):
        one, other = (load_file(f / "weights.safetensors") for f in (expected, found))
        assert all(torch.equal(one[name], other[name]) for name in one)


def test_a_seed_does_not_depend_on_who_else_trains(data: Split, tmp_path: Path) -> None:
    """Ten seeds over fifty steps, at sizes that fill no vector: to the bit, in any company."""
    wide = tiny_run("gan", steps=50).networks.model_copy(update={"width": 19, "latent_dim": 5})
    run = tiny_run("gan", steps=50).model_copy(update={"networks": wide})
    runs = seeds_of(run, 10)
    assert together(runs, data, [tmp_path / "all" / str(run.seed) for run in runs]) == (
        ["trained"] * 10
    )
    for company in ([4], [8, 9], [2, 3]):
        own = [runs[seed] for seed in company]
        together(own, data, [tmp_path / "some" / str(run.seed) for run in own])
        for seed in company:
            one, other = (
                load_file(tmp_path / part / str(seed) / "weights.safetensors")
                for part in ("all", "some")
            )
            assert all(torch.equal(one[name], other[name]) for name in one), seed


def test_gradient_norms_are_written(data: Split, tmp_path: Path) -> None:
    finish(tiny_run("gan", steps=2), data, tmp_path)
    line = read_lines(tmp_path / "curve.jsonl")[-1]
    assert line["generator/grad_norm"] > 0
    assert line["discriminator/grad_norm"] > 0
