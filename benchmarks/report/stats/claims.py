"""What somebody said of these models, against what the runs say.

The rules: a verdict is for, against or open by the 95 % interval of the difference and the margin
that was registered; `decided` asks for more.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import pandas as pd
from scipy import stats

from benchmarks.common.text import listed
from benchmarks.evaluation.control_rows import CONTROLS, UNTRAINED
from benchmarks.evaluation.registry import METRICS, Metric
from benchmarks.planning.config import Claim, Side
from benchmarks.planning.keys import label_of
from benchmarks.report.stats.comparison import (
    Difference,
    badness,
    difference,
    difference_of_differences,
)
from benchmarks.report.stats.intervals import LOST, estimate
from benchmarks.report.stats.pairwise import Group, groups, in_pairs
from benchmarks.report.stats.verdict import Verdict, Word, edges

ENDED = ("done", *LOST)
ENOUGH = 5
"""Seeds that nobody had looked at, for a verdict that is not exploratory."""
TENTH = 0.1
"""Of an untrained model's FID: what one row must reach before anything is said of samples."""


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


def verdicts(claims: Iterable[Claim], evidence: Evidence) -> list[Verdict]:
    """Judge every claim from the runs, as far as they go."""
    return [_verdict(claim, evidence) for claim in claims]


def _verdict(claim: Claim, evidence: Evidence) -> Verdict:
    runs, exploratory = _unseen(claim, evidence)
    # The claim is about the value itself, whichever way is better: no target, no direction.
    metric = replace(METRICS[claim.metric], direction=claim.expected, target=None)
    found = groups(_with_controls(runs, evidence.controls, claim), metric)
    labels = [label_in(side, runs) for side in claim.sides]
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


def _side(claim: Claim, d: Difference, metric: Metric) -> Word:
    ends = edges(claim, metric)
    if claim.kind == "equal":
        if ends[0] < d.low and d.high < ends[1]:
            return "for"
        return "against" if d.low > ends[1] or d.high < ends[0] else "open"
    if d.low <= ends[0] <= d.high:
        return "open"
    beyond = (d.low > ends[0]) == (claim.expected == "higher")
    return "for" if beyond != (claim.kind == "no_better") else "against"


def _p(claim: Claim, own: Sequence[Group], metric: Metric) -> float | None:
    """Return the p at which the interval would just touch the margin; of rates Fisher's exact p."""
    if metric.scale == "binomial" and len(own) == 2:
        table = [[g.values.sum(), len(g.values) - g.values.sum()] for g in own]
        return float(stats.fisher_exact(table).pvalue)
    return max(_touching(claim, own, metric, edge) for edge in edges(claim, metric))


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


def label_in(side: Side, runs: pd.DataFrame) -> str:
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


def _seeds(own: Sequence[Group]) -> str:
    """Say how many runs there are of each row, and how many were lost."""
    said = [f"{len(g.values)}" + f" ({g.lost} lost)" * bool(g.lost) for g in own]
    if len(set(said)) == 1:
        return f"{said[0]} seed{'s' * (said[0] != '1')} each"
    return f"{listed(said)} seeds"
