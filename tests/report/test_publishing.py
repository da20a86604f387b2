"""What is published in the place of one's own runs, and publishing it."""

import json
import zipfile
from dataclasses import replace
from pathlib import Path
from unittest.mock import patch

import pytest

from benchmarks.evaluation import protocol
from benchmarks.evaluation.registry import METRICS
from benchmarks.planning import identity, plan, suites
from benchmarks.planning.outdated import recipe_of
from benchmarks.records import record
from benchmarks.records.published import Shelf, take_controls, with_published
from benchmarks.records.record import RecordError, pack
from benchmarks.report.data import summary
from benchmarks.report.data.contents import gather
from benchmarks.report.publish import publish
from tests.planning.run_folders import run_of, write_controls, write_run
from tests.records.records_made import (
    DATE,
    FOUND,
    TODAY,
    altered,
    one,
    packed,
    planned,
)
from tests.report.report_pages import contents_of, hand_made, suite_of

pytestmark = pytest.mark.usefixtures("nothing_published")


def test_published_runs_stand_for_those_that_are_not_here(tmp_path: Path) -> None:
    packed(tmp_path, [one(tmp_path)])
    jobs = planned(tmp_path, "bigan", "gan", seeds=2)
    found = with_published(jobs, suite_of(), Shelf.of(tmp_path))
    assert [(job.label, job.published) for job in found.jobs] == [("bigan seed 0", DATE)]
    assert plan.state(found.jobs[0]) == "done"
    assert found.left_out == [
        "gan seeds 0, 1: not published",
        "bigan seed 1: not published",
    ]


def test_rows_of_the_users_own_are_left_to_train(tmp_path: Path) -> None:
    packed(tmp_path, [one(tmp_path)])
    jobs = planned(tmp_path, "bigan", "gan")
    found = with_published(jobs, suite_of(), Shelf.of(tmp_path), own=["gan"])
    assert [job.label for job in found.jobs] == ["bigan seed 0", "gan seed 0"]
    assert found.left_out == []


def test_ones_own_runs_come_first(tmp_path: Path) -> None:
    packed(tmp_path, [one(tmp_path)])
    write_run(tmp_path / "elsewhere", run_of("bigan"), {"fid_hybrid": 2.0})
    (job,) = with_published(planned(tmp_path, "bigan"), suite_of(), Shelf.of(tmp_path)).jobs
    assert job.published == ""


