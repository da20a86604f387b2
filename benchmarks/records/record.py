"""Records: all of a run but weights and checkpoints, packed with digests and checked when read.

`results/published/<suite>/` holds an archive of records and a manifest that says of each what it is
of and the SHA-256 of its content. A record that is read is unpacked into a folder that looks like a
run's own, so that reports are made from records by the same code as from run folders.
"""

import hashlib
import json
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from fnmatch import fnmatch
from pathlib import Path
from typing import Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from benchmarks.common.files import whole, write_json
from benchmarks.records.plausible import faults, is_loss
from datasets.registry import DATASETS

SCHEMA = 1
"""Of manifests and of what a record holds."""
PUBLISHED, ARCHIVE, MANIFEST = "published", "records.zip", "manifest.json"
RUN, CONTROLS = "config.json", "controls.json"
"""What a record of a run, and one of control rows, says of itself."""
TEXTS = (
    *(RUN, CONTROLS, "environment.json", "training.json", "metrics.json"),
    *("inception.json", "curve.jsonl", "light.jsonl"),
)
PICTURES = ("*.png", "*.npz")
EPOCH = (1980, 1, 1, 0, 0, 0)
"""The date of every file in an archive, so that the same records make the same bytes."""
UNREADABLE = (
    OSError,
    zipfile.BadZipFile,
    zlib.error,
    ValueError,
    NotImplementedError,
    RuntimeError,
)
"""What reading a damaged archive raises."""
MALFORMED = (ValueError, KeyError, TypeError, AttributeError, RecursionError)
"""What reading text raises that is not what it should be."""
EvaluationKey = Literal["training", "protocol", "extractor"]
SHA256 = r"^[0-9a-f]{64}$"


class RecordError(Exception):
    """A record that cannot be used; the message names it and says why, in one line."""


class Record(BaseModel):
    """A published run, or the control rows of a dataset and its networks: a manifest's line.

    Attributes:
        name: <dataset>/<row>/seed<n>-<identity>, or <dataset>/controls-<identity>.
        dataset, row, seed: of the run; no row and no seed of controls.
        identity: of the training.
        evaluation: training identity, protocol and extractor, as its metrics.json says them; None
            of a run that diverged.
        digest: SHA-256 of its files.
        published: the date.
        commit: of the code that trained it.
        versions: numerics versions of what trained it.

    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    name: str = Field(pattern=r"^\w+/(\w[\w.-]*/seed\d+|controls)-[0-9a-f]{10}$")
    dataset: str
    row: str | None
    seed: int | None
    identity: str = Field(pattern=SHA256)
    evaluation: dict[EvaluationKey, str] | None
    digest: str = Field(pattern=SHA256)
    published: str
    commit: str
    versions: dict[str, int | str]

    def model_post_init(self, context: Any) -> None:
        """Check what a pattern cannot."""
        date.fromisoformat(self.published)
        if self.evaluation is not None and len(self.evaluation) < len(get_args(EvaluationKey)):
            raise ValueError("its evaluation is not whole")
        place = self.dataset if self.row is None else f"{self.dataset}/{self.row}"
        run = "controls" if self.row is None else f"seed{self.seed}"
        if self.name != f"{place}/{run}-{self.identity[:10]}" or self.dataset not in DATASETS:
            raise ValueError(f"{self.name} is not the name of what it says it is")


def pack(folders: Iterable[Path], pictured: Iterable[Path], target: Path, today: date) -> None:
    """Write the archive and the manifest of some runs.

    Args:
        folders: of ended runs and of control rows.
        pictured: those that keep their pictures; a report shows one run of each row.
        target: the folder to write them to.
        today: the date of publication.

    """
    records, pictured = {}, set(pictured)
    packed = []
    for folder in folders:
        files = _files(folder, folder in pictured)
        packed.append((_record(files, today), files))
    packed.sort(key=lambda one: one[0].name)
    with whole(target / ARCHIVE) as draft, zipfile.ZipFile(draft, "w") as archive:
        for record, files in packed:
            for file, content in sorted(files.items()):
                info = zipfile.ZipInfo(f"{record.name}/{file}", EPOCH)
                info.compress_type = zipfile.ZIP_DEFLATED
                archive.writestr(info, content, compresslevel=9)
            records[record.name] = record.model_dump(mode="json", exclude={"name"})
    write_json(target / MANIFEST, {"schema": SCHEMA, "records": records})


def records_in(folder: Path) -> list[Record]:
    """Return what the manifest of a published suite lists; nothing if there is none.

    Raises:
        RecordError: the manifest is damaged or of another schema.

    """
    path = folder / MANIFEST
    if not path.exists():
        return []
    try:
        content = json.loads(path.read_text())
        if content["schema"] != SCHEMA:
            raise RecordError(f"{path}: schema {content['schema']}, and this code reads {SCHEMA}")
        records = [Record(**{**own, "name": name}) for name, own in content["records"].items()]
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "a record"
        raise RecordError(f"{path} is damaged: {where}: {first['msg']}") from error
    except (*MALFORMED, OSError) as error:
        raise RecordError(f"{path} is damaged ({error})") from error
    if unnamed := _in_archive(folder / ARCHIVE) - {record.name for record in records}:
        raise RecordError(f"{path} is damaged: it does not name {min(unnamed)}")
    return records


def _in_archive(archive: Path) -> set[str]:
    """Return the names of an archive's records; nothing if it cannot be read, as `unpack` says."""
    try:
        with zipfile.ZipFile(archive) as opened:
            return {name.rpartition("/")[0] for name in opened.namelist()}
    except UNREADABLE:
        return set()


