"""Records: all of a run but weights and checkpoints, packed with digests and checked when read.

`results/published/<suite>/` holds an archive of records and a manifest that says of each what it is
of and the SHA-256 of its content. A record that is read is unpacked into a folder that looks like a
run's own, so that reports are made from records by the same code as from run folders.
"""

import hashlib
import json
import math
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks.evaluation.registry import METRICS, bounds
from benchmarks.files import read_json, whole, write_json
from benchmarks.identity import ROOT
from datasets.registry import DATASETS

SCHEMA = 1
"""Of manifests and of what a record holds."""
PUBLISHED, ARCHIVE, MANIFEST = "published", "records.zip", "manifest.json"
TEXTS = (
    *("config.json", "controls.json", "environment.json", "training.json", "metrics.json"),
    *("inception.json", "curve.jsonl", "light.jsonl"),
)
PICTURES = ("*.png", "*.npz")
EPOCH = (1980, 1, 1, 0, 0, 0)
"""The date of every file in an archive, so that the same records make the same bytes."""
SLACK = 1e-6
"""How far rounding may carry a metric out of its range."""


class RecordError(Exception):
    """A record that cannot be used; the message names it and says why, in one line."""


@dataclass(frozen=True)
class Record:
    """A published run, or the control rows of a dataset and its networks.

    Attributes:
        name: <dataset>/<row>/seed<n>-<identity>, or <dataset>/controls-<identity>.
        evaluation: training identity, protocol and extractor, as its metrics.json says them; None
            of a run that diverged.
        identity: of the training.
        digest: SHA-256 of its files.
        date: on which it was published, ISO 8601.
        commit: of the code that trained it.
        versions: numerics versions of what trained it.

    """

    name: str
    identity: str
    evaluation: dict[str, str] | None
    digest: str
    date: str
    commit: str
    versions: dict[str, int | str]

    @property
    def where(self) -> tuple[str, int | None]:
        """Its row and seed, by which the runs of one plan are told apart; None of controls."""
        *_, row, run = ("", *Path(self.name).parts)
        return (row, int(run[4:].split("-")[0])) if run.startswith("seed") else (run, None)


def pack(folders: Mapping[str, Path], pictured: Iterable[str], target: Path, date: str) -> None:
    """Write the archive and the manifest of some runs.

    Args:
        folders: record's name -> the folder of an ended run or of control rows.
        pictured: the names of those that keep their pictures; a report shows one run of each row.
        target: results/published/<suite>.
        date: of records that are not in the target's manifest yet.

    """
    before = {record.name: record for record in records_in(target)}
    records, pictured = {}, set(pictured)
    with whole(target / ARCHIVE) as draft, zipfile.ZipFile(draft, "w") as archive:
        for name, folder in sorted(folders.items()):
            files = _files(folder, name in pictured)
            for file, content in files.items():
                info = zipfile.ZipInfo(f"{name}/{file}", EPOCH)
                info.compress_type = zipfile.ZIP_DEFLATED
                archive.writestr(info, content, compresslevel=9)
            record = _record(name, files, date)
            old = before.get(name)
            same = old is not None and old.digest == record["digest"]
            records[name] = record | ({"date": old.date} if same and old else {})
    write_json(target / MANIFEST, {"schema": SCHEMA, "records": records})


def records_in(folder: Path) -> list[Record]:
    """Return what the manifest of a published suite lists; nothing if there is none.

    Raises:
        RecordError: the manifest is damaged or of another schema.

    """
    path = folder / MANIFEST
    if not path.exists():
        return []
    content = read_json(path) or {}
    if content.get("schema") != SCHEMA:
        raise RecordError(
            f"{path}: schema {content.get('schema')}, and this code reads {SCHEMA}; publish again"
        )
    try:
        return [Record(**{"name": name, **own}) for name, own in content["records"].items()]
    except (KeyError, TypeError, AttributeError) as error:
        raise RecordError(f"{path} is damaged ({error}); check it out again") from error


def unpack(record: Record, folder: Path, cache: Path) -> Path:
    """Return a folder with a record's files, like a run's, after checking digest and numbers.

    Args:
        record: which.
        folder: results/published/<suite>, where its archive is.
        cache: where to unpack; what is there already is used if it still has the digest.

    Raises:
        RecordError: the archive has no such record, its digest does not match, or it holds numbers
            that are not finite or out of a metric's range.

    """
    target = cache / PUBLISHED / record.digest[:16] / record.name
    if not (target.is_dir() and digest_of(_present(target)) == record.digest):
        files = _from_archive(record, folder / ARCHIVE)
        for file, content in files.items():
            with whole(target / file) as draft:
                draft.write_bytes(content)
    dataset = Path(record.name).parts[0]
    for line in implausible(read_json(target / "metrics.json") or {}, dataset):
        raise RecordError(f"{folder.name}, {record.name}: {line}")
    return target


