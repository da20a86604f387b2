"""Figures of numbers: quality over training, truncation."""

from pathlib import Path

import pandas as pd
from matplotlib.axes import Axes

from benchmarks.evaluation.registry import LIGHT, METRICS
from benchmarks.report.figures.style import Look, Looks, grid, legend, logarithmic, save

X_LABELS = {"step": "updates", "seconds": "seconds of training"}


def learning(light: pd.DataFrame, final: pd.DataFrame, looks: Looks, stem: Path) -> bool:
    """Draw each light metric over updates and, beside it, over seconds; False if there are none.

    Args:
        light: the evaluations during training.
        final: after the last update, hollow: label, step, seconds, metrics; one row per run.
        looks: of the rows.
        stem: path of the figure without a suffix.

    """
    known = [x for x in X_LABELS if x in light and (light[x] > 0).any()]
    panels = [(x, name) for name in LIGHT if name in light for x in known]
    if not panels:
        return False
    names = [name for name in looks if name in set(light["label"])]
    figure, axes = grid(len(panels))
    for axis, (x, metric) in zip(axes, panels, strict=True):
        for name in names:
            _over(
                axis, light[light["label"] == name].dropna(subset=[metric]), x, metric, looks[name]
            )
            if metric in final:
                ended = final[final["label"] == name].dropna(subset=[metric])
                _last(axis, ended[[x, metric]].mean(), looks[name])
        shares = METRICS[metric].scale == "logit"  # all near 1: a logarithm shows nothing more
        logarithmic(axis.xaxis, *([] if shares else [axis.yaxis]))
        axis.set(ylabel=METRICS[metric].title, xlabel=X_LABELS[x])
    legend(figure, looks, names)
    save(figure, stem)
    return True


def _over(axis: Axes, rows: pd.DataFrame, x: str, metric: str, look: Look) -> None:
    """Draw one row's curve: each seed thin, their mean thick as far as all seeds go."""
    for _, seed in rows.groupby("seed"):
        axis.plot(seed[x], seed[metric], alpha=0.35, linewidth=0.6, color=look.colour)
    steps = rows.assign(at=rows["step"]).groupby("at")[[x, metric]]
    mean = steps.mean()[steps.size() == rows["seed"].nunique()]
    axis.plot(mean[x], mean[metric], **look.points)


def _last(axis: Axes, mean: pd.Series, look: Look) -> None:
    """Draw the mean of final evaluations, on all samples: no part of the curve on fewer."""
    axis.plot(
        *mean, marker=look.marker, color=look.colour, markerfacecolor="none", linestyle="",
        markersize=7,
    )  # fmt: skip


def truncation(curves: pd.DataFrame, looks: Looks, stem: Path) -> bool:
    """Draw fidelity against diversity of truncated samples, the mean over seeds."""
    wanted = ["precision_hybrid", "recall_hybrid", "fid_hybrid"]
    if not len(curves) or not set(wanted) <= set(curves):
        return False
    names = [name for name in looks if name in set(curves["label"])]
    figure, (left, right) = grid(2)
    for name in names:
        own = curves[curves["label"] == name]
        mean = own.groupby("threshold", dropna=False)[wanted].mean()
        left.plot(mean["recall_hybrid"], mean["precision_hybrid"], **looks[name].points)
        cut = mean[mean.index.notna()]
        right.plot(cut.index, cut["fid_hybrid"], **looks[name].points)
        whole_prior = mean.loc[mean.index.isna(), "fid_hybrid"]
        right.axhline(whole_prior.iloc[0], color=looks[name].colour, linewidth=0.7, linestyle=":")
    left.set(xlabel="recall", ylabel="precision")
    right.set(xlabel="threshold", ylabel=METRICS["fid_hybrid"].title)
    logarithmic(right.yaxis)
    legend(figure, looks, names)
    save(figure, stem)
    return True
