"""Records: whole, checked where they are read, and as good as the run folders they are of."""

import json
import zipfile
from pathlib import Path

import pytest

from benchmarks.evaluation.registry import METRICS, bounds
from benchmarks.planning import identity
from benchmarks.records import record as records
from benchmarks.records.published import Shelf, with_published
from benchmarks.records.record import RecordError, pack, records_in, unpack
from tests.planning.run_folders import run_of, write_run
from tests.records.records_made import (
    DATE,
    FOUND,
    TODAY,
    altered,
    edited,
    one,
    packed,
    planned,
)
from tests.report.report_pages import suite_of

pytestmark = pytest.mark.usefixtures("nothing_published")


def test_a_record_is_all_of_a_run_but_its_weights(tmp_path: Path) -> None:
    job = one(tmp_path)
    for name in ("weights.safetensors", "checkpoint.pt", ".lock", "samples.png", "failure.txt"):
        (job.folder / name).write_bytes(b"x")
    target = tmp_path / "published" / "digits"
    pack([job.folder], [job.folder], target, TODAY)
    (record,) = records_in(target)
    folder = unpack(record, target, tmp_path / "cache")
    left = {"weights.safetensors", "checkpoint.pt", ".lock", "failure.txt"}
    assert {p.name for p in folder.iterdir()} == {p.name for p in job.folder.iterdir()} - left
    for path in folder.iterdir():
        assert path.read_bytes() == (job.folder / path.name).read_bytes()
    assert (record.row, record.seed, record.published) == ("bigan", 0, DATE)
    assert record.identity == job.identity
    assert record.versions == identity.versions_of(job.run)


def test_packing_again_gives_the_same_bytes(tmp_path: Path) -> None:
    jobs = [one(tmp_path), write_run(tmp_path, run_of("gan"), FOUND)]
    target = packed(tmp_path, jobs)
    before = [(target / name).read_bytes() for name in (records.ARCHIVE, records.MANIFEST)]
    packed(tmp_path, jobs[::-1])
    assert before == [(target / n).read_bytes() for n in (records.ARCHIVE, records.MANIFEST)]


def test_a_changed_number_is_refused_by_name(tmp_path: Path) -> None:
    job = one(tmp_path)
    target = packed(tmp_path, [job])
    altered(target, b'"fid_hybrid": 1.0', b'"fid_hybrid": 0.9')
    (record,) = records_in(target)
    with pytest.raises(RecordError, match=f"digits, {record.name}: its digest is not the manifest"):
        unpack(record, target, tmp_path / "cache")
    (job,) = planned(tmp_path, "bigan")
    found = with_published([job], suite_of(), Shelf.of(tmp_path))
    assert (found.jobs, len(found.damaged)) == ([job], 1)  # planned, and without numbers


def test_what_was_unpacked_is_checked_each_time(tmp_path: Path) -> None:
    target = packed(tmp_path, [one(tmp_path)])
    (record,) = records_in(target)
    metrics = unpack(record, target, tmp_path / "cache") / "metrics.json"
    good = metrics.read_bytes()
    metrics.write_bytes(good.replace(b"1.0", b"0.1"))
    assert unpack(record, target, tmp_path / "cache") == metrics.parent
    assert metrics.read_bytes() == good


def refused(tmp_path: Path, folder: Path) -> str:
    """Pack a folder as it is, its digest included, and return why it is not believed."""
    target = tmp_path / "published" / "digits"
    pack([folder], (), target, TODAY)
    (record,) = records_in(target)
    with pytest.raises(RecordError) as caught:
        unpack(record, target, tmp_path / "cache")
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    ("metrics", "said"),
    [
        ({"fid_hybrid": float("nan")}, "fid_hybrid is nan"),
        ({"fid_hybrid": float("inf")}, "fid_hybrid is inf"),
        ({"fid_hybrid": -1.0}, "fid_hybrid is -1.0"),
        ({"fid_hybrid": 10**400}, "fid_hybrid is 1000000"),
        ({"coverage_hybrid": 1.01}, "coverage_hybrid is 1.01"),
        ({"classes_covered": 11.0}, "classes_covered is 11.0"),
        ({"reconstruction_ssim": -1.5}, "reconstruction_ssim is -1.5"),
        ({"fid_hybrid": "1.0"}, "fid_hybrid is 1.0"),
        ({"fid_hybrid": True}, "fid_hybrid is True"),
        ({"fid": 1.0}, "fid is no metric"),
    ],
)
def test_numbers_that_no_run_can_have_are_refused(metrics, said: str, tmp_path: Path) -> None:
    job = write_run(tmp_path, run_of("bigan"), metrics)
    assert said in refused(tmp_path, job.folder)


