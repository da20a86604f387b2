"""Any run folders, from any machine -> the groups of runs that may stand in one table."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
from pydantic import ValidationError

from benchmarks.planning.config import Run, Suite
from benchmarks.common.errors import UserError
from benchmarks.evaluation.protocol import PROTOCOLS
from benchmarks.common.files import read_json
from benchmarks.planning.identity import configuration_digest, training_identity
from benchmarks.planning.outdated import flat
from benchmarks.planning.plan import Job, state
from benchmarks.report.data.frame import controls_of
from benchmarks.planning.resolve import Resolved, resolve, resolve_row

NAME = "merged"
QUESTION = "What do these runs say side by side?"


@dataclass(frozen=True)
class Group:
    """Runs that may be compared: the same data, tier, budget and kind of task."""

    suite: Suite
    jobs: list[Job]
    controls: pd.DataFrame


class Shared(NamedTuple):
    """What runs must have in common to be compared without a suite that says so."""

    dataset: str
    tier: str
    steps: int
    batch_size: int
    precision: str
    all_classes: bool


def merge(folders: Sequence[Path], suite: Suite | None, say: Callable[[str], None]) -> list[Group]:
    """Find the runs in some folders and group those that may be compared, one report each.

    Args:
        folders: run folders, results folders, or anything that holds such.
        suite: whose runs to take (others are left out, and that is said); all if not given.
        say: a line for the user.

    Raises:
        UserError: a folder is absent or holds no run, a run cannot be read, or two versions of the
            code trained the same run.

    """
    jobs = _once(_found(folders), say)
    if suite is not None:
        groups = {_shared(jobs[0].run): _of_suite(jobs, suite, say)}
    else:
        groups = {}
        for job in jobs:
            groups.setdefault(_shared(job.run), []).append(job)
    if len(groups) > 1:
        say(
            f"these runs differ in data or budget, so they make {len(groups)} reports, one per "
            "group of runs that may be compared; --suite brings the rows of one suite together"
        )
    controls = [path for folder in folders for path in _controls(folder)]
    names = _names(list(groups))
    return [
        Group(own, members, controls_of(own, controls, say))
        for key, found in groups.items()
        for members in [_named_apart(found)]
        for own in [suite or _suite(names[key], members)]
    ]


def _found(folders: Iterable[Path]) -> list[Job]:
    jobs = []
    for folder in folders:
        if not folder.is_dir():
            raise UserError(f"--report {folder}: there is no such folder")
        configs = sorted(folder.glob("**/config.json"))
        if not configs and not _controls(folder):
            raise UserError(f"--report {folder}: neither a run folder nor one that holds any")
        jobs += [_job(path) for path in configs]
    if not jobs:
        raise UserError("--report: these folders hold control rows, but no run")
    return jobs


def _controls(folder: Path) -> list[Path]:
    """Return the folders of control rows: itself, or what it holds."""
    own = [folder] if folder.name.startswith("controls-") else []
    return [*own, *sorted(folder.glob("**/controls-*"))]


def _job(path: Path) -> Job:
    content = read_json(path) or {}
    try:
        run = Run(**content["run"])
        if run.dataset not in PROTOCOLS:
            raise KeyError(run.dataset)
        return Job(run, content["identity"], path.parent)
    except (KeyError, ValidationError) as error:
        raise UserError(
            f"{path} is damaged, or of another version of this project; leave its folder out"
        ) from error


def _once(jobs: Iterable[Job], say: Callable[[str], None]) -> list[Job]:
    """Keep each run once: copies of one run, and what older code left beside the present one's."""
    chosen: dict[str, Job] = {}
    for job in jobs:
        other = chosen.setdefault(configuration_digest(job.run), job)
        if other.folder.resolve() != job.folder.resolve():
            chosen[configuration_digest(job.run)] = _better(other, job, say)
    return list(chosen.values())


def _better(one: Job, other: Job, say: Callable[[str], None]) -> Job:
    if one.identity == other.identity:
        kept, left = (one, other) if state(one) == "done" else (other, one)
        say(f"{left.folder}: the same run as {kept.folder}, left out")
        return kept
    now = training_identity(one.run)
    if now not in (one.identity, other.identity):
        raise UserError(
            f"{one.folder} and {other.folder}: the same run of two versions of the code; "
            "give only one of them"
        )
    kept, left = (one, other) if one.identity == now else (other, one)
    say(f"{left.folder}: of other numerics versions than {kept.folder}, left out")
    return kept


