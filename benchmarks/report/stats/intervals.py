"""Intervals over training seeds, on each metric's natural scale.

Sources: Wilson 1927; Welch 1947; Newcombe 1998; Zou and Donner 2008 (two differences of rates).
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import special, stats

Transform = Callable[[np.ndarray], np.ndarray]
Side = Sequence[np.ndarray]
"""Groups of runs whose means are added up."""
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
    found = stats.binomtest(round(values.sum()), len(values)).proportion_ci(confidence, "wilson")
    return float(found.low), float(found.high)


def welch(added: Side, taken: Side, confidence: float) -> tuple[float, float, float] | None:
    """Return low, estimate and high of the sum of some means less that of others.

    Degrees of freedom by Welch and Satterthwaite. None if a group has fewer than two values, or no
    group any spread.
    """
    groups = [*added, *taken]
    if min(map(len, groups)) < 2:
        return None
    errors = [group.var(ddof=1) / len(group) for group in groups]
    if sum(errors) == 0:  # t knows nothing of values at the end of a scale
        return None
    terms = [e**2 / (len(group) - 1) for e, group in zip(errors, groups, strict=True)]
    freedom = sum(errors) ** 2 / sum(terms)
    half = float(stats.t.ppf(0.5 + confidence / 2, freedom) * np.sqrt(sum(errors)))
    estimate = float(sum(g.mean() for g in added) - sum(g.mean() for g in taken))
    return estimate - half, estimate, estimate + half


def student(added: Side, taken: Side, confidence: float) -> tuple[float, float, float] | None:
    """Return low, estimate and high of the mean of the same, taken place by place.

    None if there are fewer than two places, or no spread over them.
    """
    apart = np.sum(added, axis=0) - np.sum(taken, axis=0)
    if len(apart) < 2 or apart.var() == 0:
        return None
    error = apart.std(ddof=1) / np.sqrt(len(apart))
    half = float(stats.t.ppf(0.5 + confidence / 2, len(apart) - 1) * error)
    return float(apart.mean()) - half, float(apart.mean()), float(apart.mean()) + half


def newcombe(added: Side, taken: Side, confidence: float) -> tuple[float, float, float] | None:
    """Return low, estimate and high of a difference of rates (Newcombe's method 10), or of two.

    Each side's reach is the root of the sum of squares of Wilson's. None if a group has fewer than
    two values; spread is not needed.
    """
    if min(map(len, [*added, *taken])) < 2:
        return None
    estimate, below, above = 0.0, [], []
    for sign, side in ((1, added), (-1, taken)):
        for rates in side:
            rate, ends = float(rates.mean()), wilson(rates, confidence)
            estimate += sign * rate
            down, up = (abs(rate - end) for end in ends[::sign])
            below.append(down)
            above.append(up)
    return estimate - math.hypot(*below), estimate, estimate + math.hypot(*above)
