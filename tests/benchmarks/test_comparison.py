"""Differences between families: each number against a hand calculation or another route."""

import math
from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from scipy import stats

from benchmarks.evaluation.registry import METRICS
from benchmarks.report.comparison import (
    SPLITS,
    badness,
    clear_best,
    difference,
    difference_of_differences,
    holm,
    permutation_p,
    probability_of_improvement,
    resampled_means,
    smallest_p,
)
from benchmarks.report.statistics import estimate

LOWER, HIGHER, LINEAR = (
    METRICS[name] for name in ("fid_hybrid", "label_agreement", "kid_hybrid")
)  # log, logit, linear
TARGET = replace(LOWER, name="power_ratio", direction="target", target=1.0)
A, B = [2.0, 2.4, 1.9, 2.2], [3.0, 2.1, 3.6]


def test_badness_by_hand() -> None:
    assert badness([1.0, math.e], LOWER) == pytest.approx([0, 1])
    assert badness([0.5, 0.75], HIGHER) == pytest.approx([0, -math.log(3)])
    assert badness([0.5, 1.0, 2.0], TARGET) == pytest.approx([math.log(2), 0, math.log(2)])
    assert badness([-0.1, 0.2], LINEAR) == pytest.approx([-0.1, 0.2])
    assert np.isfinite(badness([0.0, 1.0], HIGHER)).all()  # at the ends of a rate
    with pytest.raises(ValueError, match="train_seconds: no value is better"):
        badness([1.0], METRICS["train_seconds"])
    with pytest.raises(ValueError, match="no value is better"):
        badness([1.0], replace(TARGET, target=None))


@pytest.mark.parametrize("confidence", [0.95, 0.99])
def test_welch_is_scipys_on_the_natural_scale(confidence: float) -> None:
    rates = [0.9, 0.92, 0.88], [0.8, 0.7, 0.85, 0.6]
    logits = [np.log(np.divide(r, np.subtract(1, r))) for r in rates]
    for metric, (a, b), (x, y), back in (
        (LINEAR, (A, B), (A, B), float),
        (LOWER, (A, B), (np.log(A), np.log(B)), math.exp),
        (HIGHER, rates, logits, math.exp),
    ):
        found = difference(a, b, metric, confidence=confidence)
        ends = stats.ttest_ind(x, y, equal_var=False).confidence_interval(confidence)
        assert found.estimate == pytest.approx(back(np.mean(x) - np.mean(y)))
        assert (found.low, found.high) == pytest.approx((back(ends.low), back(ends.high)))


def test_welch_reports_the_readable_kind_in_the_right_sense() -> None:
    ratio = difference([1.0, 1.0], [2.0, 2.2], LOWER)
    assert ratio.kind == "ratio"
    assert ratio.estimate == pytest.approx(1 / math.sqrt(2 * 2.2))
    odds = difference([0.75, 0.75], [0.5, 0.5001], HIGHER)  # odds of 3 to 1 against 1 to 1
    assert (odds.kind, odds.estimate) == ("odds ratio", pytest.approx(3, rel=1e-3))
    assert difference([3.0, 4.0], [1.0, 1.5], LINEAR).estimate == pytest.approx(2.25)
    missed = difference([0.5, 0.5], [4.0, 4.001], TARGET)  # off by a factor of 2 against one of 4
    assert missed.kind == "ratio of distances to 1"
    assert missed.estimate == pytest.approx(0.5, rel=1e-3)


@pytest.mark.parametrize("metric", [LOWER, LINEAR, TARGET])
def test_swapping_the_families_turns_everything_round(metric) -> None:
    one, other = difference(A, B, metric), difference(B, A, metric)
    turned = (lambda v: -v) if metric is LINEAR else (lambda v: 1 / v)
    assert one.estimate == pytest.approx(turned(other.estimate))
    assert (one.low, one.high) == pytest.approx((turned(other.high), turned(other.low)))
    assert permutation_p(A, B, metric) == permutation_p(B, A, metric)
    shares = [probability_of_improvement(*pair, metric) for pair in ((A, B), (B, A))]
    assert sum(shares) == pytest.approx(1)


def test_one_seed_or_no_spread_compares_nothing() -> None:
    assert difference([1.0], B, LOWER) is None
    assert difference(B, [1.0], LOWER) is None
    assert difference([0.9, 0.9], [1.0, 1.0], HIGHER) is None
    assert permutation_p([1.0], B, LOWER) is None
    assert probability_of_improvement([1.0], B, LOWER) is None
    assert probability_of_improvement([1.0], B, LOWER, lost_a=1) == 0.5


FOUR = ([1.0, 3.0], [0.0, 2.0]), ([5.0, 6.0], [4.0, 8.0])


