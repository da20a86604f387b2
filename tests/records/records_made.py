"""Published records made by hand, and what may happen to them."""

import json
import zipfile
from datetime import date
from pathlib import Path

from benchmarks.planning import plan, suites
from benchmarks.planning.plan import Job
from benchmarks.records import record
from benchmarks.records.record import pack
from tests.planning.run_folders import run_of, write_run

TODAY = date(2020, 2, 2)
DATE = "2020-02-02"
FOUND = {"fid_hybrid": 1.0, "coverage_hybrid": 0.5}


def packed(results: Path, jobs: list[Job], suite: str = "digits") -> Path:
    target = results / "published" / suite
    pack([job.folder for job in jobs], (), target, TODAY)
    return target


def one(results: Path) -> Job:
    return write_run(results, run_of("bigan"), FOUND)


def planned(results: Path, *rows: str, seeds: int = 1) -> list[Job]:
    suite = suites.override(suites.load_suite("digits"), [], list(rows))
    return plan.jobs(suite, results / "elsewhere", range(seeds))


def altered(target: Path, old: bytes, new: bytes) -> None:
    """Change what an archive holds, checksums of the archive included."""
    with zipfile.ZipFile(target / record.ARCHIVE) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    assert any(old in content for content in files.values())
    with zipfile.ZipFile(target / record.ARCHIVE, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content.replace(old, new))


def edited(target: Path, old: str, **changes: object) -> None:
    """Change a manifest's line of one record."""
    path = target / record.MANIFEST
    content = json.loads(path.read_text())
    line = content["records"].pop(old) | changes
    content["records"][line.pop("name", old)] = line
    path.write_text(json.dumps(content))
