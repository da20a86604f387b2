"""What somebody said of these models, against what the runs say."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import pandas as pd

from benchmarks.evaluation.registry import METRICS, Metric, number
from benchmarks.planning.config import Claim, Published
from benchmarks.planning.keys import label_of
from benchmarks.report.stats.comparison import (
    KINDS,
    Difference,
    difference,
    difference_of_differences,
    probability_of_improvement,
)
from benchmarks.report.stats.intervals import LOST
from benchmarks.report.stats.pairwise import Group, are_paired, groups

ENDED = ("done", *LOST)


@dataclass(frozen=True)
class Verdict:
    """A claim and what became of it.

    Attributes:
        claim: what was said.
        verdict: decided by the 95 % interval of the difference: all of it on the claimed side, all
            of it on the other, or neither.
        difference: of the row from the one it is compared with, or of that from the difference of
            another pair; None if unknown.
        probability: that a run of the row lies on the claimed side of a run of the other; a lost
            run does not. None for two pairs.
        runs: how many of each row.
        why: the reason if nothing is decided.

    """

    claim: Claim
    verdict: Literal["supported", "contradicted", "not decided"]
    difference: Difference | None = None
    probability: float | None = None
    runs: str = ""
    why: str = ""

    @property
    def labels(self) -> list[str]:
        """The rows of the table that the claim is about: two, or two pairs."""
        return [label_of(*side) for side in self.claim.sides]

    @property
    def rows(self) -> str:
        """Which rows are compared."""
        row, against, *others = self.labels
        beside = " beside {} against {}".format(*others) if others else ""
        return f"{row} against {against}{beside}"

    @property
    def numbers(self) -> str:
        """The difference with its interval, and how probable a single run is to show it."""
        if self.difference is None:
            return self.why
        d, metric = self.difference, METRICS[self.claim.metric]
        estimate, low, high = (size(v, metric) for v in (d.estimate, d.low, d.high))
        p = "" if self.probability is None else f", P(improvement) {self.probability:.2f}"
        return f"{metric.title}: {d.kind} {estimate} [{low}, {high}]{p}, {self.runs}"


@dataclass(frozen=True)
class Reproduced:
    """A published number beside ours.

    The standard error is that of our mean: over seeds, if there are several, and of a rate also
    that of counting so many test images.
    """

    published: Published
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
            label_of(p.row, p.readout),
            metric.title,
            ours,
            theirs,
            difference,
            error,
            str(self.n),
            p.source,
        )


def verdicts(claims: Iterable[Claim], runs: pd.DataFrame) -> list[Verdict]:
    """Decide every claim from the runs, as far as they go.

    Args:
        claims: a suite's.
        runs: one row per planned run; see `frame`.

    """
    return [_verdict(claim, runs) for claim in claims]


def _verdict(claim: Claim, runs: pd.DataFrame) -> Verdict:
    # The claim is about the value itself, whichever way is better: no target, no direction.
    metric = replace(METRICS[claim.metric], direction=claim.expected, target=None)
    found = groups(runs, metric)
    rows = Verdict(claim, "not decided").labels
    for row in rows:
        why = _gap(row, runs)
        if why or row not in found:
            return Verdict(claim, "not decided", why=why or f"{row} has no {metric.title}")
    own = [found[row] for row in rows]
    apart = _apart(own, metric)
    if apart is None:
        return Verdict(claim, "not decided", why="too few seeds, or no spread between them")
    p = None if claim.more_than else _probability(own[0], own[1], metric)
    pairs = " beside ".join(f"{_n(own[i])} and {_n(own[i + 1])}" for i in range(0, len(own), 2))
    return Verdict(claim, _side(apart, metric), apart, p, f"n = {pairs}")


def _apart(own: Sequence[Group], metric: Metric) -> Difference | None:
    """Return the difference of two groups, or of two pairs of groups."""
    a, b, *others = (group.values for group in own)
    if not others:
        return difference(a, b, metric, are_paired(own))
    c, d = others
    return difference_of_differences((a, b), (c, d), metric, are_paired(own))


def _probability(a: Group, b: Group, metric: Metric) -> float | None:
    paired = are_paired((a, b))
    return probability_of_improvement(a.values, b.values, metric, a.lost, b.lost, paired)


def _gap(row: str, runs: pd.DataFrame) -> str:
    """Say what is missing of a row, if anything is."""
    own = runs[runs["label"] == row]
    ended = int(own["status"].isin(ENDED).sum())
    if own.empty:
        return f"{row} is not among these runs"
    return "" if ended == len(own) else f"{ended} of {len(own)} runs of {row} have ended"


def _side(d: Difference, metric: Metric) -> Literal["supported", "contradicted", "not decided"]:
    none = no_difference(metric)
    if d.low <= none <= d.high:
        return "not decided"
    return "supported" if (d.high < none) == (metric.direction == "lower") else "contradicted"


def no_difference(metric: Metric) -> float:
    """Return what a difference on the metric's scale is for equal rows: 0, or a ratio of 1."""
    return 0.0 if KINDS[metric.scale] == "difference" else 1.0


def size(value: float, metric: Metric) -> str:
    """Format a difference or ratio of a metric."""
    if no_difference(metric) == 0:
        return number(value, metric)
    return f"{value:#.3g}".rstrip(".")


def _n(group: Group) -> str:
    lost = f" ({group.lost} lost)" if group.lost else ""
    return f"{len(group.values)}{lost}"


def reproduced(
    published: Iterable[Published], runs: pd.DataFrame, test_images: int
) -> list[Reproduced]:
    """Return each published number beside the mean over our finished runs."""
    return [_reproduced(number, runs, test_images) for number in published]


def _reproduced(published: Published, runs: pd.DataFrame, test_images: int) -> Reproduced:
    own = runs["label"] == label_of(published.row, published.readout)
    values = runs.loc[own, published.metric].dropna().to_numpy(float)
    n = len(values)
    if n == 0:
        return Reproduced(published, 0, None, None, None)
    mean = float(values.mean())
    variances, metric = [values.var(ddof=1) / n] if n > 1 else [], METRICS[published.metric]
    if metric.question == "representation" and metric.unit == "rate":
        variances.append(mean * (1 - mean) / test_images)
    error = float(np.sqrt(sum(variances))) if variances else None
    return Reproduced(published, n, mean, mean - published.value, error)
