"""The steps of the command line, each on its own; `run_all.py` strings them together."""

import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.common.console import console, say
from benchmarks.common.errors import UserError
from benchmarks.common.files import read_json
from benchmarks.evaluation.protocol import PROTOCOLS
from benchmarks.listing import counts
from benchmarks.planning import plan as plans
from benchmarks.planning.config import Suite
from benchmarks.planning.plan import Job, Plan
from benchmarks.planning.resolve import row_name
from benchmarks.records import published

if TYPE_CHECKING:
    import pandas as pd

    from benchmarks.execution.tensorboard import Logs


@dataclass(frozen=True)
class Request:
    """How a command was asked to run.

    Attributes:
        data: the only folder searched for data, if given.
        offline: never download.
        inception: file of Inception's weights, or "auto" to look for them, if wanted.
        device: "auto", "cpu" or "cuda".
        results: folder of runs, reports and baselines.
        quiet: no progress.
        tensorboard: keep TensorBoard logs of the runs.
        command: the command line, for the report.

    """

    data: Path | None
    offline: bool
    inception: str | None
    device: str
    results: Path
    quiet: bool
    tensorboard: bool
    command: str


def plan(
    name: str,
    families: str | None,
    extra: Sequence[Path],
    seeds: int | None,
    settings: Sequence[str],
    for_baseline: bool,
    results: Path,
    short: bool = False,
) -> Plan:
    """Turn the command line into a plan.

    Raises:
        UserError: a name or value that is not known or allowed.

    """
    suite = plans.load_suite(name)
    if short:
        suite = plans.shortened(suite)
    chosen = [f.strip() for f in families.split(",") if f.strip()] if families is not None else None
    if chosen == []:
        raise UserError("--families needs at least one name")
    if extra:
        chosen = [*(chosen if chosen is not None else suite.families), *map(str, extra)]
    suite = plans.override(suite, settings, chosen, seeds)
    numbers = range(suite.seeds)
    if for_baseline:
        from benchmarks.regression.baseline import BASELINE_SEEDS, FIRST_BASELINE_SEED

        numbers = range(FIRST_BASELINE_SEED, FIRST_BASELINE_SEED + (seeds or BASELINE_SEEDS))
    return Plan(suite, plans.jobs(suite, results, numbers), results)


def with_published(plan: Plan, own: Sequence[Path]) -> Plan:
    """Return a plan with published runs in the place of those that are not done here.

    Args:
        plan: of a suite.
        own: family files whose rows are trained where they are not done.

    Raises:
        UserError: no published run fits, and none is to be trained.

    """
    rows = frozenset(row_name(str(path)) for path in own)
    found = published.with_published(plan.jobs, plan.suite, published.Shelf.of(plan.results), rows)
    for line in [*found.damaged, *found.left_out]:
        say(f"left out: {line}")
    usable = any(job.published or plans.state(job) in plans.ENDED for job in found.jobs)
    if not usable and found.damaged:
        say("nothing published can be used: check the damaged files out again")
        return replace(plan, jobs=[], damaged=found.damaged, published=True)
    if not (usable or rows):
        raise UserError(f"no published run of {plan.suite.name} can be used; leave out --published")
    return replace(
        plan,
        jobs=found.jobs,
        left_out=found.left_out,
        damaged=found.damaged,
        published=True,
        own=rows,
    )


def train_and_evaluate(plan: Plan, request: Request) -> None:
    """Train and evaluate what is not finished, and say what is skipped.

    Raises:
        UserError: the results folder cannot be written, or the device is not there.
        DatasetError: the data is missing or damaged.
        KeyboardInterrupt: the user stopped it; checkpoints are written.

    """
    _writable(request.results)
    inception = _inception(request, plan.suite)
    wanted = inception is not None
    states = {
        job.label: "published" if job.published else plans.state(job, say, wanted)
        for job in plan.jobs
    }
    logs = _logs(plan) if request.tensorboard else None
    todo = [
        job
        for job in plan.jobs
        if states[job.label] not in ("published", *plans.ENDED) and _is_trained(job, plan)
    ]
    published.say_controls_taken(plan.suite, plan.results, say)
    with_controls = not _controls_done(plan) and bool(todo or not plan.published)
    say(f"{plan.suite.name}: {counts(states.values())}")
    if not todo and not with_controls:
        say("nothing to do: every run is finished and evaluated")
        return
    from benchmarks.execution.eta import Pace, typical_seconds
    from benchmarks.execution.progress import Display
    from benchmarks.execution.scheduler import execute, resolve_device, workers
    from datasets.loading import load

    device = resolve_device(request.device, plan.suite)
    load(plan.suite.dataset, request.data, request.offline)  # complain before any work starts
    side_by_side = workers(device, plan.suite.training.threads, len(todo) + with_controls)
    say(f"{len(todo)} runs to do, {side_by_side} at a time, on {device}")
    groups = plans.groups(_costliest_first(todo))
    typical = typical_seconds(plan.suite.dataset)
    pace = Pace(groups, side_by_side, with_controls, typical)
    display = Display(console, groups, pace, request.quiet)
    if logs is not None:
        display.hear = logs.hear
    outcomes = execute(
        plan.suite,
        groups,
        side_by_side,
        plan.results,
        with_controls,
        request.data,
        request.offline,
        inception,
        device,
        display,
    )
    ended = Counter(outcomes[job.label] for job in todo)
    if ended:  # the control rows speak for themselves
        say(f"finished: {', '.join(f'{n} {outcome}' for outcome, n in ended.items())}")


