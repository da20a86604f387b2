"""Tables of differences and ranks from runs, and the report's section on them."""

import math

import numpy as np
import pytest

from benchmarks.evaluation.registry import METRICS
from benchmarks.report.stats import comparison
from benchmarks.report.stats.pairwise import DIFFERENCES, RANKS, differences, groups, ranks
from benchmarks.report.text.differences import NO_COMPARISON, reading, section
from tests.report.test_intervals import control, runs

FID, LABEL = METRICS["fid_hybrid"], METRICS["label_agreement"]
THREE = {"worst": [9.0, 9.5, 8.0], "best": [1.0, 1.3, 1.1], "middle": [3.0, 2.0, 2.5]}


def test_differences_hold_what_the_functions_say() -> None:
    table = differences(runs(THREE)).set_index(["a", "b"])
    assert list(table.index) == [("best", "middle"), ("best", "worst"), ("middle", "worst")]
    assert list(table.reset_index()[list(DIFFERENCES)].columns) == list(DIFFERENCES)
    row, found = (
        table.loc["best", "worst"],
        comparison.difference(THREE["best"], THREE["worst"], FID),
    )
    assert (row["metric"], row["estimand"]) == ("fid_hybrid", "ratio")
    assert (row["estimate"], row["low"], row["high"]) == (found.estimate, found.low, found.high)
    assert row["high"] < 1
    assert (row["p"], row["smallest_p"]) == pytest.approx((0.1, 0.1))
    assert row["p_holm"] == pytest.approx(0.3)
    assert row["probability_of_improvement"] == 1
    assert (row["n_a"], row["n_b"], row["lost_a"], row["lost_b"]) == (3, 3, 0, 0)


def test_holm_counts_the_pairs_of_its_own_metric() -> None:
    frame = runs(THREE)
    frame["label_agreement"] = frame["fid_hybrid"] / 10
    frame.loc[frame["label"] == "worst", "label_agreement"] = math.nan
    table = differences(frame).set_index("metric")
    assert table.loc["fid_hybrid", "p_holm"].tolist() == pytest.approx([0.3, 0.3, 0.3])
    assert table.loc["label_agreement", "p_holm"] == pytest.approx(0.1)
    # a higher rate is better: the order turns round, the odds ratio exceeds 1
    assert table.loc["label_agreement", "a"] == "middle"
    assert table.loc["label_agreement", "low"] > 1
    assert "nor p Holm below 0.3 in FID (digit features):" in reading(
        differences(frame)
    )  # 3 pairs of 0.1
    only = differences(frame, [LABEL])
    assert f"nor p Holm below 0.1 in {LABEL.title}:" in reading(only)


def test_lost_runs_count_and_controls_do_not() -> None:
    frame = runs(THREE | {control("real_test"): [0.1, 0.2]}, best2="diverged", middle0="failed")
    frame.loc[frame["status"].isin(["diverged", "failed"]), "fid_hybrid"] = math.nan
    row = differences(frame).set_index(["a", "b"]).loc["best", "middle"]
    assert (row["n_a"], row["n_b"], row["lost_a"], row["lost_b"]) == (2, 2, 1, 1)
    assert row["probability_of_improvement"] == pytest.approx((6 + 0.5) / 9)
    assert set(ranks(frame)["label"]) == set(THREE)
    assert groups(frame, FID)["best"].planned == 3


def test_a_lost_run_that_has_a_value_competes_with_it() -> None:
    """It failed: 1 of 3 against 0 of 3, and is not counted as lost a second time."""
    frame = runs({"a": [1.0, 0.0, 0.0], "b": [0.0] * 3}, metric="failure_rate", a0="diverged")
    row = differences(frame, [METRICS["failure_rate"]]).iloc[0]
    assert (row["a"], row["n_b"], row["lost_a"], row["lost_b"]) == ("b", 3, 0, 0)
    assert row["estimate"] == pytest.approx(-1 / 3)
    assert row["probability_of_improvement"] == pytest.approx((3 + 6 / 2) / 9)


def test_ranks_of_separated_and_of_equal_families() -> None:
    table = ranks(runs(THREE)).set_index("label")
    assert list(table.index) == ["best", "middle", "worst"]
    assert list(table.reset_index()[list(RANKS)].columns) == list(RANKS)
    assert table["rank"].tolist() == table["mean_rank"].tolist() == [1, 2, 3]
    assert table["stability"].tolist() == [1, 1, 1]
    assert table["best_share"].tolist() == [1, 0, 0]
    assert table["order_share"].tolist() == [1, 1, 1]
    g = np.random.default_rng(0)
    noise = ranks(runs({f: np.exp(g.normal(0, 1, 5)).tolist() for f in "abc"}))
    assert noise["mean_rank"].sum() == pytest.approx(6)
    assert noise["order_share"].iloc[0] < 0.9
    assert (noise["rank_low"] <= noise["mean_rank"]).all()
    assert (noise["mean_rank"] <= noise["rank_high"]).all()


