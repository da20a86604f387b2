"""Papers' numbers beside ours."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from benchmarks.evaluation.registry import METRICS, number
from benchmarks.planning.config import Published
from benchmarks.report.stats.claims import label_in


@dataclass(frozen=True)
class Reproduced:
    """A published number beside ours.

    The standard error is that of our mean: over seeds, if there are several, and of a rate also
    that of counting so many test images.
    """

    published: Published
    label: str
    n: int
    ours: float | None
    difference: float | None
    standard_error: float | None

    @property
    def near(self) -> bool | None:
        """Whether the two are within two standard errors; None if ours or its error is unknown."""
        if self.difference is None or self.standard_error is None:
            return None
        return abs(self.difference) <= 2 * self.standard_error

    @property
    def cells(self) -> tuple[str, ...]:
        """Row, metric, ours, theirs, difference, standard error, seeds and source, as text."""
        p, metric = self.published, METRICS[self.published.metric]
        ours, difference, error = (
            "–" if value is None else number(value, metric)
            for value in (self.ours, self.difference, self.standard_error)
        )
        theirs = number(p.value, metric)
        return (
            self.label,
            metric.title,
            ours,
            theirs,
            difference,
            error,
            str(self.n),
            p.source,
        )


def reproduced(
    published: Iterable[Published], runs: pd.DataFrame, test_images: int
) -> list[Reproduced]:
    """Return each published number beside the mean over our finished runs."""
    return [_reproduced(number, runs, test_images) for number in published]


def _reproduced(published: Published, runs: pd.DataFrame, test_images: int) -> Reproduced:
    label = label_in((published.row, published.readout), runs)
    values = runs.loc[runs["label"] == label, published.metric].dropna().to_numpy(float)
    n = len(values)
    if n == 0:
        return Reproduced(published, label, 0, None, None, None)
    mean = float(values.mean())
    variances, metric = [values.var(ddof=1) / n] if n > 1 else [], METRICS[published.metric]
    if metric.question == "representation" and metric.unit == "rate":
        variances.append(mean * (1 - mean) / test_images)
    error = float(np.sqrt(sum(variances))) if variances else None
    return Reproduced(published, label, n, mean, mean - published.value, error)