def unpack(record: Record, folder: Path, cache: Path) -> Path:
    """Return a folder with a record's files, like a run's, after checking digest and numbers.

    Args:
        record: which.
        folder: results/published/<suite>, where its archive is.
        cache: where to unpack; what is there already is used if it still has the digest.

    Raises:
        RecordError: the archive has no such record, its digest does not match, its files are not
            those of what the manifest says, or it holds numbers that no run can have.

    """
    target = cache / PUBLISHED / record.digest[:16] / record.name
    files = _present(target)
    if digest_of(files) != record.digest:
        files = _from_archive(record, folder / ARCHIVE)
        _check(record, files, folder)
        for file, content in files.items():
            with whole(target / file) as draft:
                draft.write_bytes(content)
    else:
        _check(record, files, folder)
    return target


def digest_of(files: Mapping[str, bytes]) -> str:
    """Return the SHA-256 over names and contents of files, in the order of the names."""
    sha = hashlib.sha256()
    for name, content in sorted(files.items()):
        sha.update(f"{name} {hashlib.sha256(content).hexdigest()}\n".encode())
    return sha.hexdigest()


def _files(folder: Path, with_pictures: bool) -> dict[str, bytes]:
    paths = [folder / name for name in TEXTS if (folder / name).exists()]
    if with_pictures:
        paths += [path for pattern in PICTURES for path in folder.glob(pattern)]
    return {path.name: path.read_bytes() for path in paths}


def _present(folder: Path) -> dict[str, bytes]:
    if not folder.is_dir():
        return {}
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def _record(files: Mapping[str, bytes], today: date) -> Record:
    """Return what the manifest says of a run's files."""

    def read(file: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(files.get(file, b"{}"))
        return found

    about = read(CONTROLS if CONTROLS in files else RUN)
    run, identity = about["run"], about["identity"]
    row, seed = (None, None) if CONTROLS in files else (run["row"], run["seed"])
    place = f"{run['dataset']}/controls" if row is None else f"{run['dataset']}/{row}/seed{seed}"
    return Record(
        name=f"{place}-{identity[:10]}",
        dataset=run["dataset"],
        row=row,
        seed=seed,
        identity=identity,
        evaluation=read("metrics.json").get("identity"),
        digest=digest_of(files),
        published=today.isoformat(),
        commit=str(read("environment.json").get("commit")),
        versions=about["versions"],
    )


def _from_archive(record: Record, archive: Path) -> dict[str, bytes]:
    """Read a record's files, whose digest is that of the manifest.

    Raises:
        RecordError: they are not there, or not what the manifest says.

    """
    prefix = f"{record.name}/"
    try:
        with zipfile.ZipFile(archive) as opened:
            names = [name for name in opened.namelist() if name.startswith(prefix)]
            files = {name.removeprefix(prefix): opened.read(name) for name in names}
    except UNREADABLE as error:
        raise RecordError(
            f"{_called(record, archive.parent)}: {archive.name} cannot be read ({error})"
        ) from error
    if digest_of(files) != record.digest:
        raise RecordError(f"{_called(record, archive.parent)}: its digest is not the manifest's")
    return files


def _check(record: Record, files: Mapping[str, bytes], folder: Path) -> None:
    """Hold a record's files to what the manifest says they are, and its numbers to their ranges.

    Raises:
        RecordError: they are not, or they are not.

    """
    for fault in [*_unlike(record, files), *faults(files, record.dataset)]:
        raise RecordError(f"{_called(record, folder)}: {fault}")


def _unlike(record: Record, files: Mapping[str, bytes]) -> Iterator[str]:
    """Say in what some files are not the record that a manifest names."""
    for name in files:
        if not (name in TEXTS or any(fnmatch(name, own) for own in PICTURES)) or "/" in name:
            yield f"{name} is no file of a record"
    try:
        now = _record(files, date.fromisoformat(record.published))
        diverged = record.row is not None and _training(files)["status"] == "diverged"
    except MALFORMED as error:
        yield f"its files do not say what it is ({error})"
        return
    if now != record:
        yield "its files are of another run than the manifest says"
    if diverged != (record.evaluation is None):
        yield "it diverged, and has metrics" if diverged else "it has no metrics"


def _training(files: Mapping[str, bytes]) -> dict[str, Any]:
    """Return what a run's training.json says, if it can be what a training wrote.

    Raises:
        ValueError: it cannot.

    """
    found: dict[str, Any] = json.loads(files["training.json"])
    odd = [name for name, value in found.items() if not (isinstance(value, str) or is_loss(value))]
    if found["status"] not in ("trained", "diverged") or odd:
        raise ValueError(f"training.json: {', '.join(odd) or 'its status'} cannot be")
    return found


def _called(record: Record, folder: Path) -> str:
    return f"{folder.name}, {record.name}"