def _named_apart(jobs: Sequence[Job]) -> list[Job]:
    """Make variants of rows that share a name but not their settings: no seeds of one row."""
    variants: dict[str, list[dict[str, Any]]] = {}
    for job in jobs:
        known = variants.setdefault(job.run.row, [])
        if (own := _settings(job.run)) not in known:
            known.append(own)
    return [_named(job, variants[job.run.row]) for job in jobs]


def _named(job: Job, variants: Sequence[dict[str, Any]]) -> Job:
    own = _settings(job.run)
    differing = [
        _setting(name, own.get(name, "default"))
        for name in sorted({name for variant in variants for name in variant})
        if len({repr(variant.get(name)) for variant in variants}) > 1
    ]
    if not differing:
        return job
    return replace(job, variant=", ".join(differing))


def _setting(name: str, value: Any) -> str:
    """Return a setting as a variant says it: a switch by its name alone."""
    return f"{'' if value else 'not '}{name}" if isinstance(value, bool) else f"{name} {value}"


def _settings(run: Run) -> dict[str, Any]:
    training = run.training.model_dump(include={"lr_factor", "threads", "stacked"})
    return {"family": run.family} | run.networks.model_dump() | training | run.options


def _shared(run: Run) -> Shared:
    t = run.training
    return Shared(run.dataset, run.tier, t.steps, t.batch_size, t.precision, run.left_out is None)


def _of_suite(jobs: Sequence[Job], suite: Suite, say: Callable[[str], None]) -> list[Job]:
    """Return the runs that the suite itself would train, rows of any family included."""
    asked = resolve(suite)
    rows = asked | _others({job.run.row for job in jobs} - {*asked}, suite)
    differing = {job.folder: _difference(job.run, rows[job.run.row]) for job in jobs}
    kept = [
        _placed(job, row)
        for job in jobs
        for row in [rows[job.run.row]]
        if isinstance(row, Resolved) and not differing[job.folder]
    ]
    example = next((f"{path}: {why}" for path, why in differing.items() if why), "")
    if not kept:
        raise UserError(f"none of these runs is one that {suite.name} asks for ({example})")
    if left := len(jobs) - len(kept):
        say(f"{left} runs left out that {suite.name} does not ask for ({example})")
    order = [*asked, *(job.run.row for job in kept)]
    return sorted(kept, key=lambda job: (order.index(job.run.row), job.run.seed))


def _others(names: Iterable[str], suite: Suite) -> dict[str, Resolved | str]:
    """Return rows as the suite would have them if it had them, or why it cannot."""
    found: dict[str, Resolved | str] = {}
    for name in names:
        try:
            found[name] = resolve_row(suite, name)
        except UserError as error:
            found[name] = str(error)
    return found


def _placed(job: Job, row: Resolved) -> Job:
    """Return a job as the suite itself plans it."""
    return replace(job, base=row.base, variant=row.variant) if row.variant else job


def _difference(run: Run, row: Resolved | str) -> str:
    """Say in what a run is not the suite's run of its row and seed; nothing if it is."""
    if isinstance(row, str):
        return row
    own, other = (flat(one.model_dump()) for one in (run, row.run(run.seed)))
    names = sorted(name for name in {*own, *other} if own.get(name) != other.get(name))
    return ", ".join(f"{n} is {own.get(n)}, not {other.get(n)}" for n in names)


def _names(keys: Sequence[Shared]) -> dict[Shared, str]:
    """Return a name for each group's report: "merged", with what differs where there are more."""
    differing = [name for name in Shared._fields if len({getattr(k, name) for k in keys}) > 1]
    return {key: "-".join([NAME, *(_word(key, name) for name in differing)]) for key in keys}


def _word(key: Shared, name: str) -> str:
    """Return a value that says in a folder's name what it is of."""
    if name == "all_classes":
        return "every_class" if key.all_classes else "class_left_out"
    return str(getattr(key, name))


def _suite(name: str, jobs: Sequence[Job]) -> Suite:
    """Describe a group of runs as a suite, for the heading and the table."""
    run = jobs[0].run
    return Suite(
        name=name,
        question=QUESTION,
        tier=run.tier,
        dataset=run.dataset,
        families=tuple(dict.fromkeys(job.run.row for job in jobs)),
        seeds=len({job.run.seed for job in jobs}),
        networks=run.networks,
        training=run.training,
        leave_one_class_out=run.left_out is not None,
    )
