"""Differences between families: each number against a hand calculation or another route."""

import math
from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from scipy import stats

from benchmarks.evaluation.registry import METRICS
from benchmarks.report.stats.comparison import (
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
