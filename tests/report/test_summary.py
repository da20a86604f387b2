"""The comparison table: what is marked, shown and left empty."""

import io
import math
from dataclasses import replace

import pytest
from rich.console import Console

from benchmarks.evaluation.registry import METRICS, head, number
from benchmarks.report.data.columns import Seeds
from benchmarks.report.data.summary import markdown, shown, summarise, terminal, unfinished, wide
from tests.report.test_intervals import NO_CONTROLS, control, runs


def test_table_marks_the_best_only_when_complete() -> None:
    values = {"bigan": [1.0, 1.01, 0.99], "aegan": [5.0, 5.1, 4.9]}
    full = summarise(runs(values), NO_CONTROLS)
    assert full.best["fid_hybrid"] == ["BiGAN"]
    assert "**1.00**" in markdown(full, shown(full))
    missing = summarise(runs(values, aegan2="missing"), NO_CONTROLS)
    assert missing.best["fid_hybrid"] == []
    assert missing.seeds["AEGAN"] == Seeds(2, 3, {"missing": 1})
    assert missing.finished("AEGAN") == "2/3, 1 not started"
    lost = summarise(runs(values, aegan2="diverged"), NO_CONTROLS)
    assert lost.finished("AEGAN") == "2/3, 1 diverged"
    assert unfinished(lost) == ["AEGAN"]
    assert lost.best["fid_hybrid"] == []
    unmeasured = summarise(runs(values | {"aegan": [5.0, 5.1, math.nan]}), NO_CONTROLS)
    assert unmeasured.best["fid_hybrid"] == []
    assert summarise(runs({"bigan": [1.0], "aegan": [5.0]}), NO_CONTROLS).best["fid_hybrid"] == []


def test_table_marks_by_differences_not_by_intervals_of_means() -> None:
    close = summarise(runs({"bigan": [10.0, 10.8, 11.6], "aegan": [13.0, 14.0, 15.0]}), NO_CONTROLS)
    ends = close.cells["BiGAN", "fid_hybrid"].high, close.cells["AEGAN", "fid_hybrid"].low
    assert ends[0] > ends[1]  # the intervals overlap
    assert close.best["fid_hybrid"] == ["BiGAN"]
    assert "**10.80**" in markdown(close, shown(close))
    # The reverse: intervals apart, but one of two spreads is known from two degrees of freedom
    # only, too few to be sure of six differences at once.
    few = {"bigan": [10.0, 10.01, 9.99], "aegan": [13.0, 14.0, 15.0]}
    far = {f"far{i}": [100.0 + i, 101.0, 102.0] for i in range(5)}
    apart = summarise(runs(few | far), NO_CONTROLS)
    assert apart.cells["BiGAN", "fid_hybrid"].high < apart.cells["AEGAN", "fid_hybrid"].low
    assert apart.best["fid_hybrid"] == []
    assert summarise(runs(few), NO_CONTROLS).best["fid_hybrid"] == ["BiGAN"]


def test_references_stand_apart_and_are_never_best() -> None:
    values = {"gan": [1.0, 1.01, 0.99], "bigan": [3.0, 3.1, 2.9], "aegan": [5.0, 5.1, 4.9]}
    assert summarise(runs(values), NO_CONTROLS).best["fid_hybrid"] == ["GAN"]
    summary = summarise(runs(values), runs({control("noise"): [9.0]}), {"GAN": "z → x only"})
    assert summary.best["fid_hybrid"] == ["BiGAN"]
    assert list(summary.keys) == ["BiGAN", "AEGAN", "GAN", "noise"]
    assert [summary.kind(row) for row in summary.keys] == [
        *("model", "model", "reference", "control")
    ]
    assert "| GAN | 3/3, reference | 1.00 [" in markdown(summary, shown(summary))
    assert wide(summary).set_index("label").loc["GAN", ["kind", "lacks"]].tolist() == [
        *("reference", "z → x only")
    ]


def test_column_heads_say_which_way_is_better() -> None:
    assert head(METRICS["fid_hybrid"]) == "FID (digit features) ↓"
    assert head(METRICS["label_agreement"]) == "class preserved ↑"
    assert head(METRICS["train_seconds"]) == "train s"
    aimed = replace(METRICS["reconstruction_ratio"], direction="target", target=1.0)
    assert head(aimed) == "recon. ratio → 1"


def test_controls_are_never_best_and_cells_stay_empty() -> None:
    controls = runs({control("real_test", 5): [0.1, 0.1]})
    summary = summarise(runs({"bigan": [1.0, 1.1], "aegan": [5.0, 5.1]}), controls)
    assert summary.best["fid_hybrid"] == ["BiGAN"]
    table = wide(summary).set_index("row")
    assert table.loc["real_test", ["kind", "label", "seeds_done"]].tolist() == [
        *("control", "real, 5 of test", 2)
    ]
    assert table["reconstruction_mse"].isna().all()
    assert "| *real, 5 of test* | control |" in markdown(summary, shown(summary))


def test_a_terminal_gets_one_table_of_as_many_questions_as_fit() -> None:
    frame = runs({"bigan": [1.0, 1.1], "aegan": [5.0, 5.1]})
    frame[["latent_error", "coverage_hybrid"]] = 0.5

    def heads(width: int) -> list[str]:
        table = terminal(summarise(frame, NO_CONTROLS), width)
        return [str(column.header).replace("\n", " ") for column in table.columns]

    fid, latent, coverage = "FID (digit features) ↓", "latent error ↓", "coverage ↑"
    assert heads(500) == ["model", "seeds", fid, coverage, latent]  # in the table's order
    assert heads(50) == ["model", "seeds", fid, latent]  # a second one of samples goes first
    assert heads(20) == ["model", "seeds", fid]


@pytest.mark.parametrize("width", [40, 80, 120, 400])
def test_no_number_is_cut_off_and_no_word_broken(width: int) -> None:
    frame = runs({"joint_latent_regressor": [1.0, 1.1], "aegan": [5.0, 5.1]})
    for metric in METRICS:
        frame[metric] = frame["fid_hybrid"] / 10
    console = Console(width=width, record=True, file=io.StringIO())
    console.print(terminal(summarise(frame, NO_CONTROLS), width))
    text = console.export_text()
    assert "…" not in text
    assert "(digit" in text
    if width >= 80:
        assert "Joint latent regressor" in text
        assert max(map(len, text.splitlines())) <= width


def test_numbers_have_no_negative_zero() -> None:
    assert number(-1e-9, METRICS["kid_hybrid"]) == "0.0"
    assert number(-0.0123, METRICS["kid_hybrid"]) == "-12.3"
    assert number(1234.5, METRICS["train_seconds"]) == "1,234"


def test_costs_show_no_interval() -> None:
    frame = runs({"bigan": [10.0, 30.0]}, metric="train_seconds")
    assert "| BiGAN | 2/2 | 20 |" in markdown(
        summarise(frame, NO_CONTROLS), [METRICS["train_seconds"]]
    )
