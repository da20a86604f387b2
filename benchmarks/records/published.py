"""What is published, and which of it stands for the runs of a plan, or does not, and why."""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from benchmarks.common.files import ROOT, read_json, whole
from benchmarks.planning.config import Suite
from benchmarks.planning.outdated import differing
from benchmarks.planning.plan import ENDED, Job, controls_folder, controls_job, is_evaluated, state
from benchmarks.records.record import MANIFEST, PUBLISHED, Record, RecordError, records_in, unpack


class Shelf:
    """What is published: records of every suite, found by what they are of.

    Args:
        folders: of published suites.
        cache: where records are unpacked.

    Attributes:
        problems: a line for each manifest that cannot be read.

    """

    def __init__(self, folders: Iterable[Path], cache: Path) -> None:
        self.cache = cache
        self.problems: list[str] = []
        self.records: list[tuple[Record, Path]] = []
        for folder in folders:
            try:
                self.records += [(record, folder) for record in records_in(folder)]
            except RecordError as error:
                self.problems.append(str(error))

    @classmethod
    def of(cls, results: Path) -> "Shelf":
        """Return what a results folder has published, then what this checkout has."""
        roots = dict.fromkeys((root / PUBLISHED).resolve() for root in (results, ROOT / "results"))
        manifests = [path for root in roots for path in sorted(root.glob(f"[!.]*/{MANIFEST}"))]
        return cls([path.parent for path in manifests], results / "cache")

    def unpacked(
        self, identity: str, evaluation: Mapping[str, str], complaints: list[str]
    ) -> tuple[Record, Path] | None:
        """Return the first record of a training and its evaluation that can be believed.

        Args:
            identity: of the training.
            evaluation: what its metrics must say of themselves; a diverged run has none.
            complaints: takes a line for each record that fits and cannot be believed.

        """
        for record, folder in self.records:
            if record.identity == identity and record.evaluation in (None, dict(evaluation)):
                try:
                    return record, unpack(record, folder, self.cache)
                except RecordError as error:
                    complaints.append(str(error))
        return None

    def near(self, row: str, seed: int, suite: str) -> tuple[Record, Path] | None:
        """Return the record of a suite's row and seed, whether it fits or not."""
        for record, folder in self.records:
            if (record.row, record.seed, folder.name) == (row, seed, suite):
                return record, folder
        return None


@dataclass(frozen=True)
class Found:
    """What a plan has of published runs.

    Attributes:
        jobs: runs that are done here, published runs that fit, those to be trained, and those whose
            record cannot be believed: they are planned, and have no numbers.
        left_out: a line for the runs of each row that no published run stands for, and why.
        damaged: a line for each manifest and record that cannot be believed.

    """

    jobs: list[Job] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    damaged: list[str] = field(default_factory=list)


def with_published(
    jobs: Iterable[Job], suite: Suite, shelf: Shelf, own: Collection[str] = ()
) -> Found:
    """Put published runs in the place of those that are not done here.

    Args:
        jobs: the runs of a plan.
        suite: the suite they are of.
        shelf: what is published.
        own: rows that the user brings, which are trained where they are not done.

    """
    damaged = list(shelf.problems)
    found: list[Job] = []
    without: dict[tuple[str, str], list[int]] = {}
    for job in jobs:
        complaints: list[str] = []
        published = None
        if state(job) not in ENDED:
            published = shelf.unpacked(job.identity, job.evaluation_identity, complaints)
        damaged += complaints
        if published is not None:
            record, folder = published
            found.append(replace(job, folder=folder, published=record.published))
        elif state(job) in ENDED or job.run.row in own or complaints:
            found.append(job)
        else:
            why = _why_not(job, shelf, suite)
            without.setdefault((job.run.row, why), []).append(job.run.seed)
    controls = controls_job(suite, Path())
    shelf.unpacked(controls.identity, controls.evaluation_identity, damaged)
    left_out = [] if shelf.problems else _in_lines(without)  # what cannot be read may hold them
    return Found(found, left_out, list(dict.fromkeys(damaged)))


def _in_lines(without: dict[tuple[str, str], list[int]]) -> list[str]:
    """Return a line for each row and reason, with its seeds."""
    return [
        f"{row} seed{'s' * (len(seeds) > 1)} {', '.join(map(str, seeds))}: {why}"
        for (row, why), seeds in without.items()
    ]


def _why_not(job: Job, shelf: Shelf, suite: Suite) -> str:
    """Say why no published run stands for one of the plan."""
    near = shelf.near(job.run.row, job.run.seed, suite.name)
    if near is None:
        return "not published"
    record, folder = near
    if record.evaluation is not None:
        now = job.evaluation_identity
        old = {str(name): value for name, value in record.evaluation.items()}
        gone = [name for name in ("protocol", "extractor") if old[name] != now[name]]
        if gone:
            said = "; ".join(f"{name} is now {now[name]}, not {old[name]}" for name in gone)
            return f"the published run no longer fits: {said}"
    try:
        config = read_json(unpack(record, folder, shelf.cache) / "config.json") or {}
    except RecordError as error:
        return str(error)
    return f"the published run no longer fits: {'; '.join(differing(job.run, config))}"


def take_controls(suite: Suite, results: Path, shelf: Shelf) -> Record | None:
    """Copy the published control rows of a suite into the results, if none are there that fit.

    They depend on the data, the protocol and the networks alone, so nobody need wait for them.

    Returns:
        The record that was taken; None if none fits, or none was needed.

    Raises:
        RecordError: none of the records that fit can be believed.

    """
    job, target = controls_job(suite, results), controls_folder(suite, results)
    if is_evaluated(replace(job, folder=target)):
        return None
    complaints: list[str] = []
    found = shelf.unpacked(job.identity, job.evaluation_identity, complaints)
    if found is None:
        if complaints:
            raise RecordError("; ".join(complaints))
        return None
    record, source = found
    for file in sorted(source.iterdir()):  # metrics.json, which makes them count, comes last
        with whole(target / file.name) as draft:
            draft.write_bytes(file.read_bytes())
    return record


def say_controls_taken(suite: Suite, results: Path, say: Callable[[str], None]) -> None:
    """Take the published control rows of a suite where they fit, and say so."""
    try:
        if taken := take_controls(suite, results, Shelf.of(results)):
            say(f"control rows: those published on {taken.published}, commit {taken.commit[:10]}")
    except RecordError as error:
        say(f"control rows: the published ones are left out: {error}")
