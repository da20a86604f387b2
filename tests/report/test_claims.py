"""Claims and published numbers against runs, by hand."""

import math

import pandas as pd
import pytest

from benchmarks.common.errors import UserError
from benchmarks.evaluation.registry import METRICS
from benchmarks.planning import suites
from benchmarks.planning.config import Claim, Pair, Published
from benchmarks.planning.keys import Key
from benchmarks.report.stats.claims import Evidence, verdicts
from benchmarks.report.stats.comparison import difference, difference_of_differences
from benchmarks.report.stats.reproduced import reproduced
from benchmarks.report.stats.verdict import Verdict
from benchmarks.report.text.findings import published
from tests.report.test_intervals import runs

LOW, HIGH = [1.0, 1.1, 1.05], [2.0, 2.3, 2.1]


def claim(metric: str = "fid_hybrid", expected: str = "lower", row: str = "a") -> Claim:
    against = "b" if row == "a" else "a"
    return Claim(row=row, against=against, metric=metric, expected=expected, says="a, not b")


def judge(
    said: Claim, frame: pd.DataFrame, controls: pd.DataFrame | None = None, **known
) -> Verdict:
    none = pd.DataFrame(columns=frame.columns)
    evidence = Evidence("mine", frame, none if controls is None else controls, **known)
    return verdicts([said], evidence)[0]


def verdict(frame: pd.DataFrame, **said: str) -> Verdict:
    return judge(claim(**said), frame)


@pytest.mark.parametrize(
    ("expected", "row", "outcome"),
    [
        ("lower", "a", "for"),
        ("higher", "a", "against"),
        ("lower", "b", "against"),
        ("higher", "b", "for"),
    ],
)
@pytest.mark.parametrize("metric", ["fid_hybrid", "kid_hybrid", "hf_ratio", "train_seconds"])
def test_the_interval_of_the_difference_decides(metric, expected, row, outcome) -> None:
    """Whatever is better in a metric: the claim is about its value, above a target or below."""
    found = verdict(runs({"a": LOW, "b": HIGH}, metric), metric=metric, expected=expected, row=row)
    assert found.verdict == outcome


@pytest.mark.parametrize(
    ("readouts", "rows", "outcome"),
    [
        (("", ""), "a against b", "for"),
        (("head", ""), "a (head) against b", "against"),
        (("", "head"), "a against b (head)", "open"),  # the same numbers
        (("head", "head"), "a (head) against b (head)", "against"),
        (("tail", ""), "a (tail) against b", "open"),
    ],
)
def test_claims_and_published_numbers_are_of_a_readout(readouts, rows, outcome: str) -> None:
    heads = {Key(row, row, readout="head"): own for row, own in (("a", [9, 9.1, 9.2]), ("b", LOW))}
    frame = runs({"a": LOW, "b": HIGH} | heads)
    readout, against = readouts
    said = claim().model_copy(update={"readout": readout, "against_readout": against})
    found = judge(said, frame)
    assert (" against ".join(found.labels), found.verdict) == (rows, outcome)
    number = Published(row="a", readout=readout, metric="fid_hybrid", value=1.0, source="")
    (ours,) = reproduced([number], frame, 400)
    assert (ours.cells[0], ours.n) == (rows.split(" against")[0], 0 if readout == "tail" else 3)


def test_the_numbers_are_welchs() -> None:
    found = verdict(runs({"a": LOW, "b": HIGH}))
    d = difference(LOW, HIGH, METRICS["fid_hybrid"])
    assert found.found == d
    assert found.numbers == (
        f"FID (digit features) of a over b: {d.estimate:.3f} [{d.low:.3f}, {d.high:.3f}], "
        "margin 1.00, p < .001; 3 seeds each"
    )


def test_what_cannot_be_decided_says_why() -> None:
    close = verdict(runs({"a": [1.0, 2.0, 3.0], "b": [1.1, 2.1, 3.1]}))
    assert (close.verdict, close.why) == ("open", "")
    assert close.found.low < 1 < close.found.high
    for frame, why in (
        (runs({"a": LOW}), "b is not among these runs"),
        (runs({"a": LOW, "b": HIGH}, b1="missing"), "2 of 3 runs of b have ended"),
        (runs({"a": [1.0], "b": [2.0]}), "too few seeds, or no spread between them"),
        (runs({"a": LOW, "b": [math.nan] * 3}), "b has no FID (digit features)"),
    ):
        found = verdict(frame)
        assert (found.verdict, found.numbers) == ("open", why)


FAR = {"a": LOW, "b": HIGH, "c": [1.0, 1.1, 1.05], "d": [1.02, 1.1, 1.0]}
"""a is half of b, and c as large as d."""


