"""Which row a line is about: in DataFrames, in every CSV, and in what people read."""

import json
from dataclasses import replace
from pathlib import Path
from unittest.mock import patch

import pandas as pd
import pytest

from benchmarks import cli
from benchmarks.common.errors import UserError
from benchmarks.evaluation.control_rows import CONTROLS, measured
from benchmarks.execution.eta import typical_seconds
from benchmarks.planning import plan, suites
from benchmarks.planning.keys import Key
from benchmarks.report.build import write_report
from benchmarks.report.data import frame
from benchmarks.report.data.columns import FIRST, columns_of, keys_of
from benchmarks.report.data.contents import gather
from tests.planning.run_folders import run_of, write_controls, write_run
from tests.report.report_pages import hand_made, suite_of
from tests.report.test_intervals import control, runs

KEYS = {
    "BiGAN": Key("bigan", "bigan"),
    "GAN (discriminator)": Key("gan", "gan", readout="discriminator"),
    "BiGAN (half lr) (critic)": Key("bigan", "bigan", "half_lr", "critic", title="bigan_half_lr"),
    "BiGAN (lr 0.1, width 32)": Key("bigan", "bigan", "lr 0.1, width 32"),
    "BiGAN (lr 0.1) (critic)": Key("bigan", "bigan", "lr 0.1", "critic", "reference"),
    "real, 648 of train": control("real_train", 648),
    "PCA": control("pca"),
}


