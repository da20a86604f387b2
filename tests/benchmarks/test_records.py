"""Records: whole, checked where they are read, and as good as the run folders they are of."""

import json
import zipfile
from dataclasses import replace
from pathlib import Path
from unittest.mock import patch

import pytest

from benchmarks import identity, plan, records
from benchmarks.evaluation import protocol
from benchmarks.evaluation.registry import METRICS, bounds
from benchmarks.plan import Job
from benchmarks.published import take_controls, with_published
from benchmarks.records import RecordError, Shelf, pack, records_in, unpack
from benchmarks.report import publish as publishing
from benchmarks.report import tables
from benchmarks.report.material import gather
from benchmarks.report.publish import publish
from tests.benchmarks.report_pages import hand_made, material_of, suite_of
from tests.benchmarks.run_folders import run_of, write_controls, write_run

DATE = "2020-02-02"
FOUND = {"fid_hybrid": 1.0, "coverage_hybrid": 0.5}


@pytest.fixture(autouse=True)
def _nothing_of_the_checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep what is really published out of these tests."""
    monkeypatch.setattr(records, "ROOT", tmp_path / "checkout")


def packed(results: Path, jobs: list[Job], suite: str = "digits") -> Path:
    target = results / "published" / suite
    pack({publishing._name(job): job.folder for job in jobs}, (), target, DATE)
    return target


def one(results: Path) -> Job:
    return write_run(results, run_of("bigan"), FOUND)


def planned(results: Path, *rows: str, seeds: int = 1) -> list[Job]:
    suite = plan.override(plan.load_suite("digits"), [], list(rows))
    return plan.jobs(suite, results / "elsewhere", range(seeds))


def altered(target: Path, old: bytes, new: bytes) -> None:
    """Change what an archive holds, checksums of the archive included."""
    with zipfile.ZipFile(target / records.ARCHIVE) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    assert any(old in content for content in files.values())
    with zipfile.ZipFile(target / records.ARCHIVE, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content.replace(old, new))


def test_a_record_is_all_of_a_run_but_its_weights(tmp_path: Path) -> None:
    job = one(tmp_path)
    for name in ("weights.safetensors", "checkpoint.pt", ".lock", "samples.png", "failure.txt"):
        (job.folder / name).write_bytes(b"x")
    name = publishing._name(job)
    target = tmp_path / "published" / "digits"
    pack({name: job.folder}, [name], target, DATE)
    (record,) = records_in(target)
    folder = unpack(record, target, tmp_path / "cache")
    left = {"weights.safetensors", "checkpoint.pt", ".lock", "failure.txt"}
    assert {p.name for p in folder.iterdir()} == {p.name for p in job.folder.iterdir()} - left
    for path in folder.iterdir():
        assert path.read_bytes() == (job.folder / path.name).read_bytes()
    assert (record.where, record.date, record.identity) == (("bigan", 0), DATE, job.identity)
    assert record.versions == identity.versions_of(job.run)


def test_packing_again_gives_the_same_bytes_and_keeps_the_date(tmp_path: Path) -> None:
    job = one(tmp_path)
    target = packed(tmp_path, [job])
    before = [(target / name).read_bytes() for name in (records.ARCHIVE, records.MANIFEST)]
    pack({publishing._name(job): job.folder}, (), target, "2021-01-01")
    assert before == [(target / n).read_bytes() for n in (records.ARCHIVE, records.MANIFEST)]


def test_a_changed_number_is_refused_by_name(tmp_path: Path) -> None:
    job = one(tmp_path)
    target = packed(tmp_path, [job])
    altered(target, b'"fid_hybrid": 1.0', b'"fid_hybrid": 0.9')
    (record,) = records_in(target)
    with pytest.raises(RecordError, match=f"digits, {record.name}: its digest is not"):
        unpack(record, target, tmp_path / "cache")
    found = with_published(planned(tmp_path, "bigan"), suite_of(), Shelf(tmp_path))
    assert (found.jobs, len(found.damaged)) == ([], 1)


def test_what_was_unpacked_is_checked_each_time(tmp_path: Path) -> None:
    target = packed(tmp_path, [one(tmp_path)])
    (record,) = records_in(target)
    metrics = unpack(record, target, tmp_path / "cache") / "metrics.json"
    good = metrics.read_bytes()
    metrics.write_bytes(good.replace(b"1.0", b"0.1"))
    assert unpack(record, target, tmp_path / "cache") == metrics.parent
    assert metrics.read_bytes() == good


@pytest.mark.parametrize(
    ("metrics", "said"),
    [
        ({"fid_hybrid": float("nan")}, "fid_hybrid is nan"),
        ({"fid_hybrid": float("inf")}, "fid_hybrid is inf"),
        ({"fid_hybrid": -1.0}, "fid_hybrid is -1.0"),
        ({"coverage_hybrid": 1.01}, "coverage_hybrid is 1.01"),
        ({"classes_covered": 11.0}, "classes_covered is 11.0"),
        ({"reconstruction_ssim": -1.5}, "reconstruction_ssim is -1.5"),
        ({"fid_hybrid": "1.0"}, "fid_hybrid is '1.0'"),
        ({"fid_hybrid": True}, "fid_hybrid is True"),
        ({"fid": 1.0}, "fid is no metric"),
    ],
)
def test_numbers_that_no_run_can_have_are_refused(metrics, said: str, tmp_path: Path) -> None:
    target = packed(tmp_path, [write_run(tmp_path, run_of("bigan"), metrics)])
    (record,) = records_in(target)
    with pytest.raises(RecordError, match=said):
        unpack(record, target, tmp_path / "cache")


def test_values_at_the_ends_of_ranges_are_taken() -> None:
    content = {"rows": {"": {"fid_hybrid": -1e-9, "coverage_hybrid": 1.0, "kid_hybrid": -0.01}}}
    assert records.implausible(content, "digits") == []


@pytest.mark.parametrize("metric", METRICS.values(), ids=lambda metric: metric.name)
def test_every_range_has_ends_in_order(metric) -> None:
    low, high = bounds(metric, 10)
    assert low < high
    assert ("inf" in metric.range) or ("around" in metric.range) or abs(low) < 1e9


@pytest.mark.parametrize(
    ("content", "said"),
    [('{"schema": 99, "records": {}}', "schema 99"), ("{", "schema None"),
     ('{"schema": 1, "records": {"a/b/seed0-1": {"x": 1}}}', "is damaged")],
)  # fmt: skip
def test_a_manifest_of_another_schema_is_named(content: str, said: str, tmp_path: Path) -> None:
    target = packed(tmp_path, [one(tmp_path)])
    (target / records.MANIFEST).write_text(content)
    shelf = Shelf(tmp_path)
    assert said in shelf.problems[0]
    found = with_published(planned(tmp_path, "bigan"), suite_of(), shelf)
    assert found.damaged == shelf.problems


def test_a_damaged_archive_is_named(tmp_path: Path) -> None:
    target = packed(tmp_path, [one(tmp_path)])
    (target / records.ARCHIVE).write_bytes(b"no archive")
    (record,) = records_in(target)
    with pytest.raises(RecordError, match=r"records\.zip cannot be read"):
        unpack(record, target, tmp_path / "cache")


def test_published_runs_stand_for_those_that_are_not_here(tmp_path: Path) -> None:
    packed(tmp_path, [one(tmp_path)])
    jobs = planned(tmp_path, "bigan", "gan", seeds=2)
    found = with_published(jobs, suite_of(), Shelf(tmp_path))
    assert [(job.label, job.published) for job in found.jobs] == [("bigan seed 0", DATE)]
    assert plan.state(found.jobs[0]) == "done"
    assert found.left_out == [
        "gan seeds 0, 1: not published",
        "bigan seed 1: not published",
    ]


def test_rows_of_the_users_own_are_left_to_train(tmp_path: Path) -> None:
    packed(tmp_path, [one(tmp_path)])
    jobs = planned(tmp_path, "bigan", "gan")
    found = with_published(jobs, suite_of(), Shelf(tmp_path), own=["gan"])
    assert [job.label for job in found.jobs] == ["bigan seed 0", "gan seed 0"]
    assert found.left_out == []


def test_ones_own_runs_come_first(tmp_path: Path) -> None:
    packed(tmp_path, [one(tmp_path)])
    write_run(tmp_path / "elsewhere", run_of("bigan"), {"fid_hybrid": 2.0})
    (job,) = with_published(planned(tmp_path, "bigan"), suite_of(), Shelf(tmp_path)).jobs
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
    found = with_published(planned(tmp_path, "bigan"), suite_of(), Shelf(tmp_path))
    assert found.jobs == found.damaged == []
    assert said in found.left_out[0]
    assert "no longer fits" in found.left_out[0]


def test_another_protocol_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    packed(tmp_path, [one(tmp_path)])
    for module in (plan, __import__("benchmarks.published").published):
        monkeypatch.setattr(module, "VERSION", "99")
    found = with_published(planned(tmp_path, "bigan"), suite_of(), Shelf(tmp_path))
    assert found.left_out == [
        "bigan seed 0: the published run no longer fits: protocol is now 99, not "
        + protocol.VERSION
    ]


def test_published_controls_are_taken_where_they_fit(tmp_path: Path) -> None:
    suite = suite_of()
    job = plan.controls_job(suite, tmp_path)
    folder = write_controls(tmp_path, job.identity, {"noise": [FOUND]})
    (folder / "controls.json").write_text(json.dumps({"identity": job.identity, "versions": {}}))
    target = tmp_path / "published" / "digits"
    pack({f"digits/{folder.name}": folder}, (), target, DATE)
    other = tmp_path / "other"
    shelf = Shelf(tmp_path)
    taken = take_controls(suite, other, shelf)
    assert taken is not None
    assert taken.date == DATE
    there = plan.controls_folder(suite, other) / "metrics.json"
    assert there.read_bytes() == (folder / "metrics.json").read_bytes()
    assert take_controls(suite, other, shelf) is None  # they are there
    wider = plan.override(suite, ["networks.width=32"])
    assert take_controls(wider, other, shelf) is None  # of other networks


def test_a_report_of_records_is_that_of_the_run_folders(tmp_path: Path) -> None:
    from benchmarks.report.write import write_report

    hand_made(tmp_path, lost=True, draw=True)
    suite = suite_of()
    target = publish(suite, "python run_all.py", ["forest"], tmp_path)
    of_records = {name: (target / name).read_bytes() for name in ("table.csv", "table.tex")}
    jobs = plan.jobs(suite, tmp_path, range(3))
    with patch("benchmarks.report.write._figures", return_value={}):
        report = write_report(material_of(jobs), tmp_path / "direct")
    assert of_records == {name: (report / name).read_bytes() for name in of_records}
    kept = {p.name for p in target.iterdir()}
    assert "forest_samples.png" in kept
    assert "samples.png" not in kept
    assert "(samples.png)" not in (target / "table.md").read_text()
    content = json.loads((target / records.MANIFEST).read_text())
    assert len(content["records"]) == 9
    with zipfile.ZipFile(target / records.ARCHIVE) as archive:
        pictured = {Path(n).parent for n in archive.namelist() if n.endswith("samples.png")}
    assert len(pictured) == 3  # one run of each row: reports show no other


def test_publishing_again_without_the_run_folders_keeps_what_is_published(tmp_path: Path) -> None:
    import shutil

    hand_made(tmp_path)
    target = publish(suite_of(), "python run_all.py", [], tmp_path)
    before = (target / "table.csv").read_bytes()
    shutil.rmtree(tmp_path / "runs")
    publish(suite_of(), "python run_all.py", [], tmp_path)
    assert (target / "table.csv").read_bytes() == before


def test_runs_with_uncommitted_changes_are_not_published(tmp_path: Path) -> None:
    from benchmarks.errors import UserError

    jobs = hand_made(tmp_path)
    path = jobs[0].folder / "environment.json"
    path.write_text(path.read_text().replace('"dirty": false', '"dirty": true'))
    with pytest.raises(UserError, match="trained with uncommitted changes"):
        publish(suite_of(), "", [], tmp_path)


@pytest.mark.parametrize(
    ("own_fid", "word"), [(0.2, "better"), (1.1, "not told apart"), (30.0, "worse")]
)
def test_a_model_of_ones_own_is_placed(own_fid: float, word: str, tmp_path: Path) -> None:
    """Three seeds of its own, with FIDs 2 % around one, against those of three models."""
    jobs = [replace(job, published=DATE) for job in hand_made(tmp_path)]
    controls = material_of(jobs).controls
    fids = [own_fid * factor for factor in (0.98, 1.0, 1.02)]
    mine = [
        write_run(tmp_path, run_of("ali", seed), {"fid_hybrid": fid, "train_seconds": 1.0})
        for seed, fid in enumerate(fids)
    ]
    material = gather(suite_of(), [*jobs, *mine], controls, "")
    assert f"ali beside aegan: {word} in FID." in material.placed  # aegan: 1.0, 1.1, 1.2
    assert "These 3 comparisons of ali are at 95 % for all" in material.placed[-1]
    cells = tables.markdown(material.summary, [METRICS["train_seconds"]])
    assert "| bigan | 3/3 | 60† |" in cells
    assert "| ali | 3/3, reference | 1 |" in cells
    assert any(note.startswith("†") for note in material.notes)
    assert gather(suite_of(), jobs, controls, "").placed == []


def test_nothing_finished_is_nothing_to_publish(tmp_path: Path) -> None:
    from benchmarks.errors import UserError

    with pytest.raises(UserError, match="no run of digits"):
        publish(suite_of(), "", [], tmp_path)