def test_rank_shares_by_hand() -> None:
    table = ranks(runs({"sure": [2.0, 2.0], "split": [1.0, 16.0]})).set_index("label")
    # the mean log of "split" is below that of "sure" only when 1 is drawn twice: one in four
    assert table["rank"].to_dict() == {"sure": 1, "split": 2}
    assert table.loc["sure", "best_share"] == pytest.approx(0.75, abs=0.03)
    assert table.loc["split", "mean_rank"] == pytest.approx(1.75, abs=0.03)
    assert table.loc["split", "stability"] == table.loc["sure", "order_share"]


def test_ties_share_a_rank_and_hold_no_order() -> None:
    table = ranks(runs({"a": [2.0, 2.0], "b": [2.0, 2.0]}))
    assert table["rank"].tolist() == [1.5, 1.5]
    assert table["best_share"].tolist() == table["order_share"].tolist() == [0, 0]


def test_one_seed_leaves_empty_cells_and_a_plain_sentence() -> None:
    frame = runs({"a": [1.0], "b": [2.0]})
    pairs, order = differences(frame), ranks(frame)
    unknown = ["estimate", "low", "high", "p", "smallest_p", "p_holm", "probability_of_improvement"]
    assert pairs[unknown].isna().all(axis=None)
    assert order["rank"].tolist() == [1, 2]
    assert order[["mean_rank", "stability"]].isna().all(axis=None)
    page = section(pairs, order, [FID])
    assert NO_COMPARISON in page
    assert "|" not in page


def test_nothing_to_compare_is_an_empty_section_with_columns() -> None:
    frame = runs({"a": [1.0, 2.0]})
    assert list(differences(frame).columns) == list(DIFFERENCES)
    assert list(ranks(frame).columns) == list(RANKS)
    assert section(differences(frame), ranks(frame), [FID]) == ""


def test_costs_are_not_compared() -> None:
    frame = runs({"a": [1.0, 2.0], "b": [3.0, 4.0]}, metric="train_seconds")
    assert differences(frame).empty
    assert ranks(frame).empty


def test_section_shows_order_interval_and_the_limit_of_p() -> None:
    frame = runs(THREE)
    page = section(differences(frame), ranks(frame), [FID])
    rows = [line for line in page.splitlines() if line.startswith("| ")]
    assert [row.split("|")[1].strip() for row in rows[2:]] == ["best", "middle", "worst"]
    assert "0.1 with 3 + 3 seeds" in page
    assert "nor p Holm below 0.3 in FID (digit features):" in page
    found = comparison.difference(THREE["best"], THREE["middle"], FID)
    cell = f"{found.estimate:.3f} [{found.low:.3f}, {found.high:.3f}]"
    assert f"| best | 3 | 1.0 [1, 1] | 100% | {cell} | 0.1 | 0.3 | 1.00 |" == rows[2]
    assert "≈" not in "".join(rows)
    assert "| against the next (single pair, uncorrected) | p (uncorrected) |" in rows[0]
    assert LABEL.title not in page


def test_section_says_tied_and_counts_lost_runs() -> None:
    frame = runs({"a": [1.0, 1.2, 1.1], "b": [1.05, 1.25, 1.1]}, b2="diverged")
    frame.loc[frame["status"] == "diverged", "fid_hybrid"] = math.nan
    page = section(differences(frame), ranks(frame), [FID])
    assert "≈" in page.split("| --- ")[1]
    assert "| b | 2 (1 lost) |" in page
    assert "0.2 with 2 + 3 seeds" in page


def test_a_family_with_one_run_leaves_dashes_beside_the_others() -> None:
    frame = runs(THREE | {"single": [20.0]})
    page = section(differences(frame), ranks(frame), [FID])
    assert "| worst | 3 | 3 | – | – | – | – | – |" in page
    assert "0.1 with 3 + 3 seeds" in page


def test_runs_that_left_out_the_same_class_are_pairs() -> None:
    frame = runs({"a": [1.0, 2.1, 8.3], "b": [1.2, 2.3, 9.9]})
    frame["left_out"] = frame["seed"]
    row = differences(frame).iloc[0]
    found = comparison.difference([1.0, 2.1, 8.3], [1.2, 2.3, 9.9], FID, paired=True)
    assert (row["paired"], row["low"], row["high"]) == (True, found.low, found.high)
    assert row["smallest_p"] == pytest.approx(0.25)
    said = reading(differences(frame))
    assert "left out the same class are a pair" in said
    assert "Student's 95 % interval" in said
    # A lost run has no partner: the families are compared as if unpaired.
    frame.loc[0, ["status", FID.name]] = "diverged", math.nan
    assert not differences(frame).iloc[0]["paired"]
    assert "unpaired permutation test" in reading(differences(frame))
