"""The forest plots: who is drawn where, and beside which controls."""

from itertools import pairwise
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.figure import Figure

from benchmarks.evaluation.control_rows import CONTROLS
from benchmarks.evaluation.registry import METRICS
from benchmarks.report.data.summary import summarise
from benchmarks.report.figures import forest
from benchmarks.report.figures.style import TICKS, looks_of
from tests.report.test_intervals import NO_CONTROLS, control, runs

ROWS = {"bigan": [3.0, 3.1, 3.2], "aegan": [1.0, 1.1, 1.2], "gan": [2.0, 2.1, 2.2]}


@pytest.fixture
def drawn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Figure:
    figures: list[Figure] = []
    monkeypatch.setattr(forest, "save", lambda figure, stem: figures.append(figure))
    table = runs(ROWS)
    table["coverage_hybrid"] = table["fid_hybrid"] / 10
    real = {control("real_train", 9): [0.1], control("real_test", 5): [0.9]}
    others = {control("untrained"): [99.0], control("noise"): [0.8]}  # FID asks for one of them
    controls = runs(real | others)
    summary = summarise(table, controls, {"GAN": "z → x only"})
    assert forest.questions(summary) == ["samples"]
    assert forest.forest(summary, looks_of(summary.keys), "samples", tmp_path)
    figures[0].canvas.draw()
    yield figures[0]
    plt.close("all")


def test_rows_stand_in_order_with_references_below(drawn: Figure) -> None:
    for axis in drawn.axes:
        labels = [label.get_text() for label in axis.get_yticklabels()]
        assert labels == ["GAN (ref.)", "AEGAN", "BiGAN"]  # from below
    single = [line.get_xydata()[0] for line in drawn.axes[0].lines if len(line.get_xydata()) == 1]
    assert np.array(single) == pytest.approx(np.array([[2.1, 0], [1.1, 1], [3.1, 2]]))


def test_controls_are_lines_named_once_or_numbers_below_the_axis(drawn: Figure) -> None:
    fid, coverage = drawn.axes
    upright = [line.get_xdata()[0] for line in fid.lines if list(line.get_ydata()) == [0, 1]
               and line.get_xdata()[0] == line.get_xdata()[1]]  # fmt: skip
    assert upright == [0.9]  # of the two real ones, the test set's
    assert fid.get_xlabel() == "beyond the axis: untrained: 99.00"
    assert fid.xaxis.label.get_fontsize() >= fid.get_xticklabels()[0].get_fontsize() - 1
    assert coverage.get_xlabel() == ""  # no control has a coverage
    (legend,) = drawn.legends
    assert [text.get_text() for text in legend.get_texts()] == ["real, 5 of test"]


def test_a_control_has_a_dash_of_its_own_in_every_figure() -> None:
    asked = {name for metric in METRICS.values() for name in metric.controls.split(", ")} - {"-"}
    assert asked <= set(forest.DASHES) == {one.title for one in CONTROLS.values()}


def test_it_is_wider_than_high_and_its_ticks_do_not_touch(drawn: Figure) -> None:
    assert drawn.get_figwidth() > drawn.get_figheight()
    for axis in drawn.axes:
        boxes = [label.get_window_extent() for label in axis.get_xticklabels()]
        assert 2 <= len(boxes) <= TICKS
        assert all(a.x1 < b.x0 for a, b in pairwise(boxes))


def test_nothing_is_drawn_of_what_only_controls_have() -> None:
    summary = summarise(runs(ROWS, metric="train_seconds"), runs({control("untrained"): [9.0]}))
    assert forest.questions(summary) == []
    assert forest.questions(summarise(runs(ROWS), NO_CONTROLS)) == ["samples"]
