"""Tables of golden numbers: what code computed when its version was set, and what has moved since.

Trainings (`training_golden`) and evaluations (`evaluation_golden`) keep such tables. A table
is JSON with one line for each quantity of a case, so that a change of numerics is a readable diff.
"""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.common.files import write_text

DIGITS = 10
"""Significant digits of a golden number, far beyond every tolerance."""
Numbers = dict[str, list[float]]
"""Quantity -> its values, such as one for each seed."""


@dataclass(frozen=True)
class Move:
    """A golden number that has moved.

    Attributes:
        case: name of the golden case.
        engine: which engine computed it; empty for an evaluation.
        quantity: what moved in it.
        was: the golden number; NaN if the quantity is new.
        now: what the code computes; NaN if it computes none.
        allowed: largest difference that is no move.

    """

    case: str
    engine: str
    quantity: str
    was: float
    now: float
    allowed: float

    @property
    def times(self) -> float:
        """The difference over what is allowed, above 1; infinite if a number is missing."""
        difference = abs(self.now - self.was)
        return difference / self.allowed if math.isfinite(difference) else math.inf

    @property
    def where(self) -> str:
        """The case with its engine, as messages and `--case` name it."""
        return with_engine(self.case, self.engine)

    def __str__(self) -> str:
        moved = f"was {self.was:.10g}, is {self.now:.10g}, allowed ± {self.allowed:.2g}"
        return f"{self.where}: {self.quantity} {moved} ({self.times:.3g} times that)"


def with_engine(case: str, engine: str) -> str:
    """Return what a case is called when an engine computes it."""
    return f"{case} ({engine})" if engine else case


def rounded(value: float) -> float:
    """Return a number as a table keeps it."""
    return float(f"{value:.{DIGITS}g}")


def compared(
    case: str,
    engine: str,
    was: Mapping[str, Sequence[float]],
    now: Numbers,
    allowed: Mapping[str, float],
) -> list[Move]:
    """Return the numbers that differ by more than is allowed, are missing or are new.

    Args:
        case: its name.
        engine: which one computed it; empty for an evaluation.
        was: quantity -> golden numbers.
        now: the same as computed now.
        allowed: quantity of `was` -> largest difference of each of its numbers.

    """
    moves = []
    for quantity in [*was, *(name for name in now if name not in was)]:
        old, new = list(was.get(quantity, [])), now.get(quantity, [])
        room = allowed.get(quantity, 0.0)
        for place in range(max(len(old), len(new))):
            a, b = (v[place] if place < len(v) else math.nan for v in (old, new))
            if not abs(a - b) <= room:  # also what is not a number
                moves.append(Move(case, engine, quantity, a, b, room))
    return moves


def read_table(path: Path) -> dict[str, Any]:
    """Read a table; empty if there is no file yet."""
    if not path.exists():
        return {}
    table: dict[str, Any] = json.loads(path.read_text())
    return table


def write_table(path: Path, table: Mapping[str, Any]) -> None:
    """Write a table whole: one line for each entry of an entry's mapping."""
    parts = []
    for name, content in table.items():
        if isinstance(content, dict):
            lines = ",\n".join(f"  {json.dumps(k)}: {json.dumps(v)}" for k, v in content.items())
            parts.append(f" {json.dumps(name)}: {{\n{lines}\n }}")
        else:
            parts.append(f" {json.dumps(name)}: {json.dumps(content)}")
    write_text(path, "{\n" + ",\n".join(parts) + "\n}\n")
