"""Figures: the families' pictures side by side, and quality over training."""

from collections.abc import Sequence
from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure

from benchmarks.evaluation.registry import LIGHT, METRICS
from benchmarks.files import whole
from benchmarks.plan import Job

PICTURES = {
    "samples": "Samples G(z): the same 64 draws of the prior for every family",
    "reconstructions": "Reconstructions: test image, then G(E(image)), in columns two by two",
}


def side_by_side(jobs: Sequence[Job], kind: str, path: Path) -> bool:
    """Draw each family's picture (its first finished seed) in one figure; False if none."""
    found: dict[str, Path] = {}
    for job in jobs:
        picture = job.folder / f"{kind}.png"
        if picture.exists():
            found.setdefault(f"{job.run.family}, seed {job.run.seed}", picture)
    first: dict[str, tuple[str, Path]] = {}
    for title, picture in found.items():
        first.setdefault(title.split(",")[0], (title, picture))
    if not first:
        return False
    columns = min(3, len(first))
    rows = -(-len(first) // columns)
    figure, axes = plt.subplots(
        rows, columns, figsize=(3.4 * columns, 3.7 * rows), squeeze=False, layout="constrained"
    )
    for axis in axes.flat:
        axis.axis("off")
    for axis, (title, picture) in zip(axes.flat, first.values(), strict=False):
        axis.imshow(plt.imread(picture), interpolation="nearest")
        axis.set_title(title)
    figure.suptitle(PICTURES[kind])
    _save(figure, path)
    return True


def learning(light: pd.DataFrame, path: Path) -> bool:
    """Draw the light metrics over training steps, mean and 95 % t interval over seeds."""
    metrics = [name for name in LIGHT if name in light]
    if not metrics:
        return False
    sns.set_theme(style="whitegrid", palette="colorblind")
    figure, axes = plt.subplots(
        1, len(metrics), figsize=(4.2 * len(metrics), 3.6), squeeze=False, layout="constrained"
    )
    for axis, name in zip(axes.flat, metrics, strict=True):
        rows = light.dropna(subset=[name])
        sns.lineplot(
            rows,
            x="step",
            y=name,
            hue="family",
            style="family",
            markers=True,
            dashes=False,
            errorbar=None,
            ax=axis,
            legend=axis is axes.flat[0],
        )
        for (_, _), seed in rows.groupby(["family", "seed"]):
            axis.plot(seed["step"], seed[name], color="grey", alpha=0.25, linewidth=0.6, zorder=0)
        axis.set(xscale="log", yscale="log", ylabel=METRICS[name].title, xlabel="updates")
    figure.suptitle("During training, on fewer samples (lines: mean over seeds; grey: each seed)")
    _save(figure, path)
    return True


def _save(figure: Figure, path: Path) -> None:
    with whole(path) as draft:
        figure.savefig(draft, dpi=150, format="png")
    plt.close(figure)
