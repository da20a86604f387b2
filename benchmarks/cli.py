"""The steps of the command line, each on its own; `run_all.py` strings them together."""

import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.common.console import console, say
from benchmarks.common.context import Context
from benchmarks.common.errors import UserError
from benchmarks.common.files import read_json
from benchmarks.evaluation.protocol import PROTOCOLS
from benchmarks.listing import counts, engine_of
from benchmarks.planning import plan as plans
from benchmarks.planning import suites
from benchmarks.planning.config import Suite
from benchmarks.planning.plan import Job, Plan
from benchmarks.planning.resolve import row_name
from benchmarks.records import published
from datasets.registry import DATASETS

if TYPE_CHECKING:
    import pandas as pd


DEFAULT = "digits"
"""The suite of a command that names none."""


def refuse_misplaced(
    context: Context, folders: Sequence[Path], reporting: bool, comparing: bool
) -> None:
    """Refuse words that no option takes, and options that exclude each other.

    Raises:
        UserError: says what was probably meant.

    """
    if context.published and (comparing or folders):
        raise UserError(
            "--published takes the place of runs of your own; leave out --check, --make-baseline "
            "and folders"
        )
    if not folders or reporting:
        return
    first = folders[0]
    for setting in context.settings:
        if "=" not in setting:
            raise UserError(f"--set {setting} {first}: write --set {setting}={first}")
    if context.families and not first.exists():
        names = ",".join([*context.families, *map(str, folders)])
        raise UserError(f"names of models are separated by commas: --families {names}")
    raise UserError(f"what to do with {first}? To report on runs there: --report")


def plan(context: Context, for_baseline: bool = False) -> Plan:
    """Turn the command line into a plan.

    Raises:
        UserError: a name or value that is not known or allowed.

    """
    suite = suites.load_suite(context.suite or DEFAULT)
    if context.short:
        suite = suites.shortened(suite)
    suite = suites.override(suite, context.settings, _chosen(context, suite), context.seeds)
    if context.data is not None and not DATASETS[suite.dataset].has_files:
        raise UserError(f"--data: {suite.dataset} needs no files; leave --data out")
    seeds = range(suite.seeds)
    if for_baseline:
        from benchmarks.regression.baseline import BASELINE_SEEDS, FIRST_BASELINE_SEED

        last = FIRST_BASELINE_SEED + (context.seeds or BASELINE_SEEDS)
        seeds = range(FIRST_BASELINE_SEED, last)
    planned = Plan(suite, plans.jobs(suite, context.results, seeds), context.results)
    return _with_published(planned, context) if context.published else planned


def _chosen(context: Context, suite: Suite) -> list[str] | None:
    """Return the rows that were asked for: a family's file may be asked for by its name."""
    files = {row_name(str(path)): str(path) for path in context.files}
    if context.families is None:
        return [*suite.families, *files.values()] if files else None
    if not context.families:
        raise UserError("--families needs at least one name")
    named = [files.get(name, name) for name in context.families]
    return [*named, *(path for path in files.values() if path not in named)]


def _with_published(plan: Plan, context: Context) -> Plan:
    """Return a plan with published runs in the place of those that are not done here.

    Raises:
        UserError: no published run fits, and none is to be trained.

    """
    own = frozenset(row_name(str(path)) for path in context.files)
    shelf = published.Shelf.of(plan.results)
    found = published.with_published(plan.jobs, plan.suite, shelf, own)
    for line in [*found.damaged, *found.left_out]:
        say(f"left out: {line}")
    usable = any(job.published or plans.state(job) in plans.ENDED for job in found.jobs)
    if not usable and found.damaged:
        say("nothing published can be used: check the damaged files out again")
        return replace(plan, jobs=[], damaged=found.damaged, published=True)
    if not (usable or own):
        raise UserError(f"no published run of {plan.suite.name} can be used; leave out --published")
    return replace(
        plan,
        jobs=found.jobs,
        left_out=found.left_out,
        damaged=found.damaged,
        published=True,
        own=own,
    )