def test_two_differences_by_hand() -> None:
    """Means 2, 1, 5.5, 6; variances of the means 1, 1, 1/4, 4, of one degree of freedom each."""
    freedom = 6.25**2 / (1 + 1 + 1 / 16 + 16)
    half = stats.t.ppf(0.975, freedom) * math.sqrt(6.25)
    found = difference_of_differences(*FOUR, LINEAR)
    assert (found.kind, found.estimate) == ("difference of differences", 1 - (-0.5))
    assert (found.low, found.high) == pytest.approx((1.5 - half, 1.5 + half))
    as_logs = [[np.exp(values) for values in pair] for pair in FOUR]
    ratio = difference_of_differences(*as_logs, LOWER)
    assert ratio.kind == "ratio of ratios"
    assert (ratio.low, ratio.estimate, ratio.high) == pytest.approx(
        tuple(np.exp([found.low, 1.5, found.high]))
    )
    as_rates = [[1 / (1 + np.exp(-np.array(values))) for values in pair] for pair in FOUR]
    odds = difference_of_differences(*as_rates, HIGHER)
    assert odds.kind == "ratio of odds ratios"
    assert (odds.low, odds.high) == pytest.approx((ratio.low, ratio.high))
    assert difference_of_differences(FOUR[0], ([5.0], [4.0, 8.0]), LINEAR) is None


def test_two_differences_beside_a_pair_without_spread_are_one() -> None:
    one, both = (
        difference(A, B, LINEAR),
        difference_of_differences((A, B), ([3.0, 3.0], [1.0] * 3), LINEAR),
    )
    ends = [(d.low, d.estimate, d.high) for d in (one, both)]
    assert ends[1] == pytest.approx([end - 2 for end in ends[0]])
    places = difference_of_differences(
        *[(BETTER, CLASSES), (CLASSES, BETTER)], metric=LINEAR, paired=True
    )
    twice = difference(2 * BETTER, 2 * CLASSES, LINEAR, paired=True)
    assert (places.low, places.high) == pytest.approx((twice.low, twice.high))


def test_two_differences_cover_as_stated_with_unequal_spreads() -> None:
    g = np.random.default_rng(0)
    drawn = [
        [[g.normal(4, 3, 5), g.normal(1, 1, 5)], [g.normal(2, 0.5, 5), g.normal(0, 2, 5)]]
        for _ in range(2000)
    ]
    found = [difference_of_differences(*pairs, LINEAR) for pairs in drawn]
    assert np.mean([f.low <= 1 <= f.high for f in found]) == pytest.approx(0.95, abs=0.015)


def test_welch_covers_as_stated_with_unequal_spreads() -> None:
    g = np.random.default_rng(0)
    found = [difference(g.normal(1, 3, 4), g.normal(0, 1, 6), LINEAR) for _ in range(2000)]
    assert np.mean([f.low <= 1 <= f.high for f in found]) == pytest.approx(0.95, abs=0.015)


def enumerated(a, b) -> float:
    """Return twice the smaller tail over every split of the pooled values."""
    pooled = np.append(a, b)
    means = []
    for chosen in combinations(range(len(pooled)), len(a)):
        mask = np.isin(np.arange(len(pooled)), chosen)
        means.append(pooled[mask].mean() - pooled[~mask].mean())
    seen = np.mean(a) - np.mean(b)
    tails = np.mean(np.array(means) <= seen + 1e-12), np.mean(np.array(means) >= seen - 1e-12)
    return min(1.0, 2 * min(tails))


@pytest.mark.parametrize(("n", "m"), [(2, 3), (3, 3), (4, 3), (5, 5)])
def test_permutation_p_is_that_of_all_splits(n: int, m: int) -> None:
    g = np.random.default_rng(n * m)
    a, b = np.exp(g.normal(0, 1, n)), np.exp(g.normal(0.7, 1, m))
    assert permutation_p(a, b, LOWER) == pytest.approx(enumerated(np.log(a), np.log(b)))
    assert permutation_p(a, b, LINEAR) == pytest.approx(enumerated(a, b))
    assert permutation_p(a, b, TARGET) == pytest.approx(
        enumerated(np.abs(np.log(a)), np.abs(np.log(b)))
    )


def test_smallest_p_is_reached_by_separated_families() -> None:
    assert smallest_p(3, 3) == pytest.approx(0.1)
    assert smallest_p(5, 5) == pytest.approx(2 / 252)
    assert smallest_p(1, 1) == 1
    for n in (2, 3, 5, 7, 8):  # 8 + 8 has more splits than are enumerated
        apart = np.arange(1.0, n + 1), np.arange(100.0, n + 100)
        assert permutation_p(*apart, LOWER) == pytest.approx(smallest_p(n, n))
    assert smallest_p(10, 10) == pytest.approx(2 / (SPLITS + 1))
    assert permutation_p([1.0, 1.0], [1.0, 1.0], LOWER) == 1


