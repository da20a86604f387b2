"""The trade-off of this field: samples against reconstructions, in numbers and in images."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Text

from benchmarks.evaluation.registry import METRICS, head
from benchmarks.planning.plan import Job
from benchmarks.report.data.summary import Summary
from benchmarks.report.figures.pictures import cells_of, showing
from benchmarks.report.figures.style import GREY, Looks, grid, logarithmic, save, set_theme
from benchmarks.report.stats.intervals import Estimate

X, Y = "reconstruction_mse", "fid_hybrid"
SHOWN = ("real_train", "pca")
"""Controls in the trade-off: what a perfect generator, and a linear autoencoder, would reach."""
IMAGES, PAIRS = 8, 8
"""Test images in a row of the overview; columns of a run's picture of pairs."""
PLACES = ((6, 4), (6, -10), (-6, 4), (-6, -10), (0, 10), (0, -16), (14, 12), (-14, 12), (14, -20))
"""Where a name may stand beside its point, in points."""


def tradeoff(summary: Summary, looks: Looks, stem: Path) -> bool:
    """Draw FID against reconstruction error, a point and its intervals per model; False if none."""
    if not _both(summary):
        return False
    figure, (axis,) = grid(1, panel=(7.0, 4.6))
    _scatter(figure, axis, summary, looks)
    save(figure, stem)
    return True


def overview(summary: Summary, jobs: Sequence[Job], looks: Looks, stem: Path) -> bool:
    """Draw test images, each model's reconstructions, and the trade-off; False without both."""
    pictures = showing(jobs, "reconstructions.png")
    rows = {name: job for name, job in pictures.items() if name in summary.of("model")}
    if not rows or not _both(summary):
        return False
    set_theme()
    figure, (left, right) = plt.subplots(
        1, 2, figsize=(11.5, 0.42 * (len(rows) + 1) + 1.2), layout="constrained",
        width_ratios=[1, 1.25],
    )  # fmt: skip
    _reconstructions(left, rows)
    _scatter(figure, right, summary, looks)
    save(figure, stem)
    return True


def _reconstructions(axis: Axes, rows: Mapping[str, Job]) -> None:
    """Draw one row of real images, then what each model makes of them."""
    strips: list[np.ndarray] = []
    names = ["real images", *rows]
    for job in rows.values():
        pairs = cells_of(plt.imread(job.folder / "reconstructions.png"), PAIRS)
        if not strips:
            strips.append(np.concatenate(pairs[: 2 * IMAGES : 2], axis=1))
        strips.append(np.concatenate(pairs[1 : 2 * IMAGES : 2], axis=1))
    gap = np.ones_like(strips[0][:1])
    side = len(strips[0])
    picture = np.concatenate([part for strip in strips for part in (strip, gap)])
    axis.imshow(picture, interpolation="nearest", aspect="equal")
    middles = [(side + 1) * i + side / 2 - 0.5 for i in range(len(strips))]
    axis.set_yticks(middles, names)
    axis.set(xticks=[], title="Test images and their reconstructions G(E(x))")
    axis.tick_params(length=0)
    axis.grid(visible=False)
    axis.spines[:].set_visible(False)


def _both(summary: Summary) -> list[str]:
    """Return the models that have both numbers."""
    return [row for row in summary.of("model") if {(row, X), (row, Y)} <= summary.cells.keys()]


def _scatter(figure: Figure, axis: Axes, summary: Summary, looks: Looks) -> None:
    logarithmic(axis.xaxis, axis.yaxis)
    of_lines = _lines(axis, summary)
    rows = _both(summary)
    for row in rows:
        x, y = summary.cells[row, X], summary.cells[row, Y]
        axis.errorbar(
            x.mean, y.mean, xerr=_reach(x), yerr=_reach(y), color=looks[row].colour,
            marker=looks[row].marker, markersize=7, elinewidth=1.2, capsize=2, linestyle="",
        )  # fmt: skip
    axis.set(xlabel=head(METRICS[X]), ylabel=head(METRICS[Y]))
    axis.set_title("Lower left is better; bars: 95 % intervals over training seeds")
    axis.margins(0.1)
    points = {r: (summary.cells[r, X].mean, summary.cells[r, Y].mean) for r in rows}
    _name_points(figure, axis, points, of_lines)


def _reach(cell: Estimate) -> list[list[float]] | None:
    """Return how far an interval goes below and above its mean; None for one seed."""
    if cell.low is None or cell.high is None:
        return None
    return [[max(0.0, cell.mean - cell.low)], [max(0.0, cell.high - cell.mean)]]


def _lines(axis: Axes, summary: Summary) -> list[Text]:
    """Draw what some controls and the models of one direction reach; return their names."""
    names = []
    for row, key in summary.keys.items():
        if key.kind == "model" or (key.kind == "control" and key.row not in SHOWN):
            continue
        dashes = "--" if key.kind == "control" else ":"
        if (row, X) in summary.cells:
            at = summary.cells[row, X].mean
            axis.axvline(at, color=GREY, linewidth=0.9, linestyle=dashes, zorder=0)
            side = "left" if key.kind == "control" else "right"  # the two may be near
            at_the_axis = axis.get_xaxis_transform()
            names.append(axis.text(at, 0.02, row, rotation=90, va="bottom", ha=side, color=GREY,
                                   fontsize="small", transform=at_the_axis))  # fmt: skip
        elif (row, Y) in summary.cells:
            at = summary.cells[row, Y].mean
            axis.axhline(at, color=GREY, linewidth=0.9, linestyle=dashes, zorder=0)
            at_the_axis = axis.get_yaxis_transform()
            names.append(axis.text(0.99, at, row, va="bottom", ha="right", color=GREY,
                                   fontsize="small", transform=at_the_axis))  # fmt: skip
    return names


def _name_points(
    figure: Figure,
    axis: Axes,
    points: Mapping[str, tuple[float, float]],
    of_lines: Sequence[Text],
) -> None:
    """Write each name where it covers no other name, of a point or a line, and no point."""
    figure.draw_without_rendering()
    pixels = {name: axis.transData.transform(at) for name, at in points.items()}
    taken: list[tuple[float, float, float, float]] = [
        *((x - 6, y - 6, x + 6, y + 6) for x, y in pixels.values()),
        *(text.get_window_extent().padded(1).extents for text in of_lines),
    ]
    scale = figure.dpi / 72
    for name, (x, y) in pixels.items():
        note = axis.annotate(name, points[name], xytext=(0, 0), textcoords="offset points",
                             fontsize="medium", fontweight="bold", va="bottom")  # fmt: skip
        size = note.get_window_extent()
        boxes = {
            (dx, dy): _box(x + dx * scale, y + dy * scale, size.width, size.height, dx)
            for dx, dy in PLACES
        }
        best = min(boxes, key=lambda place: sum(_overlap(boxes[place], other) for other in taken))
        taken.append(boxes[best])
        note.set_position(best)
        note.set_horizontalalignment(
            "left" if best[0] > 0 else "right" if best[0] < 0 else "center"
        )


def _box(
    x: float, y: float, width: float, height: float, side: float
) -> tuple[float, float, float, float]:
    left = x if side > 0 else x - width if side < 0 else x - width / 2
    return left, y, left + width, y + height


def _overlap(a: tuple[float, float, float, float], b: tuple[float, float, float, float]) -> float:
    """Return the area that two boxes share."""
    width, height = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    return max(0.0, width) * max(0.0, height)
