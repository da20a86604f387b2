"""Forest plots: each row's mean and interval in each headline metric, beside the controls."""

from pathlib import Path
from textwrap import fill
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from benchmarks.evaluation.control_rows import CONTROLS
from benchmarks.evaluation.registry import Metric, head, number
from benchmarks.report.data import summary as tables
from benchmarks.report.data.summary import Summary
from benchmarks.report.figures.style import GREY, Look, Looks, few_ticks, grid, save
from benchmarks.report.stats.intervals import Estimate

DASHES: dict[str, tuple[float, ...]] = {
    "real": (7, 2),
    "training set repeated": (7, 2, 3, 2),
    "noise": (1, 4),
    "raw pixels": (3, 1.5),
    "PCA": (7, 2, 1, 2),
    "mean image": (15, 3),
    "mean point": (15, 3, 1, 3),
    "nearest mode": (3, 1.5, 1, 1.5),
    "random pair": (3, 5),
    "prior draws": (7, 2, 1, 2, 1, 2),
    "untrained": (1, 1.5),
}
"""A control's title, without its number -> dash and gap, the same in every figure."""
LETTERS = 46
"""In a line under an axis: as many as it is wide."""
CONTROL: dict[str, Any] = {"color": GREY, "linewidth": 1.2, "zorder": 0}
REACH = 0.6
"""How far beside the rows' own intervals a control is still drawn, in widths of theirs."""


def questions(summary: Summary) -> list[str]:
    """Return the questions that have a forest plot."""
    return list(dict.fromkeys(metric.question for metric in _metrics(summary)))


def forest(summary: Summary, looks: Looks, question: str, stem: Path) -> bool:
    """Draw a question's headline metrics, some side by side: landscape, as a paper has room."""
    metrics = [metric for metric in _metrics(summary) if metric.question == question]
    rows = summary.of("model", "reference")
    named: dict[str, Line2D] = {}
    figure, axes = grid(len(metrics), columns=3, panel=(4.6, 1.1 + 0.22 * len(rows)))
    for axis, metric in zip(axes, metrics, strict=True):
        own = [row for row in reversed(rows) if (row, metric.name) in summary.cells]
        for y, row in enumerate(own):
            _interval(axis, y, summary.cells[row, metric.name], metric, looks[row])
        labels = [row + " (ref.)" * (summary.kind(row) == "reference") for row in own]
        axis.set_yticks(range(len(own)), labels)
        axis.set(title=head(metric), ylim=(-0.6, len(own) - 0.4))
        axis.grid(axis="y", visible=False)
        _scaled(axis, summary, metric, own)
        named |= _draw_controls(axis, summary, metric)
        few_ticks(axis.xaxis)
    if named:
        figure.legend(
            handles=list(named.values()),
            labels=list(named),
            loc="outside lower center",
            ncols=2,
            frameon=False,
            handlelength=4,
        )
    save(figure, stem)
    return True


def _metrics(summary: Summary) -> list[Metric]:
    """Return the headline metrics that any row but a control has; a cost has no interval."""
    rows = summary.of("model", "reference")
    return [
        metric
        for metric in tables.shown(summary)
        if metric.question != "cost" and any((row, metric.name) in summary.cells for row in rows)
    ]


def _interval(axis: Axes, y: int, cell: Estimate, metric: Metric, look: Look) -> None:
    mean = cell.mean * metric.factor
    axis.plot([mean], [y], color=look.colour, marker=look.marker, linestyle="")
    if cell.low is not None and cell.high is not None:
        axis.plot([cell.low * metric.factor, cell.high * metric.factor], [y, y], color=look.colour)


def _scaled(axis: Axes, summary: Summary, metric: Metric, rows: list[str]) -> None:
    """Set the scale and the limits, as wide as the rows and the controls that lie near them."""
    cells = [summary.cells[row, metric.name] for row in rows]
    ends = [v * metric.factor for c in cells for v in (c.low, c.mean, c.high) if v is not None]
    scale = "log" if metric.scale == "log" and min(ends) > 0 else "linear"
    forward, back = (np.log, np.exp) if scale == "log" else (np.asarray, np.asarray)
    low, high = forward(min(ends)), forward(max(ends))
    reach = REACH * (high - low)
    wanted = [c.mean * metric.factor for c in _controls(summary, metric).values()]
    moved = [forward(value) for value in wanted if scale == "linear" or value > 0]
    near = [value for value in moved if low - reach <= value <= high + reach]
    low, high = min([low, *near]), max([high, *near])
    margin = 0.06 * (high - low) or 0.06 * abs(high) or 1.0
    axis.set(xscale=scale, xlim=(back(low - margin), back(high + margin)))


def _controls(summary: Summary, metric: Metric) -> dict[str, Estimate]:
    """Return the controls that the metric is read against, those of the test set of several."""
    found = {}
    for name in metric.controls.split(", "):
        rows = [
            label
            for label in summary.of("control")
            if _title(summary, label) == name and (label, metric.name) in summary.cells
        ]
        if rows:
            found[rows[-1]] = summary.cells[rows[-1], metric.name]
    return found


def _draw_controls(axis: Axes, summary: Summary, metric: Metric) -> dict[str, Line2D]:
    """Draw the controls and return their lines; those beyond the axis are named below it."""
    low, high = axis.get_xlim()
    drawn, beyond = {}, []
    for name, cell in _controls(summary, metric).items():
        value = cell.mean * metric.factor
        if low <= value <= high:
            drawn[name] = axis.axvline(
                value, linestyle=(0, DASHES[_title(summary, name)]), **CONTROL
            )
        else:
            beyond.append(f"{name}: {number(cell.mean, metric)}")
    if metric.target is not None:
        axis.axvline(metric.target * metric.factor, color=GREY, linewidth=0.8, zorder=0)
    if beyond:
        axis.set_xlabel(fill(f"beyond the axis: {'; '.join(beyond)}", LETTERS), fontsize="small")
    return drawn


def _title(summary: Summary, label: str) -> str:
    """Return what a control is called whatever the number of its images."""
    return CONTROLS[summary.keys[label].row].title
