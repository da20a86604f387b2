"""Verdicts by the rules of the register: margins, bounds, p, pairs, floors, seeds seen before."""

import math

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from benchmarks.evaluation.registry import METRICS
from benchmarks.planning.config import Claim
from benchmarks.report.stats.comparison import difference
from tests.report.test_claims import HIGH, LOW, claim, judge
from tests.report.test_intervals import runs


def margin_of(kind: str, margin: float | None, expected: str = "lower", **more) -> Claim:
    said = {"row": "a", "metric": "fid_hybrid", "says": "a", "expected": expected, "kind": kind}
    against = {} if kind == "at_least" else {"against": "b", "margin": margin}
    return Claim(**said, **against, **more)


@pytest.mark.parametrize(
    ("kind", "margin", "outcome"),
    [  # a is about half of b: [.46, .53]
        *[("better", 1.0, "for"), ("better", 1.5, "for"), ("better", 2.0, "open")],
        *[("better", 3.0, "against"), ("no_better", 1.5, "against"), ("no_better", 3.0, "for")],
        *[("no_better", 2.0, "open"), ("equal", 3.0, "for"), ("equal", 2.0, "open")],
        ("equal", 1.5, "against"),
    ],
)
def test_the_interval_has_to_lie_beyond_the_margin(kind: str, margin: float, outcome: str) -> None:
    found = judge(margin_of(kind, margin), runs({"a": LOW, "b": HIGH}))
    assert found.found.low < 1 / 2.0 < found.found.high  # what the cases rest on
    assert found.verdict == outcome


@pytest.mark.parametrize(("margin", "outcome"), [(1.5, "for"), (2.0, "open"), (3.0, "against")])
def test_the_margin_lies_on_the_claimed_side(margin: float, outcome: str) -> None:
    """The row is about twice the one that it is compared with."""
    assert (
        judge(margin_of("better", margin, "higher"), runs({"a": HIGH, "b": LOW})).verdict == outcome
    )


@pytest.mark.parametrize(
    ("expected", "bound", "outcome"),
    [
        *[("lower", 1.5, "for"), ("lower", 0.5, "against"), ("lower", 1.05, "open")],
        *[("higher", 0.5, "for"), ("higher", 1.5, "against")],
    ],
)
def test_a_row_alone_has_to_reach_a_bound(expected: str, bound: float, outcome: str) -> None:
    found = judge(margin_of("at_least", None, expected, bound=bound), runs({"a": LOW}))
    assert (found.verdict, found.labels) == (outcome, ["a"])
    assert f"claimed at {'most' if expected == 'lower' else 'least'}" in found.numbers


def test_p_is_of_the_margin_by_students_t() -> None:
    """Two-sided, on the log scale, degrees of freedom by Welch and Satterthwaite: by scipy."""
    a, b = np.log(LOW), np.log(HIGH) - np.log(1.5)
    expected = stats.ttest_ind(a, b, equal_var=False).pvalue
    assert judge(margin_of("better", 1.5), runs({"a": LOW, "b": HIGH})).p == pytest.approx(expected)
    alone = stats.ttest_1samp(np.log(LOW), np.log(1.2)).pvalue
    found = judge(margin_of("at_least", None, bound=1.2), runs({"a": LOW}))
    assert found.p == pytest.approx(alone)


def test_p_of_rates_is_fishers() -> None:
    frame = runs({"a": [0.0] * 5, "b": [1.0] * 5}, metric="failure_rate")
    said = claim("failure_rate").model_copy(update={"margin": 0.2})
    found = judge(said, frame)
    assert found.p == pytest.approx(2 / math.comb(10, 5))  # one of the two most uneven tables
    assert (found.verdict, ", margin -0.20, p 0.008" in found.numbers) == ("for", True)
    assert found.found.high < -0.2


def test_rows_of_one_family_are_pairs() -> None:
    """Seeds differ far more than the two rows do: only as pairs is a difference seen."""
    a, b = [1.0, 2.0, 4.0], [1.1, 2.3, 4.5]
    frame = runs({"a": a, "b": b})
    assert judge(claim(), frame).verdict == "open"
    frame["family"] = "bigan"
    found = judge(claim(), frame)
    assert (found.verdict, found.found) == (
        "for",
        difference(a, b, METRICS["fid_hybrid"], paired=True),
    )
    frame.loc[(frame["label"] == "b") & (frame["seed"] == 2), "fid_hybrid"] = math.nan
    assert judge(claim(), frame).verdict == "open"  # no longer the same seeds


def controls_of(untrained: float) -> pd.DataFrame:
    frame = runs({"untrained": [untrained] * 3})
    return frame.assign(row="untrained", kind="control")


@pytest.mark.parametrize(("untrained", "outcome"), [(11.0, "for"), (10.0, "open")])
def test_nothing_is_said_of_samples_below_the_floor(untrained: float, outcome: str) -> None:
    said = claim().model_copy(update={"floor": "fid_hybrid"})
    found = judge(said, runs({"a": LOW, "b": HIGH}), controls_of(untrained))
    assert found.verdict == outcome
    assert ("no row reaches the floor" in found.numbers) == (outcome == "open")


def test_a_floor_of_another_metric_is_an_untrained_models() -> None:
    said = margin_of("better", 1.0, floor="latent_error")
    frame = runs({"a": LOW, "b": HIGH}).assign(latent_error=0.9)
    for untrained, outcome in ((1.0, "for"), (0.8, "open")):
        controls = controls_of(1.0).assign(latent_error=untrained)
        assert judge(said, frame, controls).verdict == outcome


def test_a_control_can_stand_against_a_row() -> None:
    said = claim().model_copy(update={"against": "untrained"})
    controls = controls_of(2.0).assign(fid_hybrid=HIGH)
    found = judge(said, runs({"a": LOW}), controls)
    assert (found.verdict, found.labels) == ("for", ["a", "untrained"])
    assert judge(said, runs({"a": LOW})).why == "untrained has no FID (digit features)"


@pytest.mark.parametrize(
    ("seeds", "seen", "date", "exploratory", "n"),
    [
        (10, 3, "2026-01-01", False, 7),
        (10, 6, "2026-01-01", True, 10),
        (5, 0, "2026-01-01", False, 5),
        (4, 0, "2026-01-01", True, 4),
        (10, 0, "", True, 10),  # not of the register
    ],
)
def test_seeds_that_were_seen_before_do_not_decide(seeds, seen, date, exploratory, n) -> None:
    values = np.linspace(1.0, 1.1, seeds)
    frame = runs({"a": values.tolist(), "b": (2 * values).tolist()})
    update = {"seen": {"mine": seen, "other": 99}, "date": date, "decisive": True}
    found = judge(claim().model_copy(update=update), frame, reduced=False)
    assert (found.exploratory, found.at_scale) == (exploratory, not exploratory)
    assert f"; {n} seeds each" in found.numbers
    assert found.word == ("for (reduced scale, exploratory)" if exploratory else "for")
    reduced = judge(claim().model_copy(update=update), frame)
    assert (reduced.at_scale, "reduced scale" in reduced.word) == (False, True)
