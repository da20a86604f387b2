"""Train, evaluate and compare bidirectional generative models."""

import shlex
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Literal

import typer

from benchmarks.common.errors import UserError
from datasets.registry import DatasetError

DEFAULT = "digits"
app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command(help=__doc__)
def main(
    folders: Annotated[
        list[Path] | None, typer.Argument(help="With --report: folders of runs, from anywhere.")
    ] = None,
    suite: Annotated[
        str | None, typer.Option(help="A suite's name, or a TOML file.", show_default=DEFAULT)
    ] = None,
    families: Annotated[str | None, typer.Option(help="Only these, separated by commas.")] = None,
    family: Annotated[list[Path] | None, typer.Option(help="Add a family from a file.")] = None,
    seeds: Annotated[int | None, typer.Option(min=1, help="Train seeds 0 ... N-1.")] = None,
    settings: Annotated[
        list[str] | None, typer.Option("--set", help="Change a setting: training.steps=500.")
    ] = None,
    short: Annotated[
        bool, typer.Option("--short", help="The suite's short form: minutes on a CPU.")
    ] = False,
    data: Annotated[Path | None, typer.Option(help="The only folder searched for data.")] = None,
    offline: Annotated[bool, typer.Option("--offline", help="Never download.")] = False,
    inception: Annotated[
        str | None,
        typer.Option(help="Inception metrics too: the weights' file, or auto to find or fetch it."),
    ] = None,
    device: Annotated[Literal["auto", "cpu", "cuda"], typer.Option(help="Where to run.")] = "auto",
    results: Annotated[Path, typer.Option(help="Folder of runs, reports, baselines.")] = Path(
        "results"
    ),
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the plan and stop.")] = False,
    list_: Annotated[bool, typer.Option("--list", help="Print what there is and stop.")] = False,
    check: Annotated[
        bool, typer.Option("--check", help="Compare with the baseline; exit 1 if it differs.")
    ] = False,
    make_baseline: Annotated[
        bool, typer.Option("--make-baseline", help="Train other seeds and write the baseline.")
    ] = False,
    report: Annotated[
        bool,
        typer.Option(
            "--report", help="Train nothing: report on what there is, or on the folders given."
        ),
    ] = False,
    published: Annotated[
        bool,
        typer.Option(
            "--published", help="Use the published runs; train only families added by --family."
        ),
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress.")] = False,
    tensorboard: Annotated[
        bool, typer.Option("--tensorboard", help="TensorBoard logs while runs are trained.")
    ] = False,
) -> None:
    """Run a suite from plan to report."""
    from benchmarks import cli, listing
    from benchmarks.regression import gate

    def flow() -> bool:
        if list_:
            listing.show_list()
            return True
        line = "python " + shlex.join(sys.argv)
        request = cli.Request(data, offline, inception, device, results, quiet, tensorboard, line)
        if published and (check or make_baseline or folders):
            raise UserError(
                "--published stands for runs of one's own; leave out --check, --make-baseline and "
                "folders"
            )
        if folders and not report:
            raise UserError(f"what to do with {folders[0]}? To report on runs there: --report")
        name = suite or DEFAULT
        plan = cli.plan(
            name, families, family or [], seeds, settings or [], make_baseline, results, short
        )
        if folders:
            cli.report_on(folders, plan.suite if suite else None, request)
            return True
        if published:
            plan = cli.with_published(plan, family or [])
            if not plan.jobs:
                return False
        if dry_run:
            listing.show_plan(plan.suite.name, plan.jobs)
            return not plan.damaged
        gate.prepare(plan, checking=check, making_baseline=make_baseline)
        if not report:
            cli.train_and_evaluate(plan, request)
        if make_baseline:
            gate.write_baseline(plan)
            return True
        complete = cli.report(plan, request) and not plan.damaged
        passed = gate.check(plan) if check else True
        return complete and passed

    raise typer.Exit(guarded(flow))


def guarded(flow: Callable[[], bool]) -> int:
    """Return the exit code: 0, 1 for a failed run or check, 2 for wrong input, 130 for Ctrl-C."""
    try:
        return 0 if flow() else 1
    except (UserError, DatasetError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except OSError as error:  # a full disk, a folder that may not be written
        print(f"error: {error.filename or ''}: {error.strerror or error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("interrupted: finished runs are kept; the same command goes on", file=sys.stderr)
        return 130


if __name__ == "__main__":
    app()