def test_probability_of_improvement_is_mann_whitneys() -> None:
    g = np.random.default_rng(1)
    a, b = g.integers(1, 6, 7) / 10, g.integers(2, 8, 5) / 10  # with ties
    u = stats.mannwhitneyu(a, b).statistic / (len(a) * len(b))  # share of pairs with a > b
    assert probability_of_improvement(a, b, HIGHER) == pytest.approx(u)
    assert probability_of_improvement(a, b, LOWER) == pytest.approx(1 - u)
    assert probability_of_improvement([0.9, 1.1], [0.5, 2.5], TARGET) == 1


def test_lost_runs_lose() -> None:
    share = probability_of_improvement
    assert share([1.0, 1.0], [9.0, 9.0], LOWER) == 1
    assert share([1.0, 1.0], [9.0, 9.0], LOWER, lost_a=2) == 0.5
    assert share([0.9, 0.9], [0.1], HIGHER, lost_b=1) == 1
    assert share([1.0], [1.0], LOWER, lost_a=1, lost_b=1) == 0.5
    assert share([1.0, 1.0, 1.0], [9.0], LOWER, lost_a=1, lost_b=1) == (3 + 3 + 0 + 0.5) / 8


def test_holm_by_hand() -> None:
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.5, 0.6]) == pytest.approx([1, 1])
    assert holm([0.02, math.nan, 0.01]) == pytest.approx([0.02, math.nan, 0.02], nan_ok=True)
    assert len(holm([])) == 0


def test_best_needs_a_clear_difference_not_clear_intervals() -> None:
    values = {"a": [10.0, 10.8, 11.6], "b": [13.0, 14.0, 15.0]}
    assert clear_best(values, LOWER) == "a"
    assert clear_best(values, LINEAR) == "a"
    rates = {name: [v / 20 for v in own] for name, own in values.items()}
    assert clear_best(rates, HIGHER) == "b"


def test_best_is_corrected_for_the_number_of_families() -> None:
    a, b = [10.0, 10.8, 11.6], [13.0, 14.0, 15.0]
    assert difference(a, b, LINEAR, confidence=0.95).high < 0
    assert difference(a, b, LINEAR, confidence=1 - 0.05 / 6).high > 0
    far = {f"far{i}": [100.0 + i, 101.0, 102.0] for i in range(5)}
    assert clear_best({"a": a, "b": b}, LINEAR) == "a"
    assert clear_best({"a": a, "b": b} | far, LINEAR) is None


def test_best_is_never_marked_without_spread_or_direction() -> None:
    clear = {"a": [1.0, 1.1, 0.9], "b": [5.0, 5.1, 4.9]}
    assert clear_best(clear, METRICS["train_seconds"]) is None
    assert clear_best({"a": [1.0, 1.1]}, LOWER) is None
    assert clear_best({}, LOWER) is None
    assert clear_best(clear | {"c": [9.0]}, LOWER) is None
    assert clear_best({"a": [1.0], "b": [5.0, 5.1, 4.9]}, LOWER) is None
    assert clear_best({"a": [0.9, 0.9], "b": [0.8, 0.8]}, HIGHER) is None


def test_best_of_a_target_is_the_nearest_from_either_side() -> None:
    values = {"low": [0.50, 0.51, 0.52], "near": [1.05, 1.06, 1.04], "high": [2.0, 2.1, 1.9]}
    assert clear_best(values, TARGET) == "near"
    astride = {"below": [0.90, 0.91, 0.92], "above": [1.10, 1.09, 1.11]}  # equally far off
    assert clear_best(astride, TARGET) is None
    assert clear_best(astride, LOWER) == "below"


def test_false_marks_are_as_rare_as_stated() -> None:
    g = np.random.default_rng(0)
    marked = [
        clear_best({name: np.exp(g.normal(0, 0.3, 5)) for name in "abcd"}, LOWER)
        for _ in range(1000)
    ]
    assert np.mean([best is not None for best in marked]) < 0.05


def test_resampling_is_over_seeds_fixed_and_covers_every_combination() -> None:
    values = {"a": [1.0, 2.0], "b": [0.0, 10.0, 20.0]}
    means = resampled_means(values, LINEAR)
    assert means.shape == (2000, 2)
    assert (means == resampled_means(values, LINEAR)).all()
    assert set(means[:, 0]) == {1.0, 1.5, 2.0}
    assert np.mean(means[:, 0] == 1.5) == pytest.approx(0.5, abs=0.04)
    assert len(set(means[:, 1].round(6))) == 7  # sums 0, 10, ..., 60


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
