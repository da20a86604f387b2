"""Families compared over training seeds: differences, how sure they are, and ranks.

A training run is the unit. The images of one run share its seed, so nothing here resamples images.
Sources: Welch 1947; Newcombe 1998; Holm 1979; Agarwal et al. 2021, arXiv:2108.13264 (probability of
improvement).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import comb

import numpy as np
from scipy import stats

from benchmarks.evaluation.registry import Metric
from benchmarks.report.statistics import SCALES, inside, wilson

KINDS = {
    "linear": "difference",
    "log": "ratio",
    "logit": "odds ratio",
    "binomial": "difference",
}
SPLITS = 5_000
"""Permutation tests are exact up to this many splits (7 + 7 runs: 3,432); this many random ones
stand for all of them beyond."""
RESAMPLES = 2_000
Values = Sequence[float] | np.ndarray


@dataclass(frozen=True)
class Difference:
    """How far a is from b, with a Welch interval; what it is a difference of, `kind` says."""

    kind: str
    estimate: float
    low: float
    high: float


def badness(values: Values, metric: Metric) -> np.ndarray:
    """Return the values on the metric's natural scale, turned so that lower is better.

    Raises:
        ValueError: the metric has no better direction, or aims at a target it does not name.

    """
    forward = SCALES[metric.scale][0]
    moved: np.ndarray = forward(inside(values, metric.scale))
    if metric.direction == "lower":
        return moved
    if metric.direction == "higher":
        return -moved
    if metric.direction == "target" and metric.target is not None:
        distance: np.ndarray = np.abs(moved - forward(inside([metric.target], metric.scale)))
        return distance
    raise ValueError(f"{metric.name}: no value is better than another")


def kind(metric: Metric) -> str:
    """Return what `welch` reports: a difference, a ratio, an odds ratio, or one of distances."""
    distances = "" if metric.target is None else f" of distances to {metric.target:g}"
    return KINDS[metric.scale] + distances


def welch(a: Values, b: Values, metric: Metric, confidence: float = 0.95) -> Difference | None:
    """Return how a differs from b with its Welch interval, computed on the natural scale.

    Reported as what a reader can use: mean a - mean b on the linear scale, the ratio of geometric
    means a / b on the log scale, the odds ratio of a to b on the logit scale. Of runs that are 0 or
    1 each (binomial) it is the difference of the rates with Newcombe's interval. A metric with a
    target is first replaced by its distance to it (on the log scale: the factor it misses by).

    Args:
        a: one finished value per training seed.
        b: of the other family, not paired with a.
        metric: what the values are.
        confidence: of the interval.

    Returns:
        None if either has fewer than two values, or neither has any spread (rates of runs need
        none).

    """
    interval = _newcombe if metric.scale == "binomial" else _welch
    found = interval(_natural(a, metric), _natural(b, metric), confidence)
    if found is None:
        return None
    back = float if KINDS[metric.scale] == "difference" else np.exp
    low, estimate, high = (float(back(v)) for v in found)
    return Difference(kind(metric), estimate, low, high)


def permutation_p(a: Values, b: Values, metric: Metric) -> float | None:
    """Return the two-sided p of the unpaired permutation test of the natural scale's means.

    None if either has fewer than two values. It cannot fall below `smallest_p`.
    """
    if min(len(a), len(b)) < 2:
        return None

    def difference(x: np.ndarray, y: np.ndarray, axis: int) -> np.ndarray:
        means: np.ndarray = x.mean(axis=axis) - y.mean(axis=axis)
        return means

    data = (_natural(a, metric), _natural(b, metric))
    found = stats.permutation_test(data, difference, vectorized=True, n_resamples=SPLITS, rng=0)
    return float(found.pvalue)


def smallest_p(n_a: int, n_b: int) -> float:
    """Return the smallest p that this many runs allow: 0.1 for 3 + 3, 0.008 for 5 + 5."""
    splits = comb(n_a + n_b, n_a)
    return min(1.0, 2 / (splits if splits <= SPLITS else SPLITS + 1))


def probability_of_improvement(
    a: Values, b: Values, metric: Metric, lost_a: int = 0, lost_b: int = 0
) -> float | None:
    """Return the share of pairs of runs in which a's is better; ties count half.

    A lost run (diverged or failed) is worse than every finished one and ties with a lost one. None
    if either has fewer than two runs, lost ones included.
    """
    ours = np.append(badness(a, metric), np.full(lost_a, np.inf))[:, None]
    theirs = np.append(badness(b, metric), np.full(lost_b, np.inf))[None]
    if min(ours.size, theirs.size) < 2:
        return None
    return float(((ours < theirs) + 0.5 * (ours == theirs)).mean())


def holm(p: Values) -> np.ndarray:
    """Return Holm's adjusted p values, in the order given; a NaN was no test and stays."""
    p = np.asarray(p, dtype=float)
    order = np.argsort(p)  # NaN last
    tests = int(np.isfinite(p).sum())
    steps = np.maximum.accumulate(p[order] * np.arange(tests, tests - len(p), -1))
    adjusted = np.empty_like(p)
    adjusted[order] = np.minimum(steps, 1)
    return adjusted


