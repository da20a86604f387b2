"""Published runs in the place of one's own: which fit a plan, and why the others do not."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

from benchmarks.config import Suite
from benchmarks.evaluation.protocol import PROTOCOLS, VERSION
from benchmarks.files import read_json, whole
from benchmarks.nearest import differing
from benchmarks.plan import ENDED, Job, controls_folder, controls_job, is_evaluated, state
from benchmarks.records import Record, RecordError, Shelf, unpack


@dataclass(frozen=True)
class Found:
    """What a plan has of published runs.

    Attributes:
        jobs: runs that are done here, published runs that fit, and those to be trained.
        left_out: a line for the runs of each row that no published run stands for, and why.
        damaged: a line for each record that cannot be believed.

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
    found = Found(damaged=list(shelf.problems))
    without: dict[tuple[str, str], list[int]] = {}
    for job in jobs:
        if state(job) in ENDED:
            found.jobs.append(job)
            continue
        record = shelf.find(job.identity, job.evaluation_identity)
        if record is not None:
            try:
                folder = unpack(*record, shelf.cache)
                found.jobs.append(replace(job, folder=folder, published=record[0].date))
            except RecordError as error:
                found.damaged.append(str(error))
        elif job.run.row in own:
            found.jobs.append(job)
        else:
            why = _why_not(job, shelf, suite)
            without.setdefault((job.run.row, why), []).append(job.run.seed)
    for (row, why), seeds in without.items():
        said = ", ".join(map(str, seeds))
        found.left_out.append(f"{row} seed{'s' * (len(seeds) > 1)} {said}: {why}")
    return found


def _why_not(job: Job, shelf: Shelf, suite: Suite) -> str:
    """Say why no published run stands for one of the plan."""
    near = shelf.near(job.run.row, job.run.seed, suite.name)
    if near is None:
        return "not published"
    record, folder = near
    if record.evaluation is not None:
        extractor = PROTOCOLS[job.run.dataset].extractor
        now = {"protocol": VERSION, "extractor": extractor}
        old = [
            f"{name} is now {value}, not {record.evaluation[name]}"
            for name, value in now.items()
            if record.evaluation[name] != value
        ]
        if old:
            return f"the published run no longer fits: {'; '.join(old)}"
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
        RecordError: the record that fits cannot be believed.

    """
    job, target = controls_job(suite, results), controls_folder(suite, results)
    found = shelf.find(job.identity, job.evaluation_identity)
    if found is None or is_evaluated(replace(job, folder=target)):
        return None
    source = unpack(*found, shelf.cache)
    for file in sorted(source.iterdir()):  # metrics.json, which makes them count, comes last
        with whole(target / file.name) as draft:
            draft.write_bytes(file.read_bytes())
    return found[0]
