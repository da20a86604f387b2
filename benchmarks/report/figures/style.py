"""The house style of figures: one look per row, told apart by colour, by dash and by marker."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.axis import XAxis, YAxis
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.lines import Line2D
from matplotlib.ticker import (
    FixedLocator,
    LogLocator,
    MaxNLocator,
    NullLocator,
    StrMethodFormatter,
)
from PIL import Image

from benchmarks.common.files import whole
from zoo.registry import FAMILIES, about

FORMATS: dict[str, dict[str, Any]] = {
    "png": {"dpi": 200},
    "pdf": {"metadata": {"CreationDate": None}},  # the same figure again is the same file
}
DASHES: tuple[Any, ...] = ("-", (0, (4, 1.5)), (0, (1, 1)), (0, (5, 1, 1, 1)))
HANDLE_INCHES, LETTER_INCHES = 0.75, 0.07
"""What an entry of a legend takes beside its name, and a letter of the name."""
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
PANEL = (4.2, 3.0)
GREY = "0.45"
TICKS = 4
"""Labelled at most, so that they do not touch."""


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
    """Return a look for each name: that of the family with this title, or a free one.

    The colours are the families' own, which the colour-blind can tell apart (Okabe and Ito 2008,
    Tol 2021).
    """
    order = list(dict.fromkeys(names))
    known = [about(family) for family in reversed(FAMILIES)]
    own = {one.title: i for i, one in enumerate(known) if one.title in order}
    free = (i for i in count() if i not in own.values())
    places = {name: own[name] if name in own else next(free) for name in order}
    return {name: _look(i, known[i % len(known)].colour) for name, i in places.items()}


def _look(i: int, colour: str) -> Look:
    return Look(to_rgb(colour), DASHES[i % len(DASHES)], MARKERS[i % len(MARKERS)])


def set_theme() -> None:
    """Set the theme of all figures; fonts are embedded as TrueType, which papers ask for."""
    sns.set_theme(style="whitegrid", context="paper", rc={"pdf.fonttype": 42, "ps.fonttype": 42})


def grid(n: int, columns: int = 2, panel: tuple[float, float] = PANEL) -> tuple[Figure, list[Axes]]:
    """Return a figure with n panels, some side by side."""
    set_theme()
    columns = min(columns, n)
    rows = -(-n // columns)
    figure, axes = plt.subplots(
        rows,
        columns,
        figsize=(panel[0] * columns, panel[1] * rows + 0.5),
        squeeze=False,
        layout=ConstrainedLayoutEngine(h_pad=0.1),
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


def few_ticks(axis: XAxis | YAxis) -> None:
    """Label at most `TICKS` round numbers within the present limits."""
    low, high = axis.get_view_interval()
    decades = axis.get_scale() == "log" and high >= 10 * low
    values = _powers(low, high) if decades else _steps(low, high)
    axis.set_major_locator(FixedLocator(values))
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(StrMethodFormatter("{x:g}"))


def _steps(low: float, high: float) -> list[float]:
    """Return the most equidistant round numbers between two numbers, within `TICKS`."""
    for bins in range(TICKS + 1, 0, -1):
        found = MaxNLocator(bins, steps=[1, 2, 2.5, 5, 10]).tick_values(low, high)
        values = [float(value) for value in found if low <= value <= high]
        if len(values) <= TICKS:
            break
    return values


def _powers(low: float, high: float) -> list[float]:
    """Return powers of ten between two numbers, with multiples of them where there is room."""
    for factors in ((1, 2, 5), (1, 3), (1,)):
        tens = 10.0 ** np.arange(np.floor(np.log10(low)), np.ceil(np.log10(high)) + 1)
        values = [f * ten for ten in tens for f in factors if low <= f * ten <= high]
        if len(values) <= TICKS:
            return values
    return values[:: -(-len(values) // TICKS)]


def legend(figure: Figure, looks: Looks, names: Sequence[str]) -> None:
    """Name the looks under a figure."""
    handles = [Line2D([], [], label=name, **looks[name].points) for name in names]
    entry = HANDLE_INCHES + LETTER_INCHES * max(map(len, names), default=0)
    columns = max(1, min(6, len(names), int(figure.get_figwidth() / entry)))
    figure.legend(handles=handles, loc="outside lower center", ncols=columns, frameon=False)


def _with_palette(path: Path) -> None:
    """Write a PNG again with 256 colours: a third of its size, and no difference to the eye."""
    with Image.open(path) as image:
        few = image.convert("RGB").quantize(256, method=Image.Quantize.FASTOCTREE)
    few.save(path, "png", optimize=True)


def save(figure: Figure, stem: Path) -> None:
    """Write a figure as PNG and PDF and close it.

    Args:
        figure: to be written.
        stem: path without a suffix.

    """
    for suffix, options in FORMATS.items():
        with whole(stem.with_name(f"{stem.name}.{suffix}")) as draft:
            figure.savefig(draft, format=suffix, **options)
            if suffix == "png":
                _with_palette(draft)
        figure.set_layout_engine(None)  # laid out once, and not drawn again to be laid out
    plt.close(figure)
