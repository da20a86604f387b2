"""The report's first lines: what the runs say, how sure that is, and what it cost."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from benchmarks.common.text import listed
from benchmarks.evaluation.control_rows import CONTROLS
from benchmarks.evaluation.registry import Metric, number
from benchmarks.planning.keys import Kind
from benchmarks.report.data import provenance
from benchmarks.report.data import summary as tables
from benchmarks.report.data.contents import Contents
from benchmarks.report.data.summary import Summary
from benchmarks.report.stats.comparison import badness
from benchmarks.report.stats.reproduced import Reproduced
from benchmarks.report.stats.verdict import Verdict
from benchmarks.report.text import settings


def findings(contents: Contents) -> list[str]:
    """Return the verdict in sentences: who is clearly best, and what references reach."""
    return [*contents.placed, *ranking(contents), *references(contents)]


def answer(contents: Contents) -> list[str]:
    """Return a report's first lines: in what the suite was changed, verdicts, then findings."""
    changed = [contents.changed] if contents.changed else []
    verdicts = [verdict_line(one) for one in contents.verdicts]
    return [*changed, *verdicts, *findings(contents)]


def verdict_line(verdict: Verdict, bold: str = "") -> str:
    """Return a claim's verdict in a line: word, limits, claim with its number, and numbers."""
    claim = verdict.claim
    number = f"Claim {claim.id}: " if claim.id else ""
    said = f"{bold}{verdict.word}{bold}: {number}{claim.says} ({verdict.numbers})"
    return f"{said} Quoted from {claim.place}: “{claim.quote}”" if claim.quote else said


def ranking(contents: Contents) -> list[str]:
    """Return who is clearly best in which headline metric, in sentences."""
    summary = contents.summary
    metrics = _ranked(summary)
    if unfinished := tables.unfinished(summary):
        said = "; ".join(f"{row} {summary.finished(row)}" for row in unfinished)
        why = f"Ranking disabled: some runs did not finish ({said})."
        if summary.settings:
            return [*settings.described(contents), why]
        if len(_finished(summary)) < 2:
            return [why]
        return [why, _leaders("Best on average among finished runs", summary, metrics)]
    if _most_seeds(summary) < 2:
        return [
            "One training seed per model: the spread between seeds is unknown; nothing is ranked.",
            *_behind_controls(summary, metrics),
        ]
    if summary.settings:
        return [
            *settings.described(contents),
            *settings.compared(contents),
            *_behind_controls(summary, metrics),
        ]
    best: dict[str, list[Metric]] = {}
    for metric in metrics:
        for family in summary.best[metric.name]:
            best.setdefault(family, []).append(metric)
    sentences = [
        f"{family} is clearly best in {listed([_quoted(summary, family, m) for m in own])}."
        for family, own in best.items()
    ]
    open_ = [m for m in metrics if not summary.best[m.name]]
    if open_:
        lead = "Best on average, difference not significant"
        sentences.append(_leaders(lead, summary, open_))
    return [*sentences, *_behind_controls(summary, metrics)]


def references(contents: Contents) -> list[str]:
    """Say which rows are not ranked; nothing where none is, or where nobody is."""
    summary = contents.summary
    if not summary.references or not is_ranked(summary) or summary.settings:
        return []
    return [_of_references(summary, _ranked(summary))]


def is_ranked(summary: Summary) -> bool:
    """Whether rows are compared: every run has ended well, and there are several seeds."""
    return not tables.unfinished(summary) and _most_seeds(summary) > 1


def _finished(summary: Summary) -> list[str]:
    """Return the models of which every planned run has numbers."""
    left = tables.unfinished(summary)
    return [row for row in summary.of("model") if row not in left]


def _ranked(summary: Summary) -> list[Metric]:
    """Return the headline metrics with a better direction that any model has."""
    # A suite of generators alone has columns that only controls fill.
    shown = tables.shown(summary)
    return [m for m in shown if m.direction != "none" and _means(summary, m, "model")]


def published(reproduced: Sequence[Reproduced]) -> list[str]:
    """Say how many published numbers ours are as good as equal to, and which are not reached."""
    known = [one for one in reproduced if one.near is not None]
    if not known:
        return []
    far = [
        f"{one.cells[0]} in {one.cells[1]} (off by {one.cells[4]})" for one in known if not one.near
    ]
    said = f" Further off: {listed(far)}." if far else ""
    if any(one.n < 2 for one in known):
        said += " With one seed that error is of the test images alone: what seeds do is unknown."
    return [
        f"{len(known) - len(far)} of {len(known)} published numbers that can be judged are within "
        f"two standard errors of ours.{said}"
    ]


def _leaders(lead: str, summary: Summary, metrics: list[Metric]) -> str:
    """Say who has the best mean where nobody is clearly ahead."""
    leaders: dict[str, list[str]] = {}
    for metric in metrics:
        families = _means(summary, metric, "model")
        leaders.setdefault(min(families, key=families.__getitem__), []).append(metric.title)
    who = "; ".join(f"{family} in {listed(titles)}" for family, titles in leaders.items())
    return f"{lead}: {who or 'nobody'}."