def train_and_evaluate(plan: Plan, context: Context) -> None:
    """Train and evaluate what is not finished, and say what is skipped.

    Raises:
        UserError: the results folder cannot be written, or the device is not there.
        DatasetError: the data is missing or damaged.
        KeyboardInterrupt: the user stopped it; checkpoints are written.

    """
    _writable(context.results)
    context = replace(context, weights=_inception(context, plan.suite))
    states = {job.label: _state(job, context) for job in plan.jobs}
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
    _execute(plan, todo, with_controls, context)


def _execute(plan: Plan, todo: Sequence[Job], with_controls: bool, context: Context) -> None:
    from benchmarks.execution.eta import Pace, typical_seconds
    from benchmarks.execution.progress import Display
    from benchmarks.execution.scheduler import execute, resolve_device, workers
    from datasets.loading import load

    suite = plan.suite
    device = resolve_device(context.device, suite)
    load(suite.dataset, context.data, context.offline)  # complain before any work starts
    side_by_side = workers(device, suite.training.threads, len(todo) + with_controls)
    context = replace(context, device=device, side_by_side=side_by_side)
    runs = f"{len(todo)} run{'s' * (len(todo) != 1)} to do"
    say(f"{runs}, {side_by_side} at a time, on {device}; {engine_of(suite)}")
    groups = plans.groups(_costliest_first(todo))
    pace = Pace(groups, side_by_side, with_controls, typical_seconds(suite.dataset))
    display = Display(console, groups, pace, context.quiet)
    if context.tensorboard:
        from benchmarks.execution.tensorboard import Logs, logs_folder

        say(f"to look at the logs: tensorboard --logdir {logs_folder(plan.results)}")
        display.hear = Logs(plan.jobs, plan.results).hear
    outcomes = execute(suite, groups, with_controls, context, display)
    ended = Counter(outcomes[job.label] for job in todo)
    if ended:  # the control rows speak for themselves
        say(f"finished: {', '.join(f'{n} {outcome}' for outcome, n in ended.items())}")


def _state(job: Job, context: Context) -> str:
    return "published" if job.published else plans.state(job, say, context.weights is not None)


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


def report(plan: Plan, context: Context) -> bool:
    """Write and print the report; False if a run of the plan or the controls are missing."""
    from benchmarks.report.data.frame import controls_frame

    published.say_controls_taken(plan.suite, plan.results, say)
    controls = controls_frame(plan.suite, plan.results)
    notes = [f"Left out: {line}." for line in [*plan.damaged, *plan.left_out]]
    _write_and_show(plan.suite, plan.jobs, controls, context, notes)
    complete = all(plans.state(job) in plans.ENDED for job in plan.jobs)
    return _controls_done(plan) and complete and not plan.damaged


def report_on(folders: Sequence[Path], suite: Suite | None, context: Context) -> None:
    """Write and print a report on runs in any folders: one for each group that may be compared.

    Raises:
        UserError: a folder without runs, or runs that do not fit together.

    """
    from benchmarks.report.data.merge import merge

    for group in merge(folders, suite, say):
        _write_and_show(group.suite, group.jobs, group.controls, context)


def _write_and_show(
    suite: Suite,
    jobs: Sequence[Job],
    controls: "pd.DataFrame",
    context: Context,
    notes: Sequence[str] = (),
) -> None:
    from benchmarks.report.build import write_report
    from benchmarks.report.data import summary
    from benchmarks.report.data.contents import gather, heading
    from benchmarks.report.text import findings

    contents = gather(suite, jobs, controls, context.command, notes)
    folder = write_report(contents, context.results)
    say(f"\n{heading(suite, jobs)}")
    for line in findings.answer(contents):
        console.print(f"- {line}", highlight=False, markup=False)
    console.print(summary.terminal(contents.summary, console.width))
    say(f"all columns, figures and downloads: {folder / 'index.html'}")


def _inception(context: Context, suite: Suite) -> Path | None:
    """Find and check the weights of Inception before any work starts, if they are wanted."""
    if context.inception is None:
        return None
    if PROTOCOLS[suite.dataset].of_points:
        raise UserError(f"--inception sees images, and {suite.dataset} are points; leave it out")
    import torch

    from benchmarks.evaluation.extractors.inception import find_weights, load_inception

    path = None if context.inception == "auto" else Path(context.inception)
    weights = find_weights(path, context.offline)
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
