"""Where the numbers come from: machines, versions, settings, and the command for a row."""

import json
import shlex
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any

from benchmarks.planning.config import Run, Suite
from benchmarks.common.errors import UserError
from benchmarks.common.files import read_json
from benchmarks.planning.identity import sources_of, versions_of
from benchmarks.planning.plan import Job
from benchmarks.planning.suites import SHORT, load_suite, shortened, suite_names
from benchmarks.planning.resolve import resolve, resolve_row

FOR_ALL = ("precision", "threads", "stacked")
"""Training settings that all rows of a suite share."""


def environments(jobs: Iterable[Job]) -> list[dict[str, Any]]:
    """Return what is known of the machines of the runs that have begun, one entry per run."""
    found = (read_json(job.folder / "environment.json") for job in jobs)
    return [environment for environment in found if environment is not None]


def hardware(environment: Mapping[str, Any]) -> str:
    """Describe a machine."""
    where = f"{environment['device']}, {environment['processor']}, {environment['cores']} cores"
    beside = environment.get("runs_side_by_side")
    return f"{where}, {beside} runs side by side" if beside else where


def versions(environment: Mapping[str, Any]) -> str:
    """Describe the code: commit, Python and packages."""
    commit = (environment["commit"] or "no git checkout")[:10]
    dirty = " with uncommitted changes" if environment["dirty"] else ""
    packages = ", ".join(f"{name} {version}" for name, version in environment["packages"].items())
    return f"commit {commit}{dirty}, Python {environment['python']}, {packages}"


def cautions(jobs: Iterable[Job]) -> list[str]:
    """Return what a reader should know of the code behind the numbers."""
    found = environments(jobs)
    commits = {str(environment["commit"]) for environment in found}
    said = []
    if len(commits) > 1:
        said.append(f"The runs stem from {len(commits)} commits of the code; see Provenance.")
    if any(environment["dirty"] for environment in found):
        said.append("Some runs were made with uncommitted changes; see Provenance.")
    return said


def origins(jobs: Sequence[Job]) -> dict[tuple[str, str], list[str]]:
    """Return (code, machine) -> the runs that stem from there, each with its identity."""
    seen: dict[tuple[str, str], list[str]] = {}
    for job in jobs:
        environment = read_json(job.folder / "environment.json")
        if environment is not None:
            key = versions(environment), hardware(environment)
            seen.setdefault(key, []).append(f"{job.label} {job.identity[:10]}")
    return seen


def since(jobs: Iterable[Job]) -> list[str]:
    """Return for each commit what has changed of the code that trained its runs, and in numbers."""
    changed: dict[str, set[str]] = {}
    moved: dict[str, set[str]] = {}
    for job in jobs:
        environment = read_json(job.folder / "environment.json") or {}
        if "sources" not in environment:
            continue
        commit = (environment["commit"] or "unknown")[:10]
        then, now = environment["sources"], _sources_now(job.run)
        files = {name for name in {*then, *now} if then.get(name) != now.get(name)}
        changed.setdefault(commit, set()).update(files)
        config = read_json(job.folder / "config.json") or {}
        moved.setdefault(commit, set()).update(_versions_moved(job.run, config.get("versions", {})))
    return [
        f"Trained by commit {commit}; since then changed: {', '.join(sorted(files)) or 'nothing'}; "
        f"numerics versions {', '.join(sorted(moved[commit])) or 'unchanged'}."
        for commit, files in changed.items()
    ]


def _sources_now(run: Run) -> dict[str, str]:
    try:
        return sources_of(run)
    except OSError:  # a family's file that is not here
        return {}


def _versions_moved(run: Run, then: Mapping[str, Any]) -> list[str]:
    try:
        now = versions_of(run)
    except OSError:
        return []
    return [
        f"of {name} {then.get(name, 'none')}, now {now.get(name, 'none')}"
        for name in dict.fromkeys([*then, *now])
        if then.get(name) != now.get(name)
    ]


def command_of(run: Run, suite: str, seeds: int) -> str:
    """Return the command that trains and evaluates a row again with seeds 0 ... seeds - 1.

    Args:
        run: one of the row's runs.
        suite: name of the suite it is part of; a merged report's own name is no suite, and the
            committed one that needs the fewest changed settings takes its place.
        seeds: how many.

    """
    name, changes = _closest(run, suite)
    words = ["python", "run_all.py", "--suite", name.removesuffix(SHORT)]
    words += [*(["--short"] * name.endswith(SHORT)), "--families", run.row, "--seeds", str(seeds)]
    for setting in changes:
        words += ["--set", setting]
    return shlex.join(words)


