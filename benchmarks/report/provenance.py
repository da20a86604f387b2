"""Where the numbers come from: machines, versions, settings, and the command for a row."""

import json
import shlex
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from benchmarks.config import Run, Suite
from benchmarks.files import read_json
from benchmarks.plan import Job, load_suite, suite_names


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


def command_of(run: Run, suite: str, seeds: int) -> str:
    """Return the command that trains and evaluates a row again with seeds 0 ... seeds - 1.

    Args:
        run: one of the row's runs.
        suite: name of the suite it is part of; a merged report's own name is no suite, and the
            first committed one of the same dataset takes its place.
        seeds: how many.

    """
    row = run.family.split(" (")[0]  # as it was before rows of other settings were named apart
    run, base = run.model_copy(update={"family": row}), _suite_of(run, suite)
    words = ["python", "run_all.py", "--suite", base.name if base else suite]
    words += ["--families", run.family, "--seeds", str(seeds)]
    for setting in _changes(run, base) if base else ():
        words += ["--set", setting]
    return shlex.join(words)


def _suite_of(run: Run, name: str) -> Suite | None:
    committed = suite_names()
    names = sorted(committed, key=lambda one: one != name)
    return next((s for s in map(load_suite, names) if _is_part(run, s)), None)


def _is_part(run: Run, suite: Suite) -> bool:
    """Whether settings alone can make the suite train this run."""
    asked = suite.dataset, suite.tier, suite.leave_one_class_out
    return asked == (run.dataset, run.tier, run.left_out is not None)


def _changes(run: Run, suite: Suite) -> list[str]:
    """Return the settings in which a run differs from its suite."""
    asked = {"training": run.training.model_dump(), "networks": run.networks.model_dump()}
    given = {"training": suite.training.model_dump(), "networks": suite.networks.model_dump()}
    changes = [
        f"{room}.{name}={_toml(value)}"
        for room, values in asked.items()
        for name, value in values.items()
        if value != given[room].get(name)
    ]
    row = {"family": run.game} | run.options if run.family != run.game else run.options
    known = suite.rows.get(run.family, {})
    return changes + [
        f"rows.{run.family}.{name}={_toml(value)}"
        for name, value in row.items()
        if value != known.get(name)
    ]


def _toml(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
