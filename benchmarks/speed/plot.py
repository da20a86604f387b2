"""How cost grows, drawn from a saved benchmark file; nothing is measured here."""

import re
from collections.abc import Sequence
from pathlib import Path

import matplotlib

matplotlib.use("agg")
import matplotlib.pyplot as plt

from benchmarks.common.files import whole
from benchmarks.speed.table import Timing

PANELS = {
    "batch": "images in a batch",
    "width": "hidden units",
    "image": "pixels on a side",
    "seeds_together": "seeds trained together",
}
"""Benchmark -> what its parameter counts."""
MILLISECONDS = (3, 10, 30, 100, 300)


def growth(lines: Sequence[Timing], path: Path) -> None:
    """Draw a step's best time over each of what it grows with, both axes logarithmic."""
    figure, axes = plt.subplots(1, len(PANELS), figsize=(3 * len(PANELS), 2.8), layout="tight")
    for axis, (name, label) in zip(axes, PANELS.items(), strict=True):
        points = sorted(
            (int(found[1]), 1e3 * line.best)
            for line in lines
            if (found := re.fullmatch(rf"{name}\[(\d+)\]", line.name))
        )
        axis.plot(*zip(*points, strict=True), marker="o", color="black")
        axis.set(xscale="log", yscale="log", xlabel=label)
        axis.set_xticks([x for x, _ in points], [str(x) for x, _ in points])
        axis.set_yticks(MILLISECONDS, [f"{y:g}" for y in MILLISECONDS])
        axis.set_ylim(2, 400)  # one scale for all: what is steep is costly
        axis.minorticks_off()
        axis.grid(alpha=0.3)
    axes[0].set_ylabel("ms per step")
    with whole(path) as draft:
        figure.savefig(draft, format="png", dpi=110)
    plt.close(figure)
