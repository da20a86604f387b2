"""What somebody said of these models, against what the runs say."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import pandas as pd

from benchmarks.common.text import listed
from benchmarks.evaluation.registry import METRICS, Metric, number
from benchmarks.planning.config import Claim, Published, Side
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
        labels: the rows of the table that it is about: two, or two pairs.
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
    verdict: Literal["for", "against", "open"]
    labels: Sequence[str]
    difference: Difference | None = None
    probability: float | None = None
    runs: str = ""
    why: str = ""

    @property
    def numbers(self) -> str:
        """The difference with its interval, in words; or why nothing is known."""
        if self.difference is None:
            return self.why
        d, metric = self.difference, METRICS[self.claim.metric]
        estimate, low, high = (size(v, metric) for v in (d.estimate, d.low, d.high))
        row, against, *others = self.labels
        if others:
            beside = "{} against {}".format(*others)
            said = f"{row} against {against} beside {beside}: {metric.title}, {d.kind} {estimate}"
        elif no_difference(metric) == 0:
            said = f"{metric.title} of {row} less that of {against}: {estimate}"
        else:
            odds = "odds of " * (d.kind == "odds ratio")
            said = f"{odds}{metric.title} of {row} {estimate} times that of {against}"
        return f"{said} [{low}, {high}], {self.runs}"


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
    labels = [_label(side, runs) for side in claim.sides]
    for row in labels:
        why = _gap(row, runs)
        if why or row not in found:
            return Verdict(claim, "open", labels, why=why or f"{row} has no {metric.title}")
    own = [found[row] for row in labels]
    apart = _apart(own, metric)
    if apart is None:
        return Verdict(claim, "open", labels, why="too few seeds, or no spread between them")
    p = None if claim.more_than else _probability(own[0], own[1], metric)
    return Verdict(claim, _side(apart, metric), labels, apart, p, _seeds(own))


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


def _label(side: Side, runs: pd.DataFrame) -> str:
    """Return what tables call a row of the suite; its id if it is not among the runs."""
    found = runs.loc[runs["id"] == label_of(*side), "label"]
    return str(found.iloc[0]) if len(found) else label_of(*side)


def _gap(row: str, runs: pd.DataFrame) -> str:
    """Say what is missing of a row, if anything is."""
    own = runs[runs["label"] == row]
    ended = int(own["status"].isin(ENDED).sum())
    if own.empty:
        return f"{row} is not among these runs"
    return "" if ended == len(own) else f"{ended} of {len(own)} runs of {row} have ended"


def _side(d: Difference, metric: Metric) -> Literal["for", "against", "open"]:
    none = no_difference(metric)
    if d.low <= none <= d.high:
        return "open"
    return "for" if (d.high < none) == (metric.direction == "lower") else "against"


def no_difference(metric: Metric) -> float:
    """Return what a difference on the metric's scale is for equal rows: 0, or a ratio of 1."""
    return 0.0 if KINDS[metric.scale] == "difference" else 1.0


def size(value: float, metric: Metric) -> str:
    """Format a difference or ratio of a metric."""
    if no_difference(metric) == 0:
        return number(value, metric)
    return f"{value:#.3g}".rstrip(".")


def _seeds(own: Sequence[Group]) -> str:
    """Say how many runs there are of each row, and how many were lost."""
    said = [f"{len(g.values)}" + f" ({g.lost} lost)" * bool(g.lost) for g in own]
    if len(set(said)) == 1:
        return f"{said[0]} seed{'s' * (said[0] != '1')} each"
    return f"{listed(said)} seeds"


def reproduced(
    published: Iterable[Published], runs: pd.DataFrame, test_images: int
) -> list[Reproduced]:
    """Return each published number beside the mean over our finished runs."""
    return [_reproduced(number, runs, test_images) for number in published]


def _reproduced(published: Published, runs: pd.DataFrame, test_images: int) -> Reproduced:
    label = _label((published.row, published.readout), runs)
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
