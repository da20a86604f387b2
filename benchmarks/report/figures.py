"""Figures: the families' pictures side by side, and quality over training."""

from collections.abc import Sequence
from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from benchmarks.evaluation.registry import LIGHT, METRICS
from benchmarks.files import whole
from benchmarks.plan import Job

PICTURES = {
    "samples": "Samples G(z): the same 64 draws of the prior for every family",
    "reconstructions": "Reconstructions: test image, then G(E(image)), in columns two by two",
}


def side_by_side(jobs: Sequence[Job], kind: str, path: Path) -> bool:
    """Draw each family's picture (its first finished seed) in one figure; False if none."""
    first: dict[str, Job] = {}
    for job in jobs:
        if (job.folder / f"{kind}.png").exists():
            first.setdefault(job.run.family, job)
    if not first:
        return False
    columns = min(3, len(first))
    rows = -(-len(first) // columns)
    figure, axes = plt.subplots(
        rows, columns, figsize=(3.4 * columns, 3.7 * rows), squeeze=False, layout="constrained"
    )
    for axis in axes.flat:
        axis.axis("off")
    for axis, (family, job) in zip(axes.flat, first.items(), strict=False):
        axis.imshow(plt.imread(job.folder / f"{kind}.png"), interpolation="nearest")
        axis.set_title(f"{family}, seed {job.run.seed}")
    figure.suptitle(PICTURES[kind])
    _save(figure, path)
    return True


def learning(light: pd.DataFrame, path: Path) -> bool:
    """Draw the light metrics over training steps: the mean over seeds, and each seed thin."""
    metrics = [name for name in LIGHT if name in light]
    if not metrics:
        return False
    sns.set_theme(style="whitegrid")
    families = list(dict.fromkeys(light["family"]))
    colours = dict(zip(families, sns.color_palette("colorblind", len(families)), strict=True))
    figure, axes = plt.subplots(
        1, len(metrics), figsize=(4.2 * len(metrics), 3.9), squeeze=False, layout="constrained"
    )
    for axis, name in zip(axes.flat, metrics, strict=True):
        rows = light.dropna(subset=[name])
        sns.lineplot(
            rows, x="step", y=name, hue="family", hue_order=families, palette=colours,
            errorbar=None, legend=False, ax=axis,
        )  # fmt: skip
        for (family, _), seed in rows.groupby(["family", "seed"]):
            axis.plot(seed["step"], seed[name], color=colours[family], alpha=0.3, linewidth=0.7)
        axis.set(xscale="log", yscale="log", ylabel=METRICS[name].title, xlabel="updates")
    figure.legend(
        handles=[Line2D([], [], color=colours[family], label=family) for family in families],
        loc="outside lower center",
        ncols=len(families),
        frameon=False,
    )
    figure.suptitle("During training, on fewer samples (thick: mean over seeds; thin: each seed)")
    _save(figure, path)
    return True


def _save(figure: Figure, path: Path) -> None:
    with whole(path) as draft:
        figure.savefig(draft, dpi=150, format="png")
    plt.close(figure)
