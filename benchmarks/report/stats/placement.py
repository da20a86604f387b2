"""Where rows of one's own stand beside published models: better, worse, or not told apart."""

from collections.abc import Collection, Mapping

import pandas as pd

from benchmarks.common.text import listed
from benchmarks.evaluation.registry import Metric
from benchmarks.report.stats.comparison import clear_best
from benchmarks.report.stats.pairwise import Group, are_paired, groups

TOLD = ("better", "worse", "not told apart")


def placed(
    runs: pd.DataFrame, own: Collection[str], others: Collection[str], metrics: Collection[Metric]
) -> list[str]:
    """Return a sentence for each pair of a row of one's own and a published one.

    All comparisons of a row of one's own, over rows and metrics, are at 95 % together.

    Args:
        runs: one row per run; see `frame`.
        own: labels of the rows of one's own.
        others: labels of published models.
        metrics: what to compare, each with a better direction.

    """
    found = {metric.name: groups(runs, metric) for metric in metrics}
    said = []
    for row in own:
        pairs = [
            (metric, other)
            for other in others
            for metric in metrics
            if {row, other} <= found[metric.name].keys()
        ]
        verdicts: dict[str, dict[str, list[str]]] = {}
        for metric, other in pairs:
            word = _verdict(row, other, found[metric.name], metric, 0.05 / len(pairs))
            verdicts.setdefault(other, {}).setdefault(word, []).append(metric.title)
        for other, words in verdicts.items():
            parts = [f"{word} in {listed(words[word])}" for word in TOLD if word in words]
            said.append(f"{row} beside {other}: {'; '.join(parts)}.")
        if pairs:
            said.append(
                f"These {len(pairs)} comparisons of {row} are at 95 % for all of them together "
                f"({_seeds(row, others, found)}); a non-significant difference is not evidence of "
                "equality."
            )
    return said


def _seeds(row: str, others: Collection[str], found: Mapping[str, Mapping[str, Group]]) -> str:
    """Say how many runs there are of a row and of the published ones."""
    sizes = {
        name: max((len(own[name].values) for own in found.values() if name in own), default=0)
        for name in (row, *others)
    }
    theirs = sorted({sizes[other] for other in others})
    span = str(theirs[0]) if len(theirs) == 1 else f"{theirs[0]} to {theirs[-1]}"
    return f"{sizes[row]} seed{'s' * (sizes[row] != 1)} of {row}, {span} of each published model"


def _verdict(row: str, other: str, found: Mapping[str, Group], metric: Metric, error: float) -> str:
    pair = {name: found[name] for name in (row, other)}
    values = {name: group.values for name, group in pair.items()}
    best = clear_best(values, metric, are_paired(pair.values()), error)
    return "not told apart" if best is None else "better" if best == row else "worse"