def clear_best(values: Mapping[str, Values], metric: Metric) -> str | None:
    """Return the family that is clearly best, or None.

    Its mean badness is the lowest, and the Welch interval of its difference to each of the k other
    families, at confidence 1 - 0.05 / k, lies wholly on the better side.

    Args:
        values: family -> one value per training seed, of every planned run.
        metric: what the values are.

    """
    if metric.direction == "none" or len(values) < 2:
        return None
    bad = {family: badness(own, metric) for family, own in values.items()}
    best = min(bad, key=lambda family: float(bad[family].mean()))
    confidence = 1 - 0.05 / (len(bad) - 1)
    found = [_welch(bad[best], bad[other], confidence) for other in bad if other != best]
    return best if all(interval is not None and interval[2] < 0 for interval in found) else None


def resampled_means(values: Mapping[str, Values], metric: Metric) -> np.ndarray:
    """Return the mean badness of bootstrap resamples over seeds, (RESAMPLES, families)."""
    generator = np.random.default_rng(0)
    own = [badness(v, metric) for v in values.values()]
    draws = [generator.integers(len(bad), size=(RESAMPLES, len(bad))) for bad in own]
    return np.stack([bad[d].mean(axis=1) for bad, d in zip(own, draws, strict=True)], axis=1)


def _natural(values: Values, metric: Metric) -> np.ndarray:
    """Return what is compared, in its own direction: a higher accuracy stays the higher number."""
    return -badness(values, metric) if metric.direction == "higher" else badness(values, metric)


def _welch(a: np.ndarray, b: np.ndarray, confidence: float) -> tuple[float, float, float] | None:
    """Return low, estimate and high of mean a - mean b."""
    if min(len(a), len(b)) < 2:
        return None
    u, v = a.var(ddof=1) / len(a), b.var(ddof=1) / len(b)
    if u + v == 0:  # t knows nothing of values at the end of a scale
        return None
    freedom = (u + v) ** 2 / (u**2 / (len(a) - 1) + v**2 / (len(b) - 1))
    half = float(stats.t.ppf(0.5 + confidence / 2, freedom) * np.sqrt(u + v))
    difference = float(a.mean() - b.mean())
    return difference - half, difference, difference + half


def _newcombe(a: np.ndarray, b: np.ndarray, confidence: float) -> tuple[float, float, float] | None:
    """Return low, estimate and high of the difference of two rates (Newcombe's method 10)."""
    if min(len(a), len(b)) < 2:
        return None
    p, q = float(a.mean()), float(b.mean())
    (p_low, p_high), (q_low, q_high) = wilson(a, confidence), wilson(b, confidence)
    below, above = np.hypot(p - p_low, q_high - q), np.hypot(p_high - p, q - q_low)
    return p - q - float(below), p - q, p - q + float(above)
