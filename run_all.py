"""Train, evaluate and compare bidirectional generative models."""

import shlex
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, NamedTuple

if TYPE_CHECKING:
    from benchmarks.common.context import Context

NEEDS = "run `pip install .` in this folder, with Python 3.11 or newer"
if sys.version_info < (3, 11):  # noqa: UP036 (a checkout is run without being installed)
    print(f"error: this is Python {sys.version.split()[0]}; {NEEDS}", file=sys.stderr)
    raise SystemExit(2)
try:
    import pydantic  # noqa: F401 (typer and the suites need it)
    import typer

    from benchmarks.common.errors import UserError
    from datasets.registry import DatasetError
except ModuleNotFoundError as missing:
    print(f"error: {missing.name} is not installed; {NEEDS}", file=sys.stderr)
    raise SystemExit(2) from missing

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)

Folders = Annotated[
    list[Path] | None, typer.Argument(help="With --report: run folders, from anywhere.")
]
SuiteName = Annotated[
    str | None, typer.Option(help="A suite's name, or a TOML file.", show_default="digits")
]
Families = Annotated[str | None, typer.Option(help="Comma-separated models to run.")]
Files = Annotated[list[Path] | None, typer.Option(help="Add a model from a Python file.")]
Seeds = Annotated[int | None, typer.Option(min=1, help="Train seeds 0 ... N-1.")]
Settings = Annotated[
    list[str] | None, typer.Option("--set", help="Change a setting: training.steps=500.")
]
Short = Annotated[bool, typer.Option("--short", help="Reduced-scale form: minutes on a CPU.")]
Data = Annotated[Path | None, typer.Option(help="Data directory (no fallback).")]
Offline = Annotated[bool, typer.Option("--offline", help="Never download.")]
Inception = Annotated[
    str | None,
    typer.Option(help="Inception metrics too: the weights' file, or auto to find or fetch it."),
]
Device = Annotated[Literal["auto", "cpu", "cuda"], typer.Option(help="Where to run.")]
Results = Annotated[Path, typer.Option(help="Directory of runs, reports, baselines.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Print the plan and stop.")]
List = Annotated[
    bool, typer.Option("--list", help="List suites, models, datasets and metrics, and stop.")
]
Check = Annotated[
    bool, typer.Option("--check", help="Compare with the baseline; exit 1 if it differs.")
]
MakeBaseline = Annotated[
    bool, typer.Option("--make-baseline", help="Train other seeds and write the baseline.")
]
Report = Annotated[bool, typer.Option("--report", help="Build the report from existing runs.")]
Published = Annotated[
    bool, typer.Option("--published", help="Use published runs; train only models of --family.")
]
Quiet = Annotated[bool, typer.Option("--quiet", help="No progress.")]
TensorBoard = Annotated[
    bool, typer.Option("--tensorboard", help="TensorBoard logs while runs are trained.")
]


@app.command(help=__doc__)
def main(
    folders: Folders = None,
    suite: SuiteName = None,
    families: Families = None,
    family: Files = None,
    seeds: Seeds = None,
    settings: Settings = None,
    short: Short = False,
    data: Data = None,
    offline: Offline = False,
    inception: Inception = None,
    device: Device = "auto",
    results: Results = Path("results"),
    dry_run: DryRun = False,
    list_: List = False,
    check: Check = False,
    make_baseline: MakeBaseline = False,
    report: Report = False,
    published: Published = False,
    quiet: Quiet = False,
    tensorboard: TensorBoard = False,
) -> None:
    """Run a suite from plan to report."""
    from benchmarks.common.context import Context, named

    context = Context(
        suite=suite, families=named(families), files=tuple(family or ()), seeds=seeds,
        settings=tuple(settings or ()), short=short, published=published, data=data,
        offline=offline, inception=inception, device=device, results=results, quiet=quiet,
        tensorboard=tensorboard, command="python " + shlex.join(sys.argv),
    )  # fmt: skip
    steps = Steps(list_, dry_run, report, check, make_baseline, tuple(folders or ()))
    raise typer.Exit(guarded(lambda: flow(context, steps)))


class Steps(NamedTuple):
    """Which steps a command takes."""

    list_: bool
    dry_run: bool
    report: bool
    check: bool
    make_baseline: bool
    folders: tuple[Path, ...]


def flow(context: "Context", steps: Steps) -> bool:
    """Go from the command line to the report; False if a run or the check failed."""
    from benchmarks import cli, comparison, listing

    if steps.list_:
        listing.show_list()
        return True
    cli.refuse_misplaced(context, steps.folders, steps.report, steps.check or steps.make_baseline)
    plan = cli.plan(context, for_baseline=steps.make_baseline)
    if steps.folders:
        cli.report_on(steps.folders, plan.suite if context.suite else None, context)
        return True
    if not plan.jobs:
        return False
    if steps.dry_run:
        listing.show_plan(plan)
        return not plan.damaged
    comparison.prepare_comparison(plan, steps.check, steps.make_baseline)
    if not steps.report:
        cli.train_and_evaluate(plan, context)
    if steps.make_baseline:
        comparison.write_baseline(plan)
        return True
    complete = cli.report(plan, context)
    return (comparison.check(plan) if steps.check else True) and complete


def guarded(flow: Callable[[], bool]) -> int:
    """Return the exit code: 0, 1 for a failed run or check, 2 for wrong input, 130 for Ctrl-C."""
    try:
        return 0 if flow() else 1
    except (UserError, DatasetError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except ModuleNotFoundError as error:
        print(f"error: {error.name} is not installed; {NEEDS}", file=sys.stderr)
        return 2
    except OSError as error:  # a full disk, a folder that may not be written
        print(f"error: {error.filename or ''}: {error.strerror or error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("interrupted: run the same command to resume", file=sys.stderr)
        return 130


if __name__ == "__main__":
    app()