def digest_of(files: Mapping[str, bytes]) -> str:
    """Return the SHA-256 over names and contents of files, in the order of the names."""
    sha = hashlib.sha256()
    for name, content in sorted(files.items()):
        sha.update(f"{name} {hashlib.sha256(content).hexdigest()}\n".encode())
    return sha.hexdigest()


def implausible(metrics: Mapping[str, Any], dataset: str) -> list[str]:
    """Return a line for each number of a metrics.json that no evaluation can have given."""
    said = []
    for row, values in metrics.get("rows", {}).items():
        for own in values if isinstance(values, list) else [values]:
            for name, value in own.items():
                if name not in METRICS:
                    said.append(f"{row or 'run'}: {name} is no metric")
                elif not _is_plausible(name, value, dataset):
                    said.append(f"{row or 'run'}: {name} is {value!r}, which no run can have")
    return said


def _is_plausible(name: str, value: Any, dataset: str) -> bool:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        return False
    low, high = bounds(METRICS[name], DATASETS[dataset].classes)
    return low - SLACK <= value <= high + SLACK


def _files(folder: Path, with_pictures: bool) -> dict[str, bytes]:
    paths = [folder / name for name in TEXTS if (folder / name).exists()]
    if with_pictures:
        paths += [path for pattern in PICTURES for path in folder.glob(pattern)]
    return {path.name: path.read_bytes() for path in paths}


def _present(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def _record(name: str, files: Mapping[str, bytes], date: str) -> dict[str, Any]:
    """Return what the manifest says of a record."""

    def read(file: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(files.get(file, b"{}"))
        return found

    recipe = read("controls.json") if "controls.json" in files else read("config.json")
    record = Record(
        name=name,
        identity=recipe["identity"],
        evaluation=read("metrics.json").get("identity"),
        digest=digest_of(files),
        date=date,
        commit=str(read("environment.json").get("commit")),
        versions=recipe["versions"],
    )
    return {key: value for key, value in asdict(record).items() if key != "name"}


def _from_archive(record: Record, archive: Path) -> dict[str, bytes]:
    """Read a record's files, checked.

    Raises:
        RecordError: they are not there, or not what the manifest says.

    """
    prefix = f"{record.name}/"
    try:
        with zipfile.ZipFile(archive) as opened:
            names = [name for name in opened.namelist() if name.startswith(prefix)]
            files = {name.removeprefix(prefix): opened.read(name) for name in names}
    except (OSError, zipfile.BadZipFile, ValueError) as error:
        raise RecordError(f"{archive} cannot be read ({error}); check it out again") from error
    if not files or digest_of(files) != record.digest:
        raise RecordError(
            f"{archive.parent.name}, {record.name}: its digest is not that of the manifest"
        )
    return files


class Shelf:
    """What is published: records of every suite, found by what they are of.

    Args:
        results: the results folder of a command; its published records come first, then those of
            this checkout.

    Attributes:
        problems: a line for each manifest that cannot be read.

    """

    def __init__(self, results: Path) -> None:
        self.cache = results / "cache"
        self.problems: list[str] = []
        self.records: list[tuple[Record, Path]] = []
        roots = dict.fromkeys((r / PUBLISHED).resolve() for r in (results, ROOT / "results"))
        for manifest in [path for root in roots for path in sorted(root.glob(f"*/{MANIFEST}"))]:
            try:
                self.records += [(one, manifest.parent) for one in records_in(manifest.parent)]
            except RecordError as error:
                self.problems.append(str(error))

    def find(self, identity: str, evaluation: Mapping[str, str]) -> tuple[Record, Path] | None:
        """Return the record of a training and its evaluation, if one fits; a diverged run's does.

        The numbers of one that is found are still to be checked: `unpack` does.
        """
        for record, folder in self.records:
            if record.identity == identity and record.evaluation in (None, dict(evaluation)):
                return record, folder
        return None

    def near(self, row: str, seed: int, suite: str) -> tuple[Record, Path] | None:
        """Return the record of a suite's row and seed, whether it fits or not."""
        for record, folder in self.records:
            if record.where == (row, seed) and folder.name == suite:
                return record, folder
        return None
