"""Differences of rates of runs, and of runs that are pairs."""

import math
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from benchmarks.evaluation.registry import METRICS
from benchmarks.report.stats.comparison import (
    clear_best,
    difference,
    difference_of_differences,
    permutation_p,
    probability_of_improvement,
    resampled_means,
    smallest_p,
)
from benchmarks.report.stats.intervals import estimate

HIGHER, LINEAR = METRICS["label_agreement"], METRICS["kid_hybrid"]
RATE = METRICS["failure_rate"]


@pytest.mark.parametrize(
    ("failed", "n", "low", "high"),
    [(0, 5, 0.0, 0.4345), (3, 5, 0.2307, 0.8824), (5, 5, 0.5655, 1.0)],
)
def test_rates_of_runs_have_wilsons_interval(failed, n, low, high) -> None:
    runs = [1.0] * failed + [0.0] * (n - failed)
    found = estimate(runs, RATE.scale)
    assert (found.low, found.high) == pytest.approx((low, high), abs=5e-5)
    exact = stats.binomtest(failed, n).proportion_ci(method="wilson")
    assert (found.low, found.high) == pytest.approx((exact.low, exact.high))


def test_differences_of_rates_are_newcombes() -> None:
    """The first two cases are those of Newcombe 1998, Table II: 56/70 - 48/80 and 9/10 - 3/10."""
    for (a, n), (b, m), low, high in (
        ((56, 70), (48, 80), 0.0524, 0.3339),
        ((9, 10), (3, 10), 0.1705, 0.8090),
    ):
        found = difference([1.0] * a + [0.0] * (n - a), [1.0] * b + [0.0] * (m - b), RATE)
        assert found.kind == "difference"
        assert found.estimate == pytest.approx(a / n - b / m)
        assert (found.low, found.high) == pytest.approx((low, high), abs=5e-5)
    assert difference([1.0] * 5, [0.0] * 5, RATE).low > 0  # no spread, and yet a clear difference
    assert difference([1.0], [0.0] * 5, RATE) is None


def test_two_differences_of_rates_reach_as_far_as_both() -> None:
    """Zou and Donner 2008: the distances from estimate to end, squared, add up."""
    rates = [[1.0] * failed + [0.0] * (10 - failed) for failed in (9, 3, 5, 2)]
    one, other = difference(*rates[:2], RATE), difference(*rates[2:], RATE)
    found = difference_of_differences(rates[:2], rates[2:], RATE)
    assert found.estimate == pytest.approx(0.6 - 0.3)
    reach = math.hypot(one.estimate - one.low, other.high - other.estimate)
    assert found.low == pytest.approx(0.3 - reach)
    reach = math.hypot(one.high - one.estimate, other.estimate - other.low)
    assert found.high == pytest.approx(0.3 + reach)


# Ten classes, one hard: between them the scores spread far more than from family to family.
CLASSES = np.array([0.95, 0.9, 0.85, 0.6, 0.92, 0.88, 0.91, 0.7, 0.93, 0.89])
BETTER = CLASSES + np.array([0.01, 0.02, 0.01, 0.03, 0.02, 0.01, 0.02, 0.03, 0.01, -0.01])


def test_pairs_by_scipy() -> None:
    x, y = (np.log(v / (1 - v)) for v in (BETTER, CLASSES))
    ends = stats.ttest_rel(x, y).confidence_interval(0.95)
    found = difference(BETTER, CLASSES, HIGHER, paired=True)
    assert found.estimate == pytest.approx(math.exp(np.mean(x - y)))
    assert (found.low, found.high) == pytest.approx((math.exp(ends.low), math.exp(ends.high)))
    unpaired = difference(BETTER, CLASSES, HIGHER)
    assert found.estimate == pytest.approx(unpaired.estimate)
    assert unpaired.low < 1 < found.low
    assert difference([1.0, 2.0], [2.0, 3.0], LINEAR, paired=True) is None  # no spread


def test_paired_p_is_that_of_all_signs() -> None:
    apart = BETTER - CLASSES
    signs = np.array(np.meshgrid(*[[-1, 1]] * len(apart))).reshape(len(apart), -1)
    means = (signs * apart[:, None]).mean(axis=0)
    expected = np.mean(np.abs(means) >= abs(apart.mean()) - 1e-12)
    metric = replace(LINEAR, direction="higher")
    assert permutation_p(BETTER, CLASSES, metric, paired=True) == pytest.approx(expected)
    assert smallest_p(10, 10, paired=True) == pytest.approx(2 / 1024)
    best = CLASSES + np.linspace(0.01, 0.02, 10)
    assert permutation_p(best, CLASSES, metric, paired=True) == pytest.approx(2 / 1024)


def test_partners_are_compared_and_drawn_together() -> None:
    assert probability_of_improvement(BETTER, CLASSES, HIGHER, paired=True) == 0.9
    assert probability_of_improvement(BETTER, CLASSES, HIGHER) < 0.7
    values = {"better": BETTER, "classes": CLASSES}
    assert clear_best(values, HIGHER) is None
    assert clear_best(values, HIGHER, paired=True) == "better"
    drawn = resampled_means(values, LINEAR, paired=True)
    assert (drawn[:, 0] > drawn[:, 1]).mean() > 0.99


def test_two_differences_of_pairs_are_differences_of_pairs() -> None:
    places = difference_of_differences(
        *[(BETTER, CLASSES), (CLASSES, BETTER)], metric=LINEAR, paired=True
    )
    twice = difference(2 * BETTER, 2 * CLASSES, LINEAR, paired=True)
    assert (places.low, places.high) == pytest.approx((twice.low, twice.high))