def raise_version(monkeypatch: pytest.MonkeyPatch) -> None:
    known = dict(identity.numerics_versions())
    monkeypatch.setattr(identity, "numerics_versions", lambda: known | {"family.bigan": 7})


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda m: m.setattr(plan, "VERSION", "99"), ""),
        (raise_version, "no longer fits: numerics version of family.bigan is 7, not 1"),
    ],
)
def test_published_runs_that_no_longer_fit_say_why(
    change, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    packed(tmp_path, [one(tmp_path)])
    change(monkeypatch)
    found = with_published(planned(tmp_path, "bigan"), suite_of(), Shelf.of(tmp_path))
    assert found.jobs == found.damaged == []
    assert said in found.left_out[0]
    assert "no longer fits" in found.left_out[0]


def test_another_protocol_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    packed(tmp_path, [one(tmp_path)])
    monkeypatch.setattr(plan, "VERSION", "99")
    found = with_published(planned(tmp_path, "bigan"), suite_of(), Shelf.of(tmp_path))
    assert found.left_out == [
        "bigan seed 0: the published run no longer fits: protocol is now 99, not "
        + protocol.VERSION
    ]


def test_published_controls_are_taken_where_they_fit(tmp_path: Path) -> None:
    suite = suite_of()
    job = plan.controls_job(suite, tmp_path)
    folder = write_controls(tmp_path, job.identity, {"noise": [FOUND]})
    about = recipe_of(job.run) | {"identity": job.identity}
    (folder / "controls.json").write_text(json.dumps(about))
    pack([folder], (), tmp_path / "published" / "digits", TODAY)
    other = tmp_path / "other"
    shelf = Shelf.of(tmp_path)
    taken = take_controls(suite, other, shelf)
    assert taken is not None
    assert taken.published == DATE
    there = plan.controls_folder(suite, other) / "metrics.json"
    assert there.read_bytes() == (folder / "metrics.json").read_bytes()
    assert take_controls(suite, other, shelf) is None  # they are there
    wider = suites.override(suite, ["networks.width=32"])
    assert take_controls(wider, other, shelf) is None  # of other networks


@pytest.mark.long
def test_a_report_of_records_is_that_of_the_run_folders(tmp_path: Path) -> None:
    from benchmarks.report.build import write_report

    hand_made(tmp_path, lost=True, draw=True)
    suite = suite_of()
    target = publish(suite, "python run_all.py", ["forest"], tmp_path)
    of_records = {name: (target / name).read_bytes() for name in ("table.csv", "table.tex")}
    jobs = plan.jobs(suite, tmp_path, range(3))
    with patch("benchmarks.report.build._figures", return_value={}):
        report = write_report(contents_of(jobs), tmp_path / "direct")
    assert of_records == {name: (report / name).read_bytes() for name in of_records}
    kept = {p.name for p in target.iterdir()}
    assert "forest_samples.png" in kept
    assert "samples.png" not in kept
    assert "(samples.png)" not in (target / "table.md").read_text()
    content = json.loads((target / record.MANIFEST).read_text())
    assert len(content["records"]) == 9
    with zipfile.ZipFile(target / record.ARCHIVE) as archive:
        pictured = {Path(n).parent for n in archive.namelist() if n.endswith("samples.png")}
    assert len(pictured) == 3  # one run of each row: reports show no other


@pytest.mark.long
def test_publishing_again_without_the_run_folders_keeps_what_is_published(tmp_path: Path) -> None:
    import shutil

    hand_made(tmp_path)
    target = publish(suite_of(), "python run_all.py", [], tmp_path)
    before = (target / "table.csv").read_bytes()
    shutil.rmtree(tmp_path / "runs")
    publish(suite_of(), "python run_all.py", [], tmp_path)
    assert (target / "table.csv").read_bytes() == before


def test_runs_with_uncommitted_changes_are_not_published(tmp_path: Path) -> None:
    from benchmarks.common.errors import UserError

    jobs = hand_made(tmp_path)
    path = jobs[0].folder / "environment.json"
    path.write_text(path.read_text().replace('"dirty": false', '"dirty": true'))
    with pytest.raises(UserError, match="made with uncommitted changes"):
        publish(suite_of(), "", [], tmp_path)


@pytest.mark.parametrize(
    ("own_fid", "word"), [(0.2, "better"), (1.1, "not told apart"), (30.0, "worse")]
)
def test_a_model_of_ones_own_is_placed(own_fid: float, word: str, tmp_path: Path) -> None:
    """Three seeds of its own, with FIDs 2 % around one, against those of three models."""
    jobs = [replace(job, published=DATE) for job in hand_made(tmp_path)]
    controls = contents_of(jobs).controls
    fids = [own_fid * factor for factor in (0.98, 1.0, 1.02)]
    mine = [
        write_run(tmp_path, run_of("ali", seed), {"fid_hybrid": fid, "train_seconds": 1.0})
        for seed, fid in enumerate(fids)
    ]
    contents = gather(suite_of(), [*jobs, *mine], controls, "")
    assert (
        f"ALI beside AEGAN: {word} in FID (digit features)." in contents.placed
    )  # aegan: 1.0, 1.1, 1.2
    assert "These 3 comparisons of ALI are at 95 % for all" in contents.placed[-1]
    cells = summary.markdown(contents.summary, [METRICS["train_seconds"]])
    assert "| BiGAN | 3/3 | 60† |" in cells
    assert "| ALI | 3/3, reference | 1 |" in cells
    assert any(note.startswith("†") for note in contents.notes)
    assert gather(suite_of(), jobs, controls, "").placed == []


@pytest.mark.long
def test_a_damaged_record_is_not_published_over(tmp_path: Path) -> None:
    import shutil

    hand_made(tmp_path)
    target = publish(suite_of(), "python run_all.py", [], tmp_path)
    shutil.rmtree(tmp_path / "runs")
    shutil.rmtree(tmp_path / "cache")
    altered(target, b'"fid_hybrid": 1.0', b'"fid_hybrid": 0.9')
    before = {path.name: path.read_bytes() for path in target.iterdir()}
    with pytest.raises(RecordError, match="its digest is not"):
        publish(suite_of(), "python run_all.py", [], tmp_path)
    assert before == {path.name: path.read_bytes() for path in target.iterdir()}
    assert [path.name for path in target.parent.iterdir()] == ["digits"]


def test_nothing_finished_is_nothing_to_publish(tmp_path: Path) -> None:
    from benchmarks.common.errors import UserError

    with pytest.raises(UserError, match="no run of digits"):
        publish(suite_of(), "", [], tmp_path)
