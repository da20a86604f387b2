"""A verdict on a claim, and how it is said."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from benchmarks.common.text import listed
from benchmarks.evaluation.registry import METRICS, Metric, number
from benchmarks.planning.config import Claim
from benchmarks.report.stats.comparison import KINDS, Difference

Word = Literal["for", "against", "open"]


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
        ends = edges(self.claim, metric)
        return f", margin {listed([size(edge, metric) for edge in ends])}"


def edges(claim: Claim, metric: Metric) -> tuple[float, ...]:
    """Return what the claimed value has to lie beyond, or, of equals, between."""
    if claim.bound is not None:
        return (claim.bound,)
    none = no_difference(metric)
    margin = none if claim.margin is None else claim.margin
    up, down = (margin, -margin) if none == 0 else (margin, 1 / margin)
    if claim.kind == "equal":
        return down, up
    return (up,) if claim.expected == "higher" else (down,)


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
