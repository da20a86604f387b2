"""What the command line prints and stops: what there is, and the plan of a suite."""

from collections import Counter
from collections.abc import Iterable
from datetime import date

from rich.table import Table

from benchmarks.common.console import console, say
from benchmarks.common.files import read_json
from benchmarks.evaluation.protocol import VERSION
from benchmarks.evaluation.registry import METRICS
from benchmarks.planning import plan as plans
from benchmarks.planning import suites
from benchmarks.planning.config import Suite
from benchmarks.planning.plan import Job, Plan
from datasets.registry import DATASETS
from zoo.registry import FAMILIES, describe


def show_list() -> None:
    """Print suites, families, datasets and metrics, one line each."""
    for title, rows in (
        ("suites", {name: suites.load_suite(name).question for name in suites.suite_names()}),
        ("families", {name: describe(name) for name in FAMILIES}),
        ("datasets", {name: info.description for name, info in DATASETS.items()}),
        ("metrics", {name: metric.what for name, metric in METRICS.items()}),
    ):
        table = Table(
            title=title, title_justify="left", show_header=False, box=None, pad_edge=False
        )
        table.add_column(no_wrap=True)
        table.add_column()
        for name, text in rows.items():
            table.add_row(f"  {name}", text)
        console.print(table)


def engine_of(suite: Suite) -> str:
    """Say which engine trains a suite's runs."""
    if size := suite.training.stacked:
        return f"stacked engine: up to {size} seeds of a row train in one vectorised step"
    return "eager engine: each run trains alone"


def show_plan(plan: Plan) -> None:
    """Print every run of a plan with its state."""
    suite, jobs = plan.suite, plan.jobs
    table = Table(box=None, pad_edge=False)
    for column in ("row", "seed", "state"):
        table.add_column(column, no_wrap=True)
    table.add_column("folder", overflow="fold")  # on a narrow terminal this one alone gives way
    reasons: dict[str, list[str]] = {}
    for job in jobs:
        where = _age(job) if job.published else str(job.folder)
        table.add_row(job.run.row, str(job.run.seed), _state(job), where)
        if reason := plans.why(job):
            reasons.setdefault(f"{plans.state(job)}: {reason}", []).append(job.label)
    console.print(table)
    for reason, labels in reasons.items():
        say(f"{', '.join(labels)}: {reason}")
    say(engine_of(suite))
    say(f"{suite.name}: {counts(map(_state, jobs))}")


def _state(job: Job) -> str:
    return "published" if job.published else plans.state(job)


def _age(job: Job) -> str:
    """Say how old a published run is, and of which versions."""
    days = (date.today() - date.fromisoformat(job.published)).days
    commit = (read_json(job.folder / "environment.json") or {}).get("commit") or "unknown"
    config = read_json(job.folder / "config.json") or {}
    versions = ", ".join(f"{name} {n}" for name, n in config.get("versions", {}).items())
    return (
        f"{job.published}, {days} day{'s' * (days != 1)} ago; commit {commit[:10]}; {versions}; "
        f"protocol {VERSION}"
    )


def counts(states: Iterable[str]) -> str:
    """Say how many runs are planned, and how many of each state."""
    found = Counter(states)
    each = ", ".join(f"{n} {state}" for state, n in found.items())
    return f"{found.total()} runs planned: {each}"