@pytest.mark.parametrize(
    ("file", "content", "said"),
    [
        ("light.jsonl", '{"step": 50, "fid_hybrid": NaN}\n', "light.jsonl: fid_hybrid is nan"),
        ("light.jsonl", '{"step": 50, "critic/fid_hybrid": -3}\n', "light.jsonl: fid_hybrid is -3"),
        ("light.jsonl", "[1]\n", "light.jsonl cannot be read"),
        ("curve.jsonl", '{"step": 50, "G/fool": Infinity}\n', "curve.jsonl: G/fool is inf"),
        ("curve.jsonl", "[1]\n", "curve.jsonl cannot be read"),
        ("inception.json", '{"rows": {"": {"fid_inception": NaN}}}', "inception.json: fid_incep"),
        ("light.jsonl", '{"step": "x"}\n', "light.jsonl: step is x"),
        ("light.jsonl", '{"step": -5}\n', "light.jsonl: step is -5"),
        ("training.json", "xx", "its files do not say what it is"),
        ("training.json", "[]", "its files do not say what it is"),
        ("training.json", '{"status": "diverged"}', "it diverged, and has metrics"),
        ("training.json", '{"status": "odd"}', "training.json: its status cannot be"),
        ("training.json", '{"status": "trained", "steps": NaN}', "training.json: steps cannot be"),
        ("inception.json", '{"rows": []}', "inception.json"),
        ("inception.json", '{"rows": {"": null}}', "inception.json cannot be read"),
    ],
)
def test_other_files_of_numbers_are_checked_too(
    file: str, content: str, said: str, tmp_path: Path
) -> None:
    folder = one(tmp_path).folder
    (folder / file).write_text(content)
    assert said in refused(tmp_path, folder)


def test_a_truncation_curve_is_checked_too(tmp_path: Path) -> None:
    folder = one(tmp_path).folder
    content = json.loads((folder / "metrics.json").read_text())
    content["curves"] = {"truncation": [{"threshold": 0.5, "fid_hybrid": -54.8}]}
    (folder / "metrics.json").write_text(json.dumps(content))
    assert "metrics.json: fid_hybrid is -54.8" in refused(tmp_path, folder)


def test_a_record_that_the_manifest_does_not_name_is_said(tmp_path: Path) -> None:
    """Publishing again would lose it without a word."""
    target = packed(tmp_path, [one(tmp_path), write_run(tmp_path, run_of("gan"), FOUND)])
    path = target / records.MANIFEST
    content = json.loads(path.read_text())
    gone = content["records"].popitem()[0]
    path.write_text(json.dumps(content))
    assert f"it does not name {gone}" in Shelf.of(tmp_path).problems[0]


def test_a_run_without_any_metric_is_refused(tmp_path: Path) -> None:
    folder = one(tmp_path).folder
    content = json.loads((folder / "metrics.json").read_text()) | {"rows": {}}
    (folder / "metrics.json").write_text(json.dumps(content))
    assert "its rows are not those" in refused(tmp_path, folder)


def test_values_at_the_ends_of_ranges_are_taken(tmp_path: Path) -> None:
    ends = {"fid_hybrid": -1e-9, "coverage_hybrid": 1.0, "kid_hybrid": -0.01}
    target = packed(tmp_path, [write_run(tmp_path, run_of("bigan"), ends)])
    assert unpack(*records_in(target), target, tmp_path / "cache").is_dir()


@pytest.mark.parametrize(
    "changes",
    [
        {"digest": 5},
        {"digest": "0" * 63},
        {"identity": "0" * 64},
        {"published": "yesterday"},
        {"published": 5},
        {"seed": 1},
        {"row": "gan"},
        {"dataset": "cats"},
        {"name": "/etc/bigan/seed0-0123456789"},
        {"name": "digits/../seed0-0123456789"},
        {"name": ""},
        {"more": 1},
        {"evaluation": {}},
        {"evaluation": {"training": "x", "protocol": "2"}},
    ],
    ids=str,
)
def test_a_manifest_that_contradicts_itself_is_named(changes, tmp_path: Path) -> None:
    target = packed(tmp_path, [one(tmp_path)])
    (record,) = records_in(target)
    edited(target, record.name, **changes)
    (problem,) = Shelf.of(tmp_path).problems
    assert "is damaged" in problem
    assert "\n" not in problem


