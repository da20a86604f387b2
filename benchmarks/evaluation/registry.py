"""What a metric is; the table itself is `metrics.toml`.

Imports nothing heavy.
"""

import math
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

ARROWS = {"lower": " ↓", "higher": " ↑", "target": " →", "none": ""}
Question = Literal[
    "samples", "modes", "representation", "consistency", "latents", "anomaly", "stability", "cost"
]


@dataclass(frozen=True)
class Metric:
    """One entry of the table; `metrics.toml` explains the fields."""

    name: str
    title: str
    question: Question
    what: str
    direction: Literal["lower", "higher", "target", "none"]
    unit: str
    range: str
    scale: Literal["linear", "log", "logit", "binomial"]
    size: str
    source: str
    controls: str
    target: float | None = None
    headline: bool = False
    plain: str = ""
    floor: float | None = None
    digits: int = 3
    factor: float = 1.0

    @property
    def of_machine(self) -> bool:
        """Whether the same run has another value on another machine."""
        return self.unit in ("s", "1/s", "MiB")


def head(metric: Metric) -> str:
    """Return a metric's column head: its title and which way is better."""
    aim = "" if metric.target is None else f" {metric.target * metric.factor:g}"
    return metric.title + ARROWS[metric.direction] + aim


def number(value: float, metric: Metric) -> str:
    """Format a value as the tables do."""
    rounded = round(value * metric.factor, metric.digits)
    return f"{rounded + 0.0:,.{metric.digits}f}"  # + 0.0 turns -0 into 0


def bounds(metric: Metric, classes: int) -> tuple[float, float]:
    """Return the ends of a metric's range, infinite where the table gives no number.

    Args:
        metric: whose.
        classes: of the dataset, for counts of them.

    """
    known = {"classes": float(classes), "ln 25": math.log(25)}
    low, comma, high = metric.range[1:-1].partition(", ")
    if metric.range[0] not in "[(" or not comma:
        return -math.inf, math.inf  # in words
    return _end(low, known, -math.inf), _end(high, known, math.inf)


def _end(text: str, known: dict[str, float], unknown: float) -> float:
    if text in known:
        return known[text]
    try:
        return float(text)
    except ValueError:
        return unknown


def table_line(cells: Iterable[str]) -> str:
    """Return one line of a Markdown table; a bar in a title or text must not end its cell."""
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _read() -> dict[str, Metric]:
    table = tomllib.loads(Path(__file__).with_name("metrics.toml").read_text())
    return {name: Metric(name=name, **fields) for name, fields in table.items()}


METRICS = _read()
"""Metric by name, in the order of the table."""

LIGHT = (
    "fid_hybrid", "modes_covered", "reconstruction_ratio", "latent_error", "knn1_accuracy_features"
)  # fmt: skip
"""Measured during training at log-spaced steps, on fewer samples."""

GATED = tuple(name for name, metric in METRICS.items() if metric.floor is not None)
"""What the regression check looks at: few, so that it keeps its power."""
