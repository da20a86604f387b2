"""What somebody said of these models, against what the runs say.

The rules: a verdict is for, against or open by the 95 % interval of the difference and the margin
that was registered; `decided` asks for more.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import pandas as pd
from scipy import stats

from benchmarks.common.text import listed
from benchmarks.evaluation.control_rows import CONTROLS, UNTRAINED
from benchmarks.evaluation.registry import METRICS, Metric, number
from benchmarks.planning.config import Claim, Published, Side
from benchmarks.planning.keys import label_of
from benchmarks.report.stats.comparison import (
    KINDS,
    Difference,
    badness,
    difference,
    difference_of_differences,
)
from benchmarks.report.stats.intervals import LOST, estimate
from benchmarks.report.stats.pairwise import Group, groups, in_pairs

ENDED = ("done", *LOST)
ENOUGH = 5
"""Seeds that nobody had looked at, for a verdict that is not exploratory."""
TENTH = 0.1
"""Of an untrained model's FID: what one row must reach before anything is said of samples."""
Word = Literal["for", "against", "open"]


@dataclass(frozen=True)
class Evidence:
    """The runs that verdicts rest on.

    Attributes:
        report: the suite's name, `-short` with it.
        runs: one row per planned run; see `frame`.
        controls: the control rows in the same form.
        where: data, networks and budget, in a few words.
        reduced: it is not the suite's long form as it stands.

    """

    report: str
    runs: pd.DataFrame
    controls: pd.DataFrame
    where: str = ""
    reduced: bool = True


@dataclass(frozen=True)
class Verdict:
    """A claim and what became of it.

    Attributes:
        claim: what was said.
        labels: the rows of the table that it is about.
        verdict: by the 95 % interval beyond the margin: all of it on the claimed side, all of it on
            the other, or neither; open, too, where no row reaches the floor.
        found: the difference of the row from the one it is compared with, or of that from the
            difference of another pair, or the row's own mean; None if unknown.
        p: two-sided, of the margin; Fisher's exact p for rates of runs; None if unknown.
        runs: how many of each row.
        why: the reason if nothing is said.
        where: data, networks and budget.
        exploratory: fewer than five seeds had not been looked at before the claim was frozen.
        at_scale: the runs are at the source's own scale, with five seeds that nobody had seen.

    """

    claim: Claim
    verdict: Word
    labels: Sequence[str]
    found: Difference | None = None
    p: float | None = None
    runs: str = ""
    why: str = ""
    where: str = ""
    exploratory: bool = True
    at_scale: bool = False

    @property
    def word(self) -> str:
        """The verdict, and how far it carries."""
        limits = ["reduced scale"] * (not self.at_scale) + ["exploratory"] * self.exploratory
        return self.verdict + f" ({', '.join(limits)})" * bool(limits)

    @property
    def numbers(self) -> str:
        """What was found with its interval, margin, p, data and size; or why nothing is known."""
        if self.found is None:
            return f"{self.why}; {self.where}" if self.where else self.why
        d, metric = self.found, METRICS[self.claim.metric]
        middle, low, high = (_shown(v, self.claim, metric) for v in (d.estimate, d.low, d.high))
        p = "" if self.p is None else f", p {'< .001' if self.p < 0.001 else f'{self.p:.3f}'}"
        parts = [f"{self._of(metric, d.kind)} {middle} [{low}, {high}]{self._margin(metric)}{p}"]
        return "; ".join(filter(None, [*parts, self.runs, self.where, self.why]))

    def _of(self, metric: Metric, kind: str) -> str:
        row, *others = self.labels
        if not others:
            return f"{metric.title} of {row}"
        if len(others) > 1:
            beside = f"{others[1]} against {others[2]}"
            return f"{row} against {others[0]} beside {beside}: {metric.title}, {kind}"
        if no_difference(metric) == 0:
            return f"{metric.title} of {row} less that of {others[0]}:"
        return f"{'odds of ' * (kind == 'odds ratio')}{metric.title} of {row} over {others[0]}:"

    def _margin(self, metric: Metric) -> str:
        if self.claim.bound is not None:
            side = "at least" if self.claim.expected == "higher" else "at most"
            return f", claimed {side} {number(self.claim.bound, metric)}"
        edges = _edges(self.claim, metric)
        return f", margin {listed([size(edge, metric) for edge in edges])}"


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


def verdicts(claims: Iterable[Claim], evidence: Evidence) -> list[Verdict]:
    """Judge every claim from the runs, as far as they go."""
    return [_verdict(claim, evidence) for claim in claims]


def _verdict(claim: Claim, evidence: Evidence) -> Verdict:
    runs, exploratory = _unseen(claim, evidence)
    # The claim is about the value itself, whichever way is better: no target, no direction.
    metric = replace(METRICS[claim.metric], direction=claim.expected, target=None)
    found = groups(_with_controls(runs, evidence.controls, claim), metric)
    labels = [_label(side, runs) for side in claim.sides]
    verdict = Verdict(
        *(claim, "open", labels),
        where=evidence.where,
        exploratory=exploratory,
        at_scale=claim.decisive and not evidence.reduced and not exploratory,
    )
    for row in labels:
        why = "" if row == _control(claim) else _gap(row, runs)
        if why or row not in found:
            return replace(verdict, why=why or f"{row} has no {METRICS[claim.metric].title}")
    own = [found[row] for row in labels]
    apart = _apart(claim, own, metric, 0.95)
    if apart is None:
        return replace(verdict, why="too few seeds, or no spread between them")
    found_out = replace(verdict, found=apart, p=_p(claim, own, metric), runs=_seeds(own))
    if why := _incompetent(claim, labels, runs, evidence.controls):
        return replace(found_out, why=why)
    return replace(found_out, verdict=_side(claim, apart, metric))