def test_a_record_of_another_run_than_the_manifest_says_is_refused(tmp_path: Path) -> None:
    """Two runs change places, content and digest: every digest fits, and no run is where it was."""
    jobs = [one(tmp_path), write_run(tmp_path, run_of("gan"), FOUND)]
    target = packed(tmp_path, jobs)
    one_, other = records_in(target)
    with zipfile.ZipFile(target / records.ARCHIVE) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    names = {one_.name: other.name, other.name: one_.name}
    with zipfile.ZipFile(target / records.ARCHIVE, "w") as archive:
        for name, content in files.items():
            folder, _, file = name.rpartition("/")
            archive.writestr(f"{names[folder]}/{file}", content)
    edited(target, one_.name, digest=other.digest)
    edited(target, other.name, digest=one_.digest)
    for record in records_in(target):
        with pytest.raises(RecordError, match="its files are of another run"):
            unpack(record, target, tmp_path / "cache")


@pytest.mark.parametrize("name", ["../evil.txt", "sub/a.txt", "weights.safetensors"])
def test_files_that_belong_to_no_record_are_refused(name: str, tmp_path: Path) -> None:
    target = packed(tmp_path, [one(tmp_path)])
    (record,) = records_in(target)
    with zipfile.ZipFile(target / records.ARCHIVE, "a") as archive:
        archive.writestr(f"{record.name}/{name}", b"x")
        inside = [n for n in archive.namelist() if n.startswith(f"{record.name}/")]
        files = {n.removeprefix(f"{record.name}/"): archive.read(n) for n in inside}
    edited(target, record.name, digest=records.digest_of(files))
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(RecordError, match=r"is no file of a record|it does not name"):
        unpack(*records_in(target), target, tmp_path / "cache")
    assert sorted(tmp_path.rglob("*")) == before  # nothing was written anywhere


@pytest.mark.parametrize("at", [0.2, 0.5, 0.9])
def test_flipped_bits_are_named(at: float, tmp_path: Path) -> None:
    target = packed(tmp_path, [one(tmp_path)])
    content = bytearray((target / records.ARCHIVE).read_bytes())
    place = int(at * len(content))
    content[place : place + 20] = bytes(255 - byte for byte in content[place : place + 20])
    (target / records.ARCHIVE).write_bytes(content)
    with pytest.raises(RecordError):
        unpack(*records_in(target), target, tmp_path / "cache")


def test_a_good_copy_stands_for_a_damaged_one(tmp_path: Path) -> None:
    job = one(tmp_path)
    altered(packed(tmp_path, [job], "a"), b'"fid_hybrid": 1.0', b'"fid_hybrid": 0.9')
    packed(tmp_path, [job], "b")
    found = with_published(planned(tmp_path, "bigan"), suite_of(), Shelf.of(tmp_path))
    assert [job.published for job in found.jobs] == [DATE]
    assert len(found.damaged) == 1


@pytest.mark.parametrize("metric", METRICS.values(), ids=lambda metric: metric.name)
def test_every_range_has_ends_in_order(metric) -> None:
    low, high = bounds(metric, 10)
    assert low < high
    assert ("inf" in metric.range) or ("around" in metric.range) or abs(low) < 1e9


@pytest.mark.parametrize(
    ("content", "said"),
    [('{"schema": 99, "records": {}}', "schema 99"), ("{", "is damaged"), ("[]", "is damaged"),
     ('{"schema": 1, "records": {"a/b/seed0-1": {"x": 1}}}', "is damaged"),
     ('{"schema": 1, "records": 5}', "is damaged")],
)  # fmt: skip
def test_a_manifest_of_another_schema_is_named(content: str, said: str, tmp_path: Path) -> None:
    target = packed(tmp_path, [one(tmp_path)])
    (target / records.MANIFEST).write_text(content)
    shelf = Shelf.of(tmp_path)
    assert said in shelf.problems[0]
    found = with_published(planned(tmp_path, "bigan"), suite_of(), shelf)
    assert found.damaged == shelf.problems


def test_a_damaged_archive_is_named(tmp_path: Path) -> None:
    target = packed(tmp_path, [one(tmp_path)])
    (target / records.ARCHIVE).write_bytes(b"no archive")
    (record,) = records_in(target)
    with pytest.raises(RecordError, match=r"records\.zip cannot be read"):
        unpack(record, target, tmp_path / "cache")
