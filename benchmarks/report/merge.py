"""Any run folders, from any machine -> the groups of runs that may stand in one table."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from pydantic import ValidationError

from benchmarks.config import Run, Suite
from benchmarks.errors import UserError
from benchmarks.evaluation.protocol import PROTOCOLS
from benchmarks.files import read_json
from benchmarks.identity import configuration_digest, training_identity
from benchmarks.plan import Job, state
from benchmarks.report.frame import controls_of

NAME = "merged"
QUESTION = "What do these runs say side by side?"


@dataclass(frozen=True)
class Group:
    """Runs that may be compared: the same data, tier, budget and kind of task."""

    suite: Suite
    jobs: list[Job]
    controls: pd.DataFrame


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
    groups: dict[tuple[Any, ...], list[Job]] = {}
    for job in _once(_found(folders), say):
        groups.setdefault(_shared(job.run), []).append(job)
    if suite is not None:
        groups = {_asked(suite): _of_suite(groups, suite, say)}
    elif len(groups) > 1:
        say(f"these runs differ in data or budget, so they make {len(groups)} reports")
    controls = [path for folder in folders for path in sorted(folder.glob("**/controls-*"))]
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
        if not configs:
            raise UserError(f"--report {folder}: neither a run folder nor one that holds any")
        jobs += [_job(path) for path in configs]
    return jobs


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
    say(f"{left.folder}: trained by other code than {kept.folder}, left out")
    return kept


def _named_apart(jobs: Sequence[Job]) -> list[Job]:
    """Name rows apart that share a name but not their settings; they are no seeds of one row."""
    variants: dict[str, list[dict[str, Any]]] = {}
    for job in jobs:
        known = variants.setdefault(job.run.family, [])
        if (own := _settings(job.run)) not in known:
            known.append(own)
    return [_named(job, variants[job.run.family]) for job in jobs]


def _named(job: Job, variants: Sequence[dict[str, Any]]) -> Job:
    own = _settings(job.run)
    differing = [
        f"{name} {own.get(name, 'default')}"
        for name in sorted({name for variant in variants for name in variant})
        if len({repr(variant.get(name)) for variant in variants}) > 1
    ]
    if not differing:
        return job
    name = f"{job.run.family} ({', '.join(differing)})"
    return Job(job.run.model_copy(update={"family": name}), job.identity, job.folder)


def _settings(run: Run) -> dict[str, Any]:
    return {"game": run.game} | run.networks.model_dump() | run.options


def _shared(run: Run) -> tuple[Any, ...]:
    return run.dataset, run.tier, run.training, run.left_out is not None


def _asked(suite: Suite) -> tuple[Any, ...]:
    return suite.dataset, suite.tier, suite.training, suite.leave_one_class_out


def _of_suite(
    groups: dict[tuple[Any, ...], list[Job]], suite: Suite, say: Callable[[str], None]
) -> list[Job]:
    for key, jobs in groups.items():
        if key != _asked(suite):
            say(f"{len(jobs)} runs left out ({_describe(key)}): not as {suite.name} asks")
    kept = groups.get(_asked(suite), [])
    if not kept:
        raise UserError(
            f"none of these runs has the data and budget of the suite {suite.name} "
            f"({_describe(_asked(suite))})"
        )
    return kept


def _describe(key: tuple[Any, ...]) -> str:
    dataset, tier, training, left_out = key
    budget = f"{training.steps:,} updates of {training.batch_size}, {training.precision}"
    return f"{dataset}, {tier}, {budget}{', a class left out' if left_out else ''}"


def _names(keys: Sequence[tuple[Any, ...]]) -> dict[tuple[Any, ...], str]:
    """Return a name for each group's report: "merged", with what differs where there are more."""
    if len(keys) == 1:
        return {keys[0]: NAME}
    parts = [
        {"dataset": d, "tier": tier, "left_out": "left-out" if left_out else "whole"}
        | training.model_dump()
        for d, tier, training, left_out in keys
    ]
    differing = [name for name in parts[0] if len({part[name] for part in parts}) > 1]
    return {
        key: "-".join([NAME, *(str(part[name]) for name in differing)])
        for key, part in zip(keys, parts, strict=True)
    }


def _suite(name: str, jobs: Sequence[Job]) -> Suite:
    """Describe a group of runs as a suite, for the heading and the table."""
    run = jobs[0].run
    return Suite(
        name=name,
        question=QUESTION,
        tier=run.tier,
        dataset=run.dataset,
        families=tuple(dict.fromkeys(job.run.family for job in jobs)),
        seeds=len({job.run.seed for job in jobs}),
        networks=run.networks,
        training=run.training,
        leave_one_class_out=run.left_out is not None,
    )