def _closest(run: Run, suite: str) -> tuple[str, list[str]]:
    own = _suite(suite)
    if own is not None and (changes := _changes(run, own)) is not None:
        return suite, changes
    names = [*suite_names(), *(name + SHORT for name in suite_names())]
    known = {name: other for name in names if (other := _suite(name)) is not None}
    found = {name: _changes(run, other) for name, other in known.items()}
    possible = {name: changes for name, changes in found.items() if changes is not None}
    if not possible:  # a suite of one's own, on data that no committed suite has
        return suite, []
    chosen = min(possible, key=lambda name: len(possible[name]))
    return chosen, possible[chosen]


def changes_of(suite: Suite, jobs: Iterable[Job]) -> str:
    """Say in what a suite differs from its committed file, or its short form; empty if in nothing.

    Args:
        suite: a user's own, and that of a merged report, has nothing to be compared with.
        jobs: the runs of the report, which may be fewer or more than the suite's.

    """
    committed = _suite(suite.name)
    if committed is None:
        return ""
    jobs = list(jobs)
    own, other = _settings(suite), _settings(committed)
    steps = own.pop("training.steps"), other.pop("training.steps")
    seeds = len({job.run.seed for job in jobs}), committed.seeds
    said = [_amount(*steps, "updates"), _amount(*seeds, "seeds")]
    said += _rows_changed([job.run.row for job in jobs], resolve(committed))
    said += [
        f"{name} {own.get(name, 'default')} instead of {other.get(name, 'default')}"
        for name in dict.fromkeys([*own, *other])
        if own.get(name) != other.get(name)
    ]
    said = list(filter(None, said))
    return f"Modified suite: {', '.join(said)}." if said else ""


def _settings(suite: Suite) -> dict[str, Any]:
    """Return what a suite says of its runs, by the names that `--set` takes."""
    values = suite.model_dump(include={"tier", "dataset", "leave_one_class_out"})
    rooms = suite.model_dump(include={"networks", "training"})
    rooms |= {f"rows.{row}": own for row, own in suite.rows.items()}
    return values | {
        f"{room}.{n}": value for room, own in rooms.items() for n, value in own.items()
    }


def _amount(own: int, whole: int, what: str) -> str:
    if own < whole:
        return f"{own:,} of {whole:,} {what}"
    return f"{own:,} {what} instead of {whole:,}" if own > whole else ""


def _rows_changed(own: Iterable[str], whole: Iterable[str]) -> list[str]:
    names, others = dict.fromkeys(own), list(whole)
    kept = [name for name in others if name in names]
    added = [f"{name} added" for name in names if name not in others]
    return [_amount(len(kept), len(others), "families"), *added]


@cache
def _suite(name: str) -> Suite | None:
    """Return a committed suite, or the short form of one, by name; None if there is no such."""
    whole = name.removesuffix(SHORT)
    if whole not in suite_names():
        return None
    suite = load_suite(whole)
    if name == whole:
        return suite
    return None if suite.short is None else shortened(suite)


def _changes(run: Run, suite: Suite) -> list[str] | None:
    """Return the settings in which a run differs from its suite; None if it cannot be its run."""
    if (suite.dataset, suite.leave_one_class_out) != (run.dataset, run.left_out is not None):
        return None
    given = suite.rows.get(run.row, {})
    row = dict(given)
    if given.get("family", run.row) != run.family:
        row["family"] = run.family
    if given.get("preset", suite.tier) != run.tier:
        row["preset"] = run.tier
    try:
        rows = suite.rows | {run.row: row}
        base = resolve_row(suite.model_copy(update={"rows": rows}), run.row)
    except UserError:
        return None
    changed = {f"rows.{run.row}.{k}": v for k, v in row.items() if given.get(k) != v}
    for room in ("networks", "training"):
        for name, value in getattr(run, room).model_dump().items():
            if value != getattr(getattr(base, room), name):
                path = f"{room}.{name}"
                changed[path if name in FOR_ALL else f"rows.{run.row}.{path}"] = value
    changed |= {
        f"rows.{run.row}.{name}": value
        for name, value in run.options.items()
        if base.options.get(name) != value
    }
    return [f"{name}={_toml(value)}" for name, value in changed.items()]


def _toml(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
