"""Runs of every family -> one table of their differences and one of their ranks."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd
from scipy import stats

from benchmarks.evaluation.registry import METRICS, Metric
from benchmarks.report.stats import comparison
from benchmarks.report.stats.comparison import badness
from benchmarks.report.stats.intervals import LOST

DIFFERENCES = (
    *("metric", "a", "b", "n_a", "n_b", "lost_a", "lost_b", "estimand", "estimate", "low", "high"),
    *("p", "smallest_p", "p_holm", "probability_of_improvement", "paired"),
)
RANKS = (
    *("label", "metric", "n", "lost", "rank", "mean_rank", "rank_low", "rank_high"),
    *("stability", "best_share", "order_share"),
)


@dataclass(frozen=True)
class Group:
    """A family's runs as one metric sees them.

    Attributes:
        values: of the runs that have one.
        lost: how many runs were.
        planned: how many runs were.
        left_out: the class that each run of `values` never saw: what makes pairs with the runs of
            another family; None where seeds of different families have nothing in common.
        family: that all runs play.
        seeds: of each run of `values`: rows of one family share first weights and batches under one
            seed, and so are pairs.

    """

    values: np.ndarray
    lost: int
    planned: int
    left_out: tuple[int, ...] | None = None
    family: str = ""
    seeds: tuple[int, ...] = ()


def groups(runs: pd.DataFrame, metric: Metric) -> dict[str, Group]:
    """Return family -> its runs, best mean first; families without any value are left out.

    Args:
        runs: one row per planned run; see `frame`. Controls are dropped.
        metric: a better direction is needed for the order; without one the rows' order stays.

    """
    found = {
        str(family): Group(
            *(values.to_numpy(dtype=float), _lost(rows, metric), len(rows)),
            left_out=_left_out(rows, values),
            family=str(rows["family"].iloc[0]),
            seeds=tuple(rows.loc[values.index, "seed"].astype(int)),
        )
        for family, rows in runs[runs["kind"] != "control"].groupby("label", sort=False)
        if len(values := rows[metric.name].dropna())
    }
    if metric.direction == "none":
        return found
    return dict(sorted(found.items(), key=lambda item: badness(item[1].values, metric).mean()))


def within(found: Mapping[str, Group], settings: Mapping[str, str]) -> dict[str, dict[str, Group]]:
    """Return setting -> its rows: what may be compared. Without settings all rows are of one, "".

    Args:
        found: row -> its runs.
        settings: row -> what it was trained under, where a suite has rows of several settings.

    """
    parts: dict[str, dict[str, Group]] = {}
    for row, group in found.items():
        parts.setdefault(settings.get(row, ""), {})[row] = group
    return {
        name: parts[name] for name in dict.fromkeys([*settings.values(), *parts]) if name in parts
    }


def _left_out(rows: pd.DataFrame, values: pd.Series) -> tuple[int, ...] | None:
    return tuple(rows.loc[values.index, "left_out"].astype(int)) if "left_out" in rows else None


def are_paired(found: Iterable[Group]) -> bool:
    """Whether the values of all groups at the same place belong together."""
    classes = {group.left_out for group in found}
    return len(classes) == 1 and None not in classes


def in_pairs(found: Sequence[Group]) -> bool:
    """Whether claims compare the values at the same places: as above, or one family's seeds."""
    families, seeds = ({getattr(g, name) for g in found} for name in ("family", "seeds"))
    return are_paired(found) or (len(families) == 1 and "" not in families and len(seeds) == 1)


def _lost(rows: pd.DataFrame, metric: Metric) -> int:
    """Count the lost runs; one that has a value all the same competes with it."""
    return int((rows["status"].isin(LOST) & rows[metric.name].isna()).sum())


