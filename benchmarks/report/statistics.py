"""Intervals over training seeds, on each metric's natural scale."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import special, stats

Transform = Callable[[np.ndarray], np.ndarray]
SCALES: dict[str, tuple[Transform, Transform]] = {
    "linear": (np.asarray, np.asarray),
    "log": (np.log, np.exp),
    "logit": (special.logit, special.expit),
    "binomial": (np.asarray, np.asarray),
}
DOMAINS = {
    "linear": (-np.inf, np.inf),
    "log": (1e-6, np.inf),
    "logit": (1e-4, 1 - 1e-4),
    "binomial": (0.0, 1.0),
}
LOST = ("diverged", "failed")
"""Statuses of runs that ended without numbers: results too, and counted."""


@dataclass(frozen=True)
class Estimate:
    """Mean over n training seeds with a 95 % interval; the interval is None for n = 1."""

    mean: float
    low: float | None
    high: float | None
    n: int


def inside(values: Sequence[float] | np.ndarray, scale: str) -> np.ndarray:
    """Return the values moved just inside the scale's domain: a rate of 1, an FID of -1e-9."""
    low, high = DOMAINS[scale]
    clipped: np.ndarray = np.clip(np.asarray(values, dtype=float), low, high)
    return clipped


def estimate(values: Sequence[float], scale: str, confidence: float = 0.95) -> Estimate:
    """Return the arithmetic mean and the t interval computed on a scale (binomial: Wilson's).

    Args:
        values: one per training seed, at least one.
        scale: "linear", "log", "logit" or "binomial".
        confidence: of the interval.

    """
    array = np.asarray(values, dtype=float)
    n = len(array)
    if n == 0:
        raise ValueError("an estimate needs at least one value")
    mean = float(array.mean())
    if n == 1:
        return Estimate(mean, None, None, 1)
    if scale == "binomial":
        return Estimate(mean, *wilson(array, confidence), n)
    forward, back = SCALES[scale]
    moved = forward(inside(values, scale))
    half = stats.t.ppf(0.5 + confidence / 2, n - 1) * moved.std(ddof=1) / np.sqrt(n)
    low, high = back(np.array([moved.mean() - half, moved.mean() + half]))
    return Estimate(mean, float(low), float(high), n)


def wilson(values: np.ndarray, confidence: float) -> tuple[float, float]:
    """Return Wilson's score interval of a rate: values 0 or 1, also where all are the same."""
    n, p = len(values), float(values.mean())
    z = float(stats.norm.ppf(0.5 + confidence / 2))
    centre = (p + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * np.sqrt(p * (1 - p) / n + z**2 / (4 * n**2))
    return max(0.0, centre - half), min(1.0, centre + half)
