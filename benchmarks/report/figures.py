"""Figures: the families' pictures side by side, and quality over training."""

from collections.abc import Sequence
from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from benchmarks.evaluation.registry import LIGHT, METRICS
from benchmarks.files import whole
from benchmarks.plan import Job

Colours = dict[str, tuple[float, float, float]]
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


def learning(light: pd.DataFrame, colours: Colours, path: Path) -> bool:
    """Draw the light metrics over updates, and the FID over seconds of training."""
    panels = [("step", name) for name in LIGHT if name in light]
    if not panels:
        return False
    if "fid_hybrid" in light:
        panels.append(("seconds", "fid_hybrid"))
    families = [name for name in colours if name in set(light["family"])]
    figure, axes = _grid(len(panels))
    for axis, (x, name) in zip(axes, panels, strict=True):
        rows = light.dropna(subset=[name])
        for family in families:
            own = rows[rows["family"] == family]
            for _, seed in own.groupby("seed"):
                axis.plot(seed[x], seed[name], color=colours[family], alpha=0.3, linewidth=0.7)
            mean = own.assign(at=own["step"]).groupby("at")[[x, name]].mean()
            axis.plot(mean[x], mean[name], color=colours[family])
        label = "updates" if x == "step" else "seconds of training"
        axis.set(xscale="log", yscale="log", ylabel=METRICS[name].title, xlabel=label)
    _legend(figure, families, colours)
    figure.suptitle("During training, on fewer samples (thick: mean over seeds; thin: each seed)")
    _save(figure, path)
    return True


def truncation(curves: pd.DataFrame, colours: Colours, path: Path) -> bool:
    """Draw fidelity against diversity of truncated samples, the mean over seeds."""
    wanted = ("precision_hybrid", "recall_hybrid", "fid_hybrid")
    if not len(curves) or not set(wanted) <= set(curves):
        return False
    families = [name for name in colours if name in set(curves["family"])]
    figure, axes = _grid(2)
    for family in families:
        own = curves[curves["family"] == family]
        mean = own.groupby("threshold", dropna=False)[list(wanted)].mean()
        axes[0].plot(
            mean["recall_hybrid"], mean["precision_hybrid"], "o-", color=colours[family], ms=3
        )
        cut = mean[mean.index.notna()]
        axes[1].plot(cut.index, cut["fid_hybrid"], "o-", color=colours[family], ms=3)
        axes[1].axhline(
            mean.loc[mean.index.isna(), "fid_hybrid"].iloc[0], color=colours[family], lw=0.7, ls=":"
        )
    axes[0].set(xlabel="recall", ylabel="precision")
    axes[1].set(xlabel="threshold", ylabel=METRICS["fid_hybrid"].title, yscale="log")
    _legend(figure, families, colours)
    figure.suptitle("Truncated draws |z| < threshold, on fewer samples (dotted: the whole prior)")
    _save(figure, path)
    return True


def colours_of(jobs: Sequence[Job]) -> Colours:
    """Return one colour per family, the same in every figure of a report."""
    families = list(dict.fromkeys(job.run.family for job in jobs))
    return dict(zip(families, sns.color_palette("colorblind", len(families)), strict=True))


def _grid(n: int) -> tuple[Figure, list[Axes]]:
    """Return a figure with n panels, two side by side."""
    sns.set_theme(style="whitegrid")
    rows = -(-n // 2)
    figure, axes = plt.subplots(
        rows, 2, figsize=(8.4, 3.4 * rows + 0.6), squeeze=False, layout="constrained"
    )
    for axis in list(axes.flat)[n:]:
        axis.axis("off")
    return figure, list(axes.flat)[:n]


def _legend(figure: Figure, families: Sequence[str], colours: Colours) -> None:
    handles = [Line2D([], [], color=colours[family], label=family) for family in families]
    figure.legend(handles=handles, loc="outside lower center", ncols=len(families), frameon=False)


def _save(figure: Figure, path: Path) -> None:
    with whole(path) as draft:
        figure.savefig(draft, dpi=150, format="png")
    plt.close(figure)