def _behind_controls(summary: Summary, metrics: list[Metric]) -> list[str]:
    """Say where controls that are no real images do as well as every family, and as some of them.

    Some of them: those behind what knows nothing of the data but its mean, or nothing at all.
    """
    behind: list[str] = []
    worse: dict[str, list[str]] = {}
    for metric in metrics:
        others, families = (_means(summary, metric, kind) for kind in ("control", "model"))
        if others and min(others.values()) <= min(families.values()):
            behind.append(metric.title)
        ignorant = min(
            (m for r, m in others.items() if CONTROLS[summary.keys[r].row].ignorant), default=np.inf
        )
        for row in (row for row, mean in families.items() if mean > ignorant):
            worse.setdefault(row, []).append(metric.title)
    said = []
    if behind:
        said.append(
            "A trivial baseline (raw pixels, PCA, mean image) matches or beats every model in "
            f"{listed(behind)}."
        )
    if worse:
        rows = "; ".join(f"{row} in {listed(titles)}" for row, titles in worse.items())
        said.append(
            "Worse than a trivial baseline (untrained networks, mean image, noise, random pair): "
            f"{rows}."
        )
    return said


def _of_references(summary: Summary, metrics: list[Metric]) -> str:
    """Say which rows are not ranked, and where their means are better than every model's."""
    names = [f"{row} ({lack})" for row, lack in summary.references.items()]
    ahead: dict[str, list[str]] = {}
    for metric in metrics:
        best = min(_means(summary, metric, "model").values())
        for row, mean in _means(summary, metric, "reference").items():
            if mean < best:
                value = number(summary.cells[row, metric.name].mean, metric)
                ahead.setdefault(row, []).append(f"{metric.title} ({value})")
    said = "; ".join(f"{row} in {listed(titles)}" for row, titles in ahead.items())
    return f"Reference models (one direction only), not ranked: {listed(names)}." + (
        f" Better on average than every ranked model: {said}." if said else ""
    )


def _means(summary: Summary, metric: Metric, kind: Kind) -> dict[str, float]:
    """Return row -> mean of a metric, turned so that lower is better; real images are no rival."""
    cells = {
        row: cell.mean
        for (row, name), cell in summary.cells.items()
        if name == metric.name and summary.kind(row) == kind and not _is_real(summary, row)
    }
    return dict(zip(cells, badness(list(cells.values()), metric).tolist(), strict=True))


def _is_real(summary: Summary, row: str) -> bool:
    return summary.kind(row) == "control" and CONTROLS[summary.keys[row].row].real


def certainty(contents: Contents) -> str:
    """Say what an interval and a best here rest on."""
    finished = contents.runs[contents.runs["status"] == "done"]
    seeds = finished.groupby("label")["seed"].nunique()
    if seeds.empty:
        return "No run is finished."
    low, high = int(seeds.min()), int(seeds.max())
    n = str(low) if low == high else f"{low} to {high}"
    said = f"Every number is a mean over n = {n} training seed{'s' * (high > 1)}"
    if high < 2:
        return f"{said}, so none has an interval. Train at least three, better five or ten."
    tested = contents.differences["smallest_p"].dropna()
    one, all_ = (" at its setting", " and all settings") if contents.summary.settings else ("", "")
    limit = f" With so few seeds no permutation p is below {tested.min():.2g}." * bool(len(tested))
    return (
        f"{said} with its 95 % interval. Clearly best: better than every other model{one} by the "
        f"interval of the difference, at 95 % for all of them{all_} together (the tables of "
        "single pairs are not corrected for their number). A non-significant difference is not "
        f"evidence of equality.{limit}"
    )


def cost(contents: Contents) -> str:
    """Say how much computing the numbers took, and where."""
    runs = contents.runs
    trained = runs["train_seconds"].dropna()
    runs_ = f"{len(trained)} finished run{'s' * (len(trained) != 1)}"
    spent = [f"{runs_}: {_duration(trained)} of training"]
    if runs["evaluation_seconds"].notna().any():
        spent.append(f"{_duration(runs['evaluation_seconds'].dropna())} of evaluation")
    machines = dict.fromkeys(provenance.hardware(e) for e in provenance.environments(contents.jobs))
    where = listed(list(machines)) or "no known machine"
    return f"{' and '.join(spent)}, summed over runs; on {where}."


def _most_seeds(summary: Summary) -> int:
    return max(
        (cell.n for (row, _), cell in summary.cells.items() if summary.kind(row) != "control"),
        default=0,
    )


def _quoted(summary: Summary, family: str, metric: Metric) -> str:
    cell = summary.cells[family, metric.name]
    return f"{metric.title} ({number(cell.mean, metric)} {tables.interval(cell, metric)})"


def _duration(seconds: "pd.Series[float]") -> str:
    total = float(seconds.sum())
    if total < 100:
        return f"{total:.0f} s"
    return f"{total / 60:.0f} min" if total < 6000 else f"{total / 3600:.1f} h"
