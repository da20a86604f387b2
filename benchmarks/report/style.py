"""The house style of figures: one look per row, told apart by colour, by dash and by marker."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.axis import XAxis, YAxis
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import LogLocator, StrMethodFormatter

from benchmarks.files import whole

FORMATS: dict[str, dict[str, Any]] = {
    "png": {"dpi": 120},
    "pdf": {"metadata": {"CreationDate": None}},  # the same figure again is the same file
}
DASHES: tuple[Any, ...] = ("-", (0, (4, 1.5)), (0, (1, 1)), (0, (5, 1, 1, 1)))
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
PANEL = (4.2, 3.0)
GREY = "0.45"


@dataclass(frozen=True)
class Look:
    """How a row is drawn; legible in grey, since dash and marker differ too."""

    colour: tuple[float, float, float]
    dash: Any
    marker: str

    @property
    def line(self) -> dict[str, Any]:
        """Arguments of a line."""
        return {"color": self.colour, "linestyle": self.dash}

    @property
    def points(self) -> dict[str, Any]:
        """Arguments of a line through marked points."""
        return self.line | {"marker": self.marker, "markersize": 4}


Looks = dict[str, Look]


def looks_of(names: Iterable[str]) -> Looks:
    """Return a look for each name, the same in every figure of a report."""
    order = list(dict.fromkeys(names))
    colours = sns.color_palette("colorblind", len(order))
    return {
        name: Look(colour, DASHES[i % len(DASHES)], MARKERS[i % len(MARKERS)])
        for i, (name, colour) in enumerate(zip(order, colours, strict=True))
    }


def grid(n: int, columns: int = 2, panel: tuple[float, float] = PANEL) -> tuple[Figure, list[Axes]]:
    """Return a figure with n panels, some side by side."""
    sns.set_theme(style="whitegrid", context="paper")
    columns = min(columns, n)
    rows = -(-n // columns)
    figure, axes = plt.subplots(
        rows,
        columns,
        figsize=(panel[0] * columns, panel[1] * rows + 0.5),
        squeeze=False,
        layout="constrained",
    )
    for axis in list(axes.flat)[n:]:
        axis.axis("off")
    return figure, list(axes.flat)[:n]


def logarithmic(*axes: XAxis | YAxis) -> None:
    """Make axes logarithmic with plain numbers at 1, 2 and 5 times powers of ten."""
    for axis in axes:
        axis.axes.set(**{f"{axis.axis_name}scale": "log"})
        axis.set_minor_locator(LogLocator(subs=(2, 5)))
        axis.set_major_formatter(StrMethodFormatter("{x:g}"))
        axis.set_minor_formatter(StrMethodFormatter("{x:g}"))
        axis.set_tick_params(which="minor", labelsize="x-small")


def legend(figure: Figure, looks: Looks, names: Sequence[str]) -> None:
    """Name the looks under a figure."""
    handles = [Line2D([], [], label=name, **looks[name].points) for name in names]
    columns = min(6, max(1, len(names)))
    figure.legend(handles=handles, loc="outside lower center", ncols=columns, frameon=False)


def save(figure: Figure, stem: Path) -> None:
    """Write a figure as PNG and PDF and close it.

    Args:
        figure: to be written.
        stem: path without a suffix.

    """
    for suffix, options in FORMATS.items():
        with whole(stem.with_name(f"{stem.name}.{suffix}")) as draft:
            figure.savefig(draft, format=suffix, **options)
        figure.set_layout_engine("none")  # laid out once, which is most of the work
    plt.close(figure)
