"""Train, evaluate and compare bidirectional generative models."""

import shlex
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from benchmarks.errors import UserError
from datasets.registry import DatasetError

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command(help=__doc__)
def main(
    suite: Annotated[
        str, typer.Option(help="A suite's name, or a TOML file of your own.")
    ] = "digits",
    families: Annotated[str | None, typer.Option(help="Only these, separated by commas.")] = None,
    family: Annotated[list[Path] | None, typer.Option(help="Add a family from a file.")] = None,
    seeds: Annotated[int | None, typer.Option(min=1, help="Train seeds 0 ... N-1.")] = None,
    settings: Annotated[
        list[str] | None, typer.Option("--set", help="Change a setting: training.steps=500.")
    ] = None,
    data: Annotated[Path | None, typer.Option(help="The only folder searched for data.")] = None,
    offline: Annotated[bool, typer.Option(help="Never download.")] = False,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
    results: Annotated[Path, typer.Option(help="Where runs, reports and baselines are.")] = Path(
        "results"
    ),
    dry_run: Annotated[bool, typer.Option(help="Print the plan and stop.")] = False,
    list_: Annotated[bool, typer.Option("--list", help="Print what there is and stop.")] = False,
    check: Annotated[
        bool, typer.Option(help="Compare with the baseline; exit 1 if worse.")
    ] = False,
    make_baseline: Annotated[bool, typer.Option(help="Train and write the baseline.")] = False,
    quiet: Annotated[bool, typer.Option(help="No progress.")] = False,
) -> None:
    """Run a suite from plan to report."""
    from benchmarks import command

    if list_:
        command.show_list()
        return
    request = command.Request(
        data, offline, device, results, quiet, "python " + shlex.join(sys.argv)
    )
    plan = command.plan(
        suite, families, family or [], seeds, settings or [], make_baseline, results
    )
    if dry_run:
        command.show_plan(plan)
        return
    command.train_and_evaluate(plan, request)
    if make_baseline:
        command.write_baseline(plan, request)
        return
    complete = command.report(plan, request)
    passed = command.check(plan, request) if check else True
    if not (complete and passed):
        raise typer.Exit(1)


def guarded(run: Callable[[], None]) -> int:
    """Turn errors that are the user's to mend into a message and an exit code."""
    try:
        run()
    except (UserError, DatasetError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("interrupted: finished runs are kept; the same command goes on", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(guarded(app))