def differences(
    runs: pd.DataFrame,
    metrics: Iterable[Metric] | None = None,
    settings: Mapping[str, str] | None = None,
) -> pd.DataFrame:
    """Return one row per metric and pair of families, a with the better mean: DIFFERENCES.

    Empty cells are what too few seeds cannot tell. Holm's adjustment is over the metric's pairs.
    With `settings` (see `within`) only rows of the same one are a pair.
    """
    rows = [
        _pair(metric, one, other)
        for metric in _with_direction(metrics)
        for own in within(groups(runs, metric), settings or {}).values()
        for one, other in combinations(own.items(), 2)
    ]
    table = _table(rows, DIFFERENCES)
    for _, own in table.groupby("metric"):
        table.loc[own.index, "p_holm"] = comparison.holm(own["p"].to_numpy(dtype=float))
    return table


def ranks(
    runs: pd.DataFrame,
    metrics: Iterable[Metric] | None = None,
    settings: Mapping[str, str] | None = None,
) -> pd.DataFrame:
    """Return one row per metric and family, best first: RANKS.

    The rank of the mean over finished runs, its mean and central 95 % over bootstrap resamples of
    the seeds, and the shares of resamples in which the family keeps that rank (stability), is
    alone at the top (best_share), and in which the metric's whole order holds (order_share). Empty
    where a family has a single finished run. With few seeds a bootstrap is too sure of itself.
    With `settings` (see `within`) each has ranks of its own.
    """
    rows = []
    for metric in _with_direction(metrics):
        for own in within(groups(runs, metric), settings or {}).values():
            if len(own) > 1:
                rows += _ranked(metric, own)
    return _table(rows, RANKS)


def _ranked(metric: Metric, found: dict[str, Group]) -> list[dict[str, object]]:
    values = {family: group.values for family, group in found.items()}
    observed = stats.rankdata([badness(own, metric).mean() for own in values.values()])
    rows: list[dict[str, object]] = [
        {"metric": metric.name, "label": family, "n": len(group.values), "lost": group.lost}
        | {"rank": rank}
        for (family, group), rank in zip(found.items(), observed, strict=True)
    ]
    if min(len(own) for own in values.values()) < 2:
        return rows
    means = comparison.resampled_means(values, metric, are_paired(found.values()))
    order = (np.diff(means, axis=1) > 0).all(axis=1).mean()
    for row, drawn in zip(rows, stats.rankdata(means, axis=1).T, strict=True):
        low, high = np.quantile(drawn, [0.025, 0.975])
        row |= {
            **{"mean_rank": drawn.mean(), "rank_low": low, "rank_high": high},
            "stability": (drawn == row["rank"]).mean(),
            **{"best_share": (drawn == 1).mean(), "order_share": order},
        }
    return rows


def _pair(metric: Metric, one: tuple[str, Group], other: tuple[str, Group]) -> dict[str, object]:
    (a, ours), (b, theirs) = one, other
    paired = are_paired((ours, theirs))
    found = comparison.difference(ours.values, theirs.values, metric, paired)
    p = comparison.permutation_p(ours.values, theirs.values, metric, paired)
    n_a, n_b = len(ours.values), len(theirs.values)
    return {
        "metric": metric.name,
        **{"a": a, "b": b, "n_a": n_a, "n_b": n_b, "lost_a": ours.lost, "lost_b": theirs.lost},
        "estimand": comparison.kind(metric),
        **({k: getattr(found, k) for k in ("estimate", "low", "high")} if found else {}),
        "paired": paired,
        "p": p,
        "smallest_p": None if p is None else comparison.smallest_p(n_a, n_b, paired),
        "probability_of_improvement": comparison.probability_of_improvement(
            ours.values, theirs.values, metric, ours.lost, theirs.lost, paired
        ),
    }


def _with_direction(metrics: Iterable[Metric] | None) -> list[Metric]:
    return [m for m in (METRICS.values() if metrics is None else metrics) if m.direction != "none"]


def _table(rows: Sequence[dict[str, object]], columns: Sequence[str]) -> pd.DataFrame:
    table = pd.DataFrame(rows, columns=list(columns))
    texts = ("metric", "label", "a", "b", "estimand")
    counts = ("n", "lost", "n_a", "n_b", "lost_a", "lost_b")
    types = dict.fromkeys(counts, int) | {"paired": bool}
    return table.astype({c: types.get(c, float) for c in columns if c not in texts})
