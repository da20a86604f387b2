"""The words of a report, for somebody who meets them for the first time."""

import re
from collections.abc import Iterable

from markupsafe import Markup

from benchmarks.evaluation.control_rows import CONTROLS
from benchmarks.evaluation.registry import METRICS, Metric
from benchmarks.planning.config import Run
from benchmarks.planning.keys import Key
from benchmarks.planning.plan import Job
from benchmarks.report.data.summary import Summary
from zoo.registry import describe, source

GENERAL = {
    "seeds": "trainings that differ in nothing but their random start",
    "[low, high]": "95 % interval: how far a mean may be off, judged by the spread between seeds",
    "clearly best": "better than every other model by more than that spread explains, at 95 % for "
    "all of them together",
    "reference": "a model of one direction only: no encoder, or no prior to draw from; not ranked",
    "control": "no trained model but a yardstick, such as real images or raw pixels",
    "ratio": "the first row's mean over the second's; 1: equal",
    "odds ratio": "of two rates r, the first's r / (1 - r) over the second's; 1: equal",
    "ratio of ratios": "the ratio of the first pair of rows over that of the second; 1: equal",
    "ratio of odds ratios": "the odds ratio of the first pair of rows over that of the second; 1: "
    "equal",
    "P(improvement)": "how often a run of the first row is better than one of the second",
    "p": "how often chance alone would show as large a difference; p Holm: corrected for testing "
    "many pairs",
}


def in_plain_words(metrics: Iterable[Metric]) -> dict[str, str]:
    """Return column title -> what it says, for the metrics that somebody has put in plain words."""
    return {m.title: m.plain for m in metrics if m.plain}


class Explainer:
    """Writes text as HTML, with the meaning of each known word on hover where it is met first."""

    def __init__(self) -> None:
        self.meanings = in_plain_words(METRICS.values()) | GENERAL
        names = sorted(self.meanings, key=len, reverse=True)  # "recon. ratio" before "ratio"
        self.pattern = re.compile(rf"(?<![\w-])({'|'.join(map(re.escape, names))})(?![\w-])")
        self.met: set[str] = set()

    def __call__(self, text: str) -> Markup:
        """Return one text, escaped; those of a page come in the order of reading."""
        parts = self.pattern.split(text)  # text, word, text, ..., text
        return Markup("").join(self._word(part) if i % 2 else part for i, part in enumerate(parts))

    def _word(self, word: str) -> str:
        if word in self.met:
            return word
        self.met.add(word)
        return Markup('<abbr title="{}">{}</abbr>').format(self.meanings[word], word)


def rows(summary: Summary, jobs: Iterable[Job]) -> dict[str, str]:
    """Return row of the table -> what it is."""
    runs: dict[str, Run] = {}
    for job in jobs:
        runs.setdefault(job.key.label, job.run)
    said = {}
    for row, key in summary.keys.items():
        said[row] = _model(runs[row]) if row in runs else _beside(key)
        if lacks := summary.references.get(row):
            said[row] += f" Reference, {lacks}."
    return said


def _beside(key: Key) -> str:
    """Say what a row is that is no training of its own."""
    if key.kind == "control":
        return f"Control: {CONTROLS[key.row].what}."
    return f"The {key.readout} of {key.name}: another part of the same training."


def _model(run: Run) -> str:
    options = ", ".join(f"{name} {value}" for name, value in run.options.items())
    told = describe(run.family) if source(run.family).is_file() else run.family
    return told + (f" With {options}." if options else "")