def _is_trained(job: Job, plan: Plan) -> bool:
    """Whether a run without numbers is trained: with published runs, only rows of one's own."""
    return not plan.published or job.run.row in plan.own


def _costliest_first(todo: Sequence[Job]) -> list[Job]:
    """Return runs seed by seed, the last families of a suite first: they leave no long tail."""
    return [
        job
        for seed in sorted({job.run.seed for job in todo})
        for job in reversed([job for job in todo if job.run.seed == seed])
    ]


def report(plan: Plan, request: Request) -> bool:
    """Write and print the report; False if a run of the plan or the controls are missing."""
    from benchmarks.report.data.frame import controls_frame

    published.say_controls_taken(plan.suite, plan.results, say)
    controls = controls_frame(plan.suite, plan.results)
    notes = [f"Left out: {line}." for line in [*plan.damaged, *plan.left_out]]
    _write_and_show(plan.suite, plan.jobs, controls, request, notes)
    return _controls_done(plan) and all(plans.state(job) in plans.ENDED for job in plan.jobs)


def report_on(folders: Sequence[Path], suite: Suite | None, request: Request) -> None:
    """Write and print a report on runs in any folders: one for each group that may be compared.

    Raises:
        UserError: a folder without runs, or runs that do not fit together.

    """
    from benchmarks.report.data.merge import merge

    for group in merge(folders, suite, say):
        _write_and_show(group.suite, group.jobs, group.controls, request)


def _write_and_show(
    suite: Suite,
    jobs: Sequence[Job],
    controls: "pd.DataFrame",
    request: Request,
    notes: Sequence[str] = (),
) -> None:
    from benchmarks.report.build import write_report
    from benchmarks.report.data import summary
    from benchmarks.report.data.contents import gather, heading
    from benchmarks.report.text import findings

    material = gather(suite, jobs, controls, request.command, notes)
    folder = write_report(material, request.results)
    say(f"\n{heading(suite, jobs)}")
    for table in summary.terminal(material.summary, console.width):
        console.print(table)
    for verdict in material.verdicts:
        say(f"{verdict.verdict}: {verdict.claim.says} ({verdict.numbers})")
    for sentence in findings.findings(material):
        say(sentence)
    say(f"report: {folder / 'index.html'}, with tables and figures beside it")


def _logs(plan: Plan) -> "Logs":
    """Start the logs of a plan's runs, with what is there of them."""
    from benchmarks.execution.tensorboard import Logs, logs_folder

    say(f"to look at the logs: tensorboard --logdir {logs_folder(plan.results)}")
    return Logs(plan.jobs, plan.results)


def _inception(request: Request, suite: Suite) -> Path | None:
    """Find and check the weights of Inception before any work starts, if they are wanted."""
    if request.inception is None:
        return None
    if PROTOCOLS[suite.dataset].of_points:
        raise UserError(f"--inception sees images, and {suite.dataset} are points; leave it out")
    import torch

    from benchmarks.evaluation.extractors.inception import find_weights, load_inception

    path = None if request.inception == "auto" else Path(request.inception)
    weights = find_weights(path, request.offline)
    load_inception(weights, torch.device("cpu"))
    return weights


def _controls_done(plan: Plan) -> bool:
    folder = plans.controls_folder(plan.suite, plan.results)
    content = read_json(folder / "metrics.json") or {}
    identity = plans.controls_job(plan.suite, plan.results).evaluation_identity
    return content.get("identity") == identity and "titles" in content


def _writable(results: Path) -> None:
    probe = results / "runs" / f".probe-{os.getpid()}"
    try:
        probe.parent.mkdir(parents=True, exist_ok=True)
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise UserError(f"results folder {results} cannot be written: {error.strerror}") from error