@pytest.mark.parametrize("label", KEYS)
def test_a_label_is_built_from_parts_and_parts_survive_a_table(label: str) -> None:
    key = KEYS[label]
    assert key.label == label
    assert keys_of(pd.DataFrame([columns_of(key)])) == {label: key}


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report with a lost run, a reference that has a readout, and a control."""
    results = tmp_path_factory.mktemp("results")
    jobs = hand_made(results, lost=True)
    jobs += [write_run(results, run_of("gan", s), {"fid_hybrid": 2.0 + s}) for s in range(3)]
    for job in (job for job in jobs if (job.folder / "metrics.json").exists()):
        path = job.folder / "metrics.json"
        content = json.loads(path.read_text())
        content["curves"] = {"truncation": [{"threshold": 1.0, "fid_hybrid": 2.0}]}
        if job.run.row == "gan":
            content["rows"]["discriminator"] = {"knn1_accuracy_features": 0.9}
        path.write_text(json.dumps(content))
    controls = runs({control("untrained"): [90.0, 91.0]})
    with patch("benchmarks.report.build._figures", return_value={}):
        return write_report(gather(suite_of(), jobs, controls, "python run_all.py"), results)


@pytest.mark.parametrize(
    ("name", "following"),
    [
        ("table", ["label", "lacks"]),
        ("runs", ["seed", "status", "label"]),
        ("ranks", ["label", "metric"]),
        ("truncation", ["label", "seed", "threshold"]),
    ],
)
def test_every_csv_begins_with_the_row(report: Path, name: str, following: list[str]) -> None:
    table = pd.read_csv(report / f"{name}.csv")
    assert list(table)[: len(FIRST) + len(following)] == [*FIRST, *following]
    assert "title" not in table


def test_differences_begin_with_both_rows(report: Path) -> None:
    table = pd.read_csv(report / "differences.csv")
    expected = [f"{name}_{side}" for side in "ab" for name in FIRST]
    assert list(table)[: len(expected) + 1] == [*expected, "metric"]
    assert {"a", "b"}.isdisjoint(table)
    lost = table[table["row_a"] == "bigan"].iloc[0]
    assert (lost["seeds_done_a"], lost["seeds_planned_a"]) == (2, 3)


@pytest.mark.parametrize(
    ("row", "readout", "expected"),
    [
        ("aegan", "", ("aegan", "model", 3, 3)),
        ("bigan", "", ("bigan", "model", 2, 3)),
        ("gan", "", ("gan", "reference", 3, 3)),
        ("gan", "discriminator", ("gan", "reference", 3, 3)),
        ("untrained", "", ("", "control", 2, 2)),
    ],
)
@pytest.mark.parametrize("name", ["table", "runs"])
def test_lines_say_what_they_are(report: Path, name: str, row: str, readout: str, expected) -> None:
    table = pd.read_csv(report / f"{name}.csv", keep_default_na=False)
    own = table[(table["row"] == row) & (table["readout"] == readout)]
    columns = ["family", "kind", "seeds_done", "seeds_planned"]
    assert set(own[columns].itertuples(index=False, name=None)) == {expected}


def test_kept_seconds_are_known_by_what_people_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def row(name: str, readout: str = "", **seconds: float) -> dict[str, object]:
        cells = {metric: {"mean": value} for metric, value in seconds.items()}
        return {"name": name, "readout": readout, "cells": cells}

    rows = [
        row("bigan", train_seconds=60.0, evaluation_seconds=5.0),
        row("bigan", "critic", train_seconds=1.0, evaluation_seconds=1.0),
        row("bigan_half_lr", train_seconds=30.0, evaluation_seconds=5.0),
        row("lost"),
    ]
    for suite, dataset in (("digits", "digits"), ("other", "digits"), ("mnist", "mnist")):
        (tmp_path / suite).mkdir()
        content = {"dataset": dataset, "rows": rows if suite != "other" else rows[:1]}
        (tmp_path / suite / "report.json").write_text(json.dumps(content))
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "report.json").write_text("{")
    monkeypatch.setattr("benchmarks.execution.eta.PUBLISHED", tmp_path)
    assert typical_seconds("digits") == {"bigan": (60.0, 5.0), "bigan_half_lr": (30.0, 5.0)}
    assert typical_seconds("gaussians") == {}


def test_light_lines_are_of_their_readout(tmp_path: Path) -> None:
    at = {"step": 50, "seconds": 1.0, "protocol": "1"}
    light = [at | {"fid_hybrid": 3.0, "discriminator/knn1_accuracy_features": 0.8}]
    found = frame.light_frame([write_run(tmp_path, run_of("gan"), light=light)])
    lines = found[["row", "readout", "label", "seed", "step", "seconds"]].to_numpy().tolist()
    assert lines == [
        ["gan", "", "GAN", 0, 50, 1.0],
        ["gan", "discriminator", "GAN (discriminator)", 0, 50, 1.0],
    ]
    assert found["fid_hybrid"].tolist()[0] == 3.0
    assert found["knn1_accuracy_features"].tolist()[1] == 0.8
    assert not [name for name in found if "/" in name]


# controls


@pytest.mark.parametrize("name", CONTROLS)
def test_a_row_cannot_be_called_like_a_control(name: str) -> None:
    title = CONTROLS[name].title
    with pytest.raises(UserError, match=f"a row cannot be called {title}: tables call a control"):
        suites.override(suites.load_suite("digits"), [f"rows.{title}.family=bigan"], [title])


@pytest.mark.parametrize("named", ["real, 9 of train", "who_knows"])
def test_control_rows_that_are_named_otherwise_are_not_there(tmp_path: Path, named: str) -> None:
    suite = suites.load_suite("digits")
    job = plan.controls_job(suite, tmp_path)
    folder = write_controls(tmp_path, job.identity, {"noise": [{"fid_hybrid": 9.0}]})
    assert frame.controls_frame(suite, tmp_path)["label"].tolist() == ["noise"]
    assert cli._controls_done(plan.Plan(suite, [], tmp_path))
    content = json.loads((folder / "metrics.json").read_text())
    content["titles"] = {named: named}
    (folder / "metrics.json").write_text(json.dumps(content))
    assert frame.controls_frame(suite, tmp_path).empty
    del content["titles"]
    (folder / "metrics.json").write_text(json.dumps(content))
    assert frame.controls_frame(suite, tmp_path).empty
    assert not cli._controls_done(plan.Plan(suite, [], tmp_path))


def test_titles_have_a_number_where_there_is_one() -> None:
    found = measured({"real_test": [], "pca": [], "noise": []}, {"real_test": 10_000})
    assert found.titles == {"real_test": "real, 10,000 of test", "pca": "PCA", "noise": "noise"}


# resolution


def test_a_suite_is_resolved_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """However often its rows are asked for: to check them, to plan them and to shorten it."""
    from benchmarks.planning import resolve

    seen: list[str] = []
    whole = resolve.resolve_row
    monkeypatch.setattr(resolve, "_resolved", {})
    monkeypatch.setattr(
        resolve, "resolve_row", lambda suite, name: seen.append(name) or whole(suite, name)
    )
    suite = suites.override(suites.load_suite("digits"))
    plan.jobs(suite, Path(), range(3))
    plan.jobs(suite, Path(), range(3))
    assert seen == list(suite.families)


def test_another_suite_is_resolved_anew() -> None:
    suite = suites.load_suite("digits")
    (one, *_) = plan.jobs(suite, Path(), [0])
    wide = suite.networks.model_copy(update={"width": 32})
    (other, *_) = plan.jobs(suite.model_copy(update={"networks": wide}), Path(), [0])
    assert (one.run.networks.width, other.run.networks.width) == (64, 32)
    assert replace(one, run=other.run) != one
