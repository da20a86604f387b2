"""Try before any run whether a row's family can be built as asked: small, and on no data."""

import math
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.common.errors import UserError, unknown
from benchmarks.planning.config import Run, Suite
from benchmarks.planning.resolve import Resolved
from datasets.registry import DATASETS

TRIAL_WIDTH = 16
"""Hidden units of the networks that are built for a trial."""
OF_SOME = "_paper"
"""What the name of a body ends in that has only what its paper's families use."""


def check_row(row: Resolved, suite: Suite) -> None:
    """Check a row's options, and that its family can be built from its networks.

    Raises:
        UserError: it cannot; names the row, or the family's file and line.

    """
    run, name = row.run(0), row.name
    usual = run.networks == suite.networks and not run.networks.body.endswith(OF_SOME)
    if usual and not run.options and not run.family.endswith(".py"):
        return
    from zoo.build import options_of  # torch; only suites with such rows pay for it

    with _blaming(run, f"rows.{name}"):
        known = options_of(run.family)
    for option, value in run.options.items():
        _check_option(name, option, value, known)
    try_run(run, f"rows.{name}")


def try_run(run: Run, what: str) -> None:
    """Build a run's game from small networks, and play its turns on images that are noise.

    Raises:
        UserError: it cannot be built, one of its networks has no player, or its losses are none;
            names `what`.

    """
    from zoo.build import assemble
    from zoo.check import check_game

    small = run.networks.model_dump() | {"width": min(run.networks.width, TRIAL_WIDTH)}
    info = DATASETS[run.dataset]
    with _blaming(run, what):
        game = assemble(
            run.family, run.options, **small, image_shape=info.image_shape, seed_of=lambda name: 0
        )
        check_game(game, info.image_shape, info.classes)


def check_control(run: Run) -> None:
    """Check that the untrained control can be built from the networks of its suite.

    Raises:
        UserError: it cannot.

    """
    if run.networks.body.endswith(OF_SOME):
        try_run(run, f"the untrained control, a {run.family} with the suite's networks")


def _check_option(name: str, option: str, value: Any, known: dict[str, Any]) -> None:
    if option not in known:
        raise unknown(f"option of {name}", option, known)
    expected = type(known[option])
    number = expected is float and type(value) is int
    if not (type(value) is expected or number) or value in (math.inf, -math.inf):
        raise UserError(f"rows.{name}.{option} must be a {expected.__name__}, got {value!r}")


@contextmanager
def _blaming(run: Run, what: str) -> Iterator[None]:
    """Say where a family complains: in `what`, or in which line of the user's own file."""
    try:
        yield
    except Exception as error:  # whatever a user's file raises is the user's to mend
        own = run.family.endswith(".py")
        if not own and not isinstance(error, ValueError):
            raise
        said = str(error) if isinstance(error, ValueError) else f"{type(error).__name__}: {error}"
        if run.networks.body.endswith(OF_SOME):
            said += f" (networks.body={run.networks.body} has only what its paper's families use)"
        where = f"family file {run.family}{_line_of(run.family, error)}" if own else what
        raise UserError(f"{where}: {said}") from error


def _line_of(file: str, error: Exception) -> str:
    """Return the last line of a file that an error came through, to be read after its name."""
    frames = traceback.extract_tb(error.__traceback__)
    lines = [f.lineno for f in frames if Path(f.filename).resolve() == Path(file).resolve()]
    return f", line {lines[-1]}" if lines else ""
