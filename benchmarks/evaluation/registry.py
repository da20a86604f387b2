"""What a metric is; the table itself is `metrics.toml`.

Imports nothing heavy.
"""

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Question = Literal["samples", "representation", "consistency", "latents", "anomaly", "cost"]


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
    scale: Literal["linear", "log", "logit"]
    size: str
    source: str
    controls: str
    target: float | None = None
    headline: bool = False
    floor: float | None = None
    digits: int = 3
    factor: float = 1.0


def _read() -> dict[str, Metric]:
    table = tomllib.loads(Path(__file__).with_name("metrics.toml").read_text())
    return {name: Metric(name=name, **fields) for name, fields in table.items()}


METRICS = _read()
"""Metric by name, in the order of the table."""

LIGHT = ("fid_hybrid", "reconstruction_ratio", "latent_error")
"""Measured during training at log-spaced steps, on fewer samples."""

GATED = tuple(name for name, metric in METRICS.items() if metric.floor is not None)
"""What the regression check looks at: few, so that it keeps its power."""
