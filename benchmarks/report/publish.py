"""Publish a suite's runs: records, tables and pictures under results/published/<suite>/.

python -m benchmarks.report.publish digits
python -m benchmarks.report.publish mnist --short --pictures forest,learning
python -m benchmarks.report.publish digits-all --models
"""

import hashlib
import shutil
import sys
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer

from benchmarks.common.errors import UserError
from benchmarks.common.files import read_json, whole, write_json, write_text
from benchmarks.planning.config import Suite
from benchmarks.planning.plan import Job, controls_folder, jobs
from benchmarks.planning.suites import load_suite, shortened
from benchmarks.records.published import Shelf, take_controls, with_published
from benchmarks.records.record import MANIFEST, PUBLISHED, SCHEMA, RecordError, pack
from benchmarks.report.build import drawn_in, write_report
from benchmarks.report.data import frame
from benchmarks.report.data.contents import Contents, gather
from benchmarks.report.formats import markdown, report_json

TABLES = ("table.csv", "table.tex")
SHOWN = "overview,tradeoff,forest,learning,samples,reconstructions,points"
MODELS = "models"
MODEL = ("config.json", "environment.json", "training.json", "metrics.json")
WEIGHTS = ("weights", "statistics", "weights_average", "statistics_average")
MOST_MB = 4.0
"""What one suite may cost everybody who clones the project."""


def publish(suite: Suite, command: str, pictures: Collection[str], results: Path) -> Path:
    """Publish what is finished of a suite and return the folder; the rest is said in its report.

    What is published already and still fits stays, also where its run folders are gone. The folder
    is replaced whole at the end.

    Args:
        suite: whose runs.
        command: the command that makes them, for the report.
        pictures: which of the report's pictures to keep, by name or group ("forest").
        results: where the run folders are, and where `published` is written.

    Raises:
        UserError: nothing is finished, or a run was made with uncommitted changes.
        RecordError: a record of this suite's runs cannot be believed.

    """
    shelf, target = Shelf.of(results), results / PUBLISHED / suite.name
    take_controls(suite, results, shelf)
    found = with_published(jobs(suite, results, range(suite.seeds)), suite, shelf)
    for line in found.damaged:
        raise RecordError(line)
    if not found.jobs:
        raise UserError(f"no run of {suite.name} in {results} is finished; train it first")
    folders = [job.folder for job in found.jobs]
    controls = controls_folder(suite, results)
    folders += [controls] * (controls / "metrics.json").exists()
    _refuse_uncommitted(folders)
    with _replaced(target) as draft:
        pack(folders, _pictured(found.jobs), draft, date.today())
        contents = _of_records(suite, command, draft, results)
        _write(contents, write_report(contents, results), draft, pictures)
    return target


@contextmanager
def _replaced(target: Path) -> Iterator[Path]:
    """Yield an empty folder that takes the place of another when the block ends without error."""
    draft, old = (target.with_name(f".{target.name}.{word}") for word in ("draft", "old"))
    for left in (draft, old):
        shutil.rmtree(left, ignore_errors=True)
    draft.mkdir(parents=True)
    try:
        yield draft
        if target.exists():
            target.rename(old)
        draft.rename(target)
    finally:
        for left in (draft, old):
            shutil.rmtree(left, ignore_errors=True)


def publish_models(suite: Suite, results: Path) -> Path:
    """Publish the first seed of every row as a model that `zoo.load` finds by its name.

    Raises:
        UserError: no such run is trained.

    """
    target = results / PUBLISHED / MODELS / suite.dataset
    for job in jobs(suite, results, [0]):
        if not (job.folder / "weights.safetensors").exists():
            raise UserError(f"{job.label} has no weights in {job.folder}; train {suite.name} first")
        _refuse_uncommitted([job.folder])
        own, names = target / job.run.row, [*MODEL, *(f"{name}.safetensors" for name in WEIGHTS)]
        files = {n: (job.folder / n).read_bytes() for n in names if (job.folder / n).exists()}
        for name, content in files.items():
            with whole(own / name) as draft:
                draft.write_bytes(content)
        digests = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
        write_json(own / MANIFEST, {"schema": SCHEMA, "files": digests})
    return target


def _pictured(there: Iterable[Job]) -> set[Path]:
    """Return the folders that keep their pictures: the first run of each row, as reports show."""
    first: dict[str, Path] = {}
    for job in there:
        if (job.folder / "metrics.json").exists():
            first.setdefault(job.run.row, job.folder)
    return set(first.values())


def _refuse_uncommitted(folders: Iterable[Path]) -> None:
    for folder in folders:
        environment = read_json(folder / "environment.json") or {}
        if environment.get("dirty") or not environment.get("commit"):
            raise UserError(
                f"{folder}: made with uncommitted changes, so no commit gives its numbers; "
                "commit, and run it again"
            )


def _of_records(suite: Suite, command: str, published: Path, results: Path) -> Contents:
    """Gather a report from the records alone, as a reader of the published runs does."""
    shelf = Shelf([published], results / "cache")
    with TemporaryDirectory() as empty:
        planned = jobs(suite, Path(empty), range(suite.seeds))
        found = with_published(planned, suite, shelf, own={job.run.row for job in planned})
        take_controls(suite, Path(empty), shelf)
        controls = frame.controls_frame(suite, Path(empty))
        return gather(suite, found.jobs, controls, command)


def _write(contents: Contents, report: Path, target: Path, pictures: Collection[str]) -> None:
    """Copy a report's tables and some of its pictures; the page is made from the records."""
    drawn = {
        name: what
        for name, what in drawn_in(report).items()
        if name in pictures or name.partition("_")[0] in pictures
    }
    for file in [*TABLES, *(f"{name}.png" for name in drawn)]:
        shutil.copyfile(report / file, target / file)
    write_text(target / "table.md", markdown.page(contents, drawn))
    write_json(target / "report.json", report_json.content(contents, drawn))


def main(
    name: Annotated[str, typer.Argument(help="A suite's name.")],
    short: Annotated[bool, typer.Option("--short", help="The suite's short form.")] = False,
    models: Annotated[
        bool, typer.Option("--models", help="Publish the trained models of seed 0 instead.")
    ] = False,
    pictures: Annotated[
        str, typer.Option(help="Comma-separated pictures to keep, by name or group.")
    ] = SHOWN,
    results: Annotated[Path, typer.Option(help="Folder of runs and reports.")] = Path("results"),
) -> None:
    """Publish the finished runs of a suite."""
    try:
        suite = shortened(load_suite(name)) if short else load_suite(name)
        if models:
            target = publish_models(suite, results)
        else:
            command = f"python run_all.py --suite {name}" + " --short" * short
            target = publish(suite, command, pictures.split(","), results)
    except (UserError, RecordError) as error:
        print(f"error: {error}", file=sys.stderr)
        raise typer.Exit(2) from error
    size = sum(path.stat().st_size for path in target.rglob("*") if path.is_file()) / 1e6
    print(f"{target}: {size:.2f} MB")
    if size > MOST_MB:
        print(f"error: more than {MOST_MB:g} MB; keep fewer --pictures", file=sys.stderr)
        raise typer.Exit(1)


if __name__ == "__main__":
    typer.run(main)