@pytest.mark.parametrize(
    ("expected", "pairs", "outcome"),
    [
        ("lower", "abcd", "for"),
        ("higher", "abcd", "against"),
        ("lower", "cdab", "against"),
        ("higher", "bacd", "for"),
        ("lower", "abab", "open"),
    ],
)
def test_a_difference_beside_another(expected: str, pairs: str, outcome: str) -> None:
    a, b, c, d = pairs
    said = Claim(
        **{"row": a, "against": b, "metric": "fid_hybrid", "expected": expected},
        **{"more_than": {"row": c, "against": d}, "says": "more"},
    )
    found = judge(said, runs(FAR))
    both = difference_of_differences((FAR[a], FAR[b]), (FAR[c], FAR[d]), METRICS["fid_hybrid"])
    assert (found.verdict, found.found) == (outcome, both)
    assert found.labels == [a, b, c, d]
    assert found.numbers.startswith(f"{a} against {b} beside {c} against {d}: ")
    assert f"FID (digit features), ratio of ratios {both.estimate:#.3g} [" in found.numbers
    assert found.numbers.endswith("; 3 seeds each")


def test_a_difference_beside_another_needs_all_four_rows() -> None:
    said = claim().model_copy(update={"more_than": Pair(row="c", against="d")})
    found = judge(said, runs({row: FAR[row] for row in "abc"}))
    assert (found.verdict, found.why) == ("open", "d is not among these runs")


def test_lost_runs_are_said_and_speak_for_nobody() -> None:
    frame = runs({"a": [1.0, 1.1, 1.05, math.nan], "b": HIGH}, a3="diverged")
    found = verdict(frame)
    assert found.verdict == "for"  # of the finished ones
    assert found.runs == "3 (1 lost) and 3 seeds"


def test_failure_rates_are_decided_without_spread() -> None:
    frame = runs({"a": [0.0] * 5, "b": [1.0] * 5}, metric="failure_rate")
    frame.loc[frame["label"] == "b", "status"] = "diverged"
    found = verdict(frame, metric="failure_rate")
    assert found.verdict == "for"
    assert found.found.estimate == -1
    two = runs({"a": [0.0] * 5, "b": [1.0, 1.0, 0.0, 0.0, 0.0]}, metric="failure_rate")
    assert verdict(two, metric="failure_rate").verdict == "open"


def test_published_numbers_stand_beside_ours() -> None:
    rates = runs({"bigan": [0.97, 0.98, 0.99], "one": [0.5]}, metric="knn1_accuracy_features")
    said = [
        Published(row=row, metric="knn1_accuracy_features", value=0.97, source="a table")
        for row in ("bigan", "one", "absent")
    ]
    three, one, absent = reproduced(said, rates, 400)
    assert (three.ours, three.difference) == pytest.approx((0.98, 0.01))
    # A hundredth of spread over three seeds, and 400 images of which one in fifty is wrong.
    assert three.standard_error == pytest.approx(math.sqrt(0.01**2 / 3 + 0.98 * 0.02 / 400))
    assert three.cells == (
        *("BiGAN", "1-NN features", "0.980", "0.970", "0.010", "0.009", "3", "a table"),
    )
    assert one.cells[2:7] == ("0.500", "0.970", "-0.470", "0.025", "1")  # of the images alone
    assert absent.cells[2:7] == ("–", "0.970", "–", "–", "0")
    assert published([three, one, absent]) == [
        "1 of 2 published numbers that can be judged are within two standard errors of ours. "
        "Further off: one in 1-NN features (off by -0.470). With one seed that error is of the "
        "test images alone: what seeds do is unknown."
    ]
    assert "one seed" not in published([three])[0]
    assert published([absent]) == []
    ratio = runs({"one": [0.5]}, metric="reconstruction_ratio")
    other = Published(row="one", metric="reconstruction_ratio", value=0.5, source="a table")
    assert reproduced([other], ratio, 400)[0].near is None  # one seed, and no rate: no error known


@pytest.mark.parametrize("half", ["quote", "place"])
def test_a_quote_needs_its_place(half: str) -> None:
    """Of a suite of one's own, too."""
    with pytest.raises(ValueError, match="a quote needs its place"):
        Claim.model_validate(claim().model_dump() | {half: "somewhere"})


def test_a_claim_about_an_unknown_metric_is_refused(tmp_path) -> None:
    text = (suites.SUITES / "digits.toml").read_text()
    line = '{row = "bigan", against = "gan", metric = "fidd", expected = "lower", says = ""}'
    path = tmp_path / "mine.toml"
    path.write_text(text.replace("seeds = 3", f"seeds = 3\nclaims = [{line}]"))
    with pytest.raises(UserError, match="metric in what is said of bigan 'fidd'; did you mean"):
        suites.load_suite(str(path))
    path.write_text(path.read_text().replace("fidd", "fid_hybrid"))
    assert suites.load_suite(str(path)).claims[0].metric == "fid_hybrid"
