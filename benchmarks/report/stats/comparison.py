"""Families compared over training seeds: differences, how sure they are, and ranks.

A training run is the unit. The images of one run share its seed, so nothing here resamples images.
Sources: Holm 1979; Agarwal et al. 2021, arXiv:2108.13264 (probability of improvement).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import comb

import numpy as np
from scipy import stats

from benchmarks.evaluation.registry import Metric
from benchmarks.report.stats.intervals import SCALES, inside, newcombe, student, welch

KINDS = {
    "linear": "difference",
    "log": "ratio",
    "logit": "odds ratio",
    "binomial": "difference",
}
TWICE = {
    "difference": "difference of differences",
    "ratio": "ratio of ratios",
    "odds ratio": "ratio of odds ratios",
}
"""What `difference_of_differences` is, by what it compares."""
SPLITS = 5_000
"""Permutation tests are exact up to this many splits (7 + 7 runs: 3,432); this many random ones
stand for all of them beyond."""
RESAMPLES = 2_000
Values = Sequence[float] | np.ndarray


@dataclass(frozen=True)
class Difference:
    """How far a is from b, with its interval; what it is a difference of, `kind` says."""

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
    """Return what a `difference` is: one, a ratio, an odds ratio, or one of distances."""
    distances = "" if metric.target is None else f" of distances to {metric.target:g}"
    return KINDS[metric.scale] + distances


def difference(
    a: Values, b: Values, metric: Metric, paired: bool = False, confidence: float = 0.95
) -> Difference | None:
    """Return how a differs from b with its interval, computed on the natural scale.

    The interval is Welch's, or, of pairs, Student's of their differences.

    Reported as what a reader can use: mean a - mean b on the linear scale, the ratio of geometric
    means a / b on the log scale, the odds ratio of a to b on the logit scale. Of runs that are 0 or
    1 each (binomial) it is the difference of the rates with Newcombe's interval. A metric with a
    target is first replaced by its distance to it (on the log scale: the factor it misses by).

    Args:
        a: one finished value per training seed.
        b: of the other family.
        metric: what the values are.
        paired: each of a belongs to the one of b at its place.
        confidence: of the interval.

    Returns:
        None if either has fewer than two values, or neither has any spread (rates of runs need
        none).

    """
    return _apart([a], [b], metric, kind(metric), paired, confidence)


def difference_of_differences(
    one: tuple[Values, Values],
    other: tuple[Values, Values],
    metric: Metric,
    paired: bool = False,
    confidence: float = 0.95,
) -> Difference | None:
    """Return how far apart one pair is beside another: (a - b) - (c - d) on the natural scale.

    Everything else is as for `difference`, with four groups in the place of two. Reported as a
    ratio of ratios on the log scale and as a ratio of odds ratios on the logit scale.

    Args:
        one: values of a and of b, one per finished training seed.
        other: values of c and of d.
        metric: what the values are; no target.
        paired: the values of all four at the same place belong together.
        confidence: of the interval.

    """
    (a, b), (c, d) = one, other
    return _apart([a, d], [b, c], metric, TWICE[KINDS[metric.scale]], paired, confidence)


def _apart(
    added: Sequence[Values],
    taken: Sequence[Values],
    metric: Metric,
    said: str,
    paired: bool,
    confidence: float,
) -> Difference | None:
    """Return the sum of some means less that of others, as what a reader can use."""
    unpaired = newcombe if metric.scale == "binomial" else welch
    up, down = ([_natural(values, metric) for values in side] for side in (added, taken))
    found = (student if paired and unpaired is welch else unpaired)(up, down, confidence)
    if found is None:
        return None
    back = float if KINDS[metric.scale] == "difference" else np.exp
    low, estimate, high = (float(back(v)) for v in found)
    return Difference(said, estimate, low, high)


def permutation_p(a: Values, b: Values, metric: Metric, paired: bool = False) -> float | None:
    """Return the two-sided p of the permutation test of the natural scale's means.

    Runs change families freely, or, of pairs, with their partner. None if either has fewer than two
    values. It cannot fall below `smallest_p`.
    """
    if min(len(a), len(b)) < 2:
        return None

    def between(x: np.ndarray, y: np.ndarray, axis: int) -> np.ndarray:
        means: np.ndarray = x.mean(axis=axis) - y.mean(axis=axis)
        return means

    data = (_natural(a, metric), _natural(b, metric))
    found = stats.permutation_test(
        *(data, between),
        permutation_type="samples" if paired else "independent",
        vectorized=True,
        n_resamples=SPLITS,
        rng=0,
    )
    return float(found.pvalue)


def smallest_p(n_a: int, n_b: int, paired: bool = False) -> float:
    """Return the smallest p that this many runs allow: 0.1 for 3 + 3, 0.008 for 5 + 5.

    Of pairs, 0.25 for 3 and 0.002 for 10.
    """
    splits = 2**n_a if paired else comb(n_a + n_b, n_a)
    return min(1.0, 2 / (splits if splits <= SPLITS else SPLITS + 1))


def probability_of_improvement(
    a: Values,
    b: Values,
    metric: Metric,
    lost_a: int = 0,
    lost_b: int = 0,
    paired: bool = False,
) -> float | None:
    """Return the share of pairs of runs in which a's is better; ties count half.

    All pairs, or, where each run has its partner, those.

    A lost run (diverged or failed) is worse than every finished one and ties with a lost one. None
    if either has fewer than two runs, lost ones included.
    """
    ours = np.append(badness(a, metric), np.full(lost_a, np.inf))
    theirs = np.append(badness(b, metric), np.full(lost_b, np.inf))
    if min(ours.size, theirs.size) < 2:
        return None
    if not paired:
        ours, theirs = ours[:, None], theirs[None]
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


def clear_best(
    values: Mapping[str, Values], metric: Metric, paired: bool = False, error: float = 0.05
) -> str | None:
    """Return the family that is clearly best, or None.

    Its mean badness is the lowest, and the interval of its difference to each of the k other
    families, at confidence 1 - error / k, lies wholly on the better side.

    Args:
        values: family -> one value per training seed, of every planned run.
        metric: what the values are.
        paired: values of different families at the same place belong together.
        error: how often, at most, chance alone may make one clear.

    """
    if metric.direction == "none" or len(values) < 2:
        return None
    bad = {family: badness(own, metric) for family, own in values.items()}
    best = min(bad, key=lambda family: float(bad[family].mean()))
    confidence = 1 - error / (len(bad) - 1)
    interval = student if paired else welch
    found = [interval([bad[best]], [bad[other]], confidence) for other in bad if other != best]
    return best if all(one is not None and one[2] < 0 for one in found) else None


def resampled_means(
    values: Mapping[str, Values], metric: Metric, paired: bool = False
) -> np.ndarray:
    """Return the mean badness of bootstrap resamples over seeds, (RESAMPLES, families).

    Of pairs, all families are drawn at the same places.
    """
    generator = np.random.default_rng(0)
    own = [badness(v, metric) for v in values.values()]
    draws = [generator.integers(len(bad), size=(RESAMPLES, len(bad))) for bad in own]
    if paired:
        draws = [draws[0]] * len(own)
    return np.stack([bad[d].mean(axis=1) for bad, d in zip(own, draws, strict=True)], axis=1)


def _natural(values: Values, metric: Metric) -> np.ndarray:
    """Return what is compared, in its own direction: a higher accuracy stays the higher number."""
    return -badness(values, metric) if metric.direction == "higher" else badness(values, metric)