def _unseen(claim: Claim, evidence: Evidence) -> tuple[pd.DataFrame, bool]:
    """Return the runs that nobody had looked at, if they are enough; else all, as exploratory."""
    runs = evidence.runs
    fresh = runs[runs["seed"] >= claim.seen.get(evidence.report, 0)]
    enough = bool(claim.date) and fresh["seed"].nunique() >= ENOUGH
    return (fresh, False) if enough else (runs, True)


def _control(claim: Claim) -> str:
    return CONTROLS[claim.against].title if claim.against in CONTROLS else ""


def _with_controls(runs: pd.DataFrame, controls: pd.DataFrame, claim: Claim) -> pd.DataFrame:
    """Return runs and the repetitions of the control that a claim compares with."""
    if claim.against not in CONTROLS or controls.empty:
        return runs
    own = controls[controls["row"] == claim.against].assign(kind="model")
    return pd.concat([runs, own], ignore_index=True)


def _apart(
    claim: Claim, own: Sequence[Group], metric: Metric, confidence: float
) -> Difference | None:
    """Return the difference of two groups or of two pairs of groups, or one group's own mean."""
    values = [group.values for group in own]
    if len(own) == 1:
        mean = estimate(values[0].tolist(), metric.scale, confidence)
        if mean.low is None or mean.high is None or values[0].var() == 0:
            return None
        return Difference("mean", mean.mean, mean.low, mean.high)
    paired = in_pairs(own)
    if len(own) == 2:
        return difference(values[0], values[1], metric, paired, confidence)
    a, b, c, d = values
    return difference_of_differences((a, b), (c, d), metric, paired, confidence)


def _edges(claim: Claim, metric: Metric) -> tuple[float, ...]:
    """Return what the claimed value has to lie beyond, or, of equals, between."""
    if claim.bound is not None:
        return (claim.bound,)
    none = no_difference(metric)
    margin = none if claim.margin is None else claim.margin
    up, down = (margin, -margin) if none == 0 else (margin, 1 / margin)
    if claim.kind == "equal":
        return down, up
    return (up,) if claim.expected == "higher" else (down,)


def _side(claim: Claim, d: Difference, metric: Metric) -> Word:
    edges = _edges(claim, metric)
    if claim.kind == "equal":
        if edges[0] < d.low and d.high < edges[1]:
            return "for"
        return "against" if d.low > edges[1] or d.high < edges[0] else "open"
    if d.low <= edges[0] <= d.high:
        return "open"
    beyond = (d.low > edges[0]) == (claim.expected == "higher")
    return "for" if beyond != (claim.kind == "no_better") else "against"


def _p(claim: Claim, own: Sequence[Group], metric: Metric) -> float | None:
    """Return the p at which the interval would just touch the margin; of rates Fisher's exact p."""
    if metric.scale == "binomial" and len(own) == 2:
        table = [[g.values.sum(), len(g.values) - g.values.sum()] for g in own]
        return float(stats.fisher_exact(table).pvalue)
    return max(_touching(claim, own, metric, edge) for edge in _edges(claim, metric))


def _touching(claim: Claim, own: Sequence[Group], metric: Metric, edge: float) -> float:
    """Return 1 less the confidence at which an end of the interval lies on an edge."""
    low, high = 0.0, 1.0
    for _ in range(50):
        confidence = (low + high) / 2
        d = _apart(claim, own, metric, confidence)
        assert d is not None
        low, high = (low, confidence) if d.low <= edge <= d.high else (confidence, high)
    return 1 - high


def _incompetent(
    claim: Claim, labels: Sequence[str], runs: pd.DataFrame, controls: pd.DataFrame
) -> str:
    """Say that no row reaches the claim's floor; nothing if one does, or untrained is unknown."""
    if not claim.floor or controls.empty:
        return ""
    metric = METRICS[claim.floor]
    untrained = controls.loc[controls["row"] == UNTRAINED, metric.name].dropna().to_numpy(float)
    reached = [
        runs.loc[runs["label"] == row, metric.name].dropna().to_numpy(float) for row in labels
    ]
    reached = [values for values in reached if len(values)]
    if not len(untrained) or not reached:
        return ""
    if claim.floor == "fid_hybrid":
        competent = min(values.mean() for values in reached) <= TENTH * untrained.mean()
        aim = "a tenth of an untrained model's"
    else:
        best = min(badness(values, metric).mean() for values in reached)
        competent = best < badness(untrained, metric).mean()
        aim = "better than an untrained model's"
    return "" if competent else f"no row reaches the floor: {metric.title} {aim}"


def _label(side: Side, runs: pd.DataFrame) -> str:
    """Return what tables call a row of the suite; its id if it is not among the runs."""
    if side[0] in CONTROLS:
        return CONTROLS[side[0]].title
    found = runs.loc[runs["id"] == label_of(*side), "label"]
    return str(found.iloc[0]) if len(found) else label_of(*side)


def _gap(row: str, runs: pd.DataFrame) -> str:
    """Say what is missing of a row, if anything is."""
    own = runs[runs["label"] == row]
    ended = int(own["status"].isin(ENDED).sum())
    if own.empty:
        return f"{row} is not among these runs"
    return "" if ended == len(own) else f"{ended} of {len(own)} runs of {row} have ended"


def _shown(value: float, claim: Claim, metric: Metric) -> str:
    return number(value, metric) if claim.kind == "at_least" else size(value, metric)


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
