"""A run from its first step to its files: exact resume, divergence, damaged checkpoints."""

import json
import math
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from benchmarks.files import read_lines
from benchmarks.harness import checkpoints
from benchmarks.harness.loop import READ_EVERY, Training, Watch, train
from datasets.images import Split
from datasets.loading import load
from tests.helpers import tiny_run
from zoo.registry import FAMILIES

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def data() -> Split:
    return load("digits").train


def finish(run, data: Split, folder: Path, **watch) -> str:
    folder.mkdir(parents=True, exist_ok=True)
    return train(run, data, folder, CPU, Watch(**watch))


@pytest.mark.parametrize("family", FAMILIES)
def test_resumed_equals_uninterrupted_to_the_bit(family: str, data: Split, tmp_path: Path) -> None:
    run = tiny_run(family, steps=7)
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
    assert not (tmp_path / "cut" / checkpoints.FILE).exists()


def test_same_run_twice_is_equal_whatever_ran_before(data: Split, tmp_path: Path) -> None:
    run = tiny_run("bigbigan", steps=3)
    finish(run, data, tmp_path / "first")
    finish(tiny_run("gan", steps=2), data, tmp_path / "other")
    torch.rand(3)
    finish(run, data, tmp_path / "second")
    first, second = (load_file(tmp_path / n / "weights.safetensors") for n in ("first", "second"))
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_observing_changes_nothing(data: Split, tmp_path: Path) -> None:
    from benchmarks.evaluation.evaluate import evaluate_light
    from benchmarks.evaluation.reference import Reference

    reference = Reference(load("digits"))
    run = tiny_run("bigbigan", steps=52)
    finish(run, data, tmp_path / "plain")
    finish(run, data, tmp_path / "seen", observe=lambda g, step: evaluate_light(g, reference))
    plain, seen = (load_file(tmp_path / n / "weights.safetensors") for n in ("plain", "seen"))
    assert all(torch.equal(plain[name], seen[name]) for name in plain)
    assert [row["step"] for row in read_lines(tmp_path / "seen" / "light.jsonl")] == [50]


def test_divergence_is_a_recorded_result(data: Split, tmp_path: Path) -> None:
    run = tiny_run("gan", steps=READ_EVERY + 5)
    training = Training(run, data, tmp_path, CPU, Watch())
    with torch.no_grad():
        next(training.game.networks["G"].parameters()).fill_(math.nan)
    assert training.play() == "diverged"
    outcome = json.loads((tmp_path / "training.json").read_text())
    assert (outcome["status"], outcome["steps"]) == ("diverged", READ_EVERY)
    assert not (tmp_path / "weights.safetensors").exists()
    json.loads((tmp_path / "curve.jsonl").read_text(), parse_constant=pytest.fail)  # strict JSON


def test_damaged_and_foreign_checkpoints_are_set_aside(tmp_path: Path) -> None:
    said: list[str] = []
    (tmp_path / checkpoints.FILE).write_bytes(b"not a checkpoint")
    assert checkpoints.load(tmp_path, CPU, said.append) is None
    assert (tmp_path / "checkpoint.pt.damaged-1").exists()
    checkpoints.save(tmp_path, {"device": "cuda"})
    assert checkpoints.load(tmp_path, CPU, said.append) is None
    assert (tmp_path / "checkpoint.pt.of-cuda-1").exists()
    assert len(said) == 2


def test_truncated_or_altered_checkpoint_is_set_aside(data: Split, tmp_path: Path) -> None:
    run = tiny_run("bigan", steps=5)
    finish(run, data, tmp_path, stop=lambda: True)
    path = tmp_path / checkpoints.FILE
    good = path.read_bytes()
    for n, bad in enumerate((good[:-2000], good[:9000] + b"x" + good[9001:], b""), start=1):
        path.write_bytes(bad)
        assert (
            finish(run, data, tmp_path, say=lambda line: None, stop=lambda: True) == "interrupted"
        )
        assert (tmp_path / f"checkpoint.pt.damaged-{n}").exists()
    assert finish(run, data, tmp_path) == "trained"
