"""The words of a report, for somebody who meets them for the first time."""

import re
from collections.abc import Iterable, Sequence

from markupsafe import Markup

from benchmarks.config import Run
from benchmarks.evaluation.registry import METRICS, Metric
from benchmarks.report.tables import Summary
from zoo.registry import describe, source

GENERAL = {
    "seeds": "trainings that differ in nothing but their random start",
    "[low, high]": "95 % interval: how far a mean may be off, judged by the spread between seeds",
    "clearly best": "better than every other family by more than that spread explains, at 95 % for "
    "all of them together",
    "reference": "a row without an encoder, or without a prior to draw from; shown, but not ranked",
    "control": "no trained family but a yardstick, such as real images or raw pixels",
    "ratio": "the first row's mean over the second's; 1: equal",
    "odds ratio": "of two rates r, the first's r / (1 - r) over the second's; 1: equal",
    "ratio of ratios": "the ratio of the first pair of rows over that of the second; 1: equal",
    "ratio of odds ratios": "the odds ratio of the first pair of rows over that of the second; 1: "
    "equal",
    "P(improvement)": "how often a run of the first row is better than one of the second",
    "p": "how often chance alone would show as large a difference; p Holm: corrected for testing "
    "many pairs",
}
CONTROLS = {
    "real": "real images in place of samples: what a perfect generator would reach",
    "training set repeated": "the training images themselves in place of samples: a pure copier",
    "noise": "random pixels in place of samples",
    "raw pixels": "the image itself in place of features",
    "PCA": "principal components in place of E and G, as many as z has numbers",
    "mean image": "the average training image in place of every sample and reconstruction",
    "mean point": "the average training point in place of every sample and reconstruction",
    "nearest mode": "the centre of a point's mode in place of its reconstruction",
    "random pair": "another test image in place of the reconstruction",
    "prior draws": "draws of the prior in place of codes E(x)",
    "untrained": "the networks before their first step",
}
"""Control row, up to a comma -> what it is."""


def in_plain_words(metrics: Iterable[Metric]) -> dict[str, str]:
    """Return column title -> what it says, for the metrics that somebody has put in plain words."""
    return {m.title: m.plain for m in metrics if m.plain}


def listed(words: Sequence[str], last: str = "and") -> str:
    """Return "a, b and c"."""
    return f" {last} ".join(filter(None, (", ".join(words[:-1]), *words[-1:])))


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


def rows(summary: Summary, runs: Iterable[Run]) -> dict[str, str]:
    """Return row of the table -> what it is."""
    first: dict[str, Run] = {}
    for run in runs:
        first.setdefault(run.row, run)
    said = {}
    for row in summary.families:
        said[row] = _control(row) if row in summary.controls else _family(row, first)
        if lacks := summary.references.get(row):
            said[row] += f" Reference, {lacks}."
    return said


def _control(row: str) -> str:
    return f"Control: {CONTROLS.get(row.split(',')[0], 'no trained family')}."


def _family(row: str, first: dict[str, Run]) -> str:
    if row in first:
        run = first[row]
        options = ", ".join(f"{name} {value}" for name, value in run.options.items())
        told = describe(run.family) if source(run.family).is_file() else run.family
        return told + (f" With {options}." if options else "")
    game, _, readout = row.removesuffix(")").rpartition(" (")
    return f"The {readout} of {game}: another part of the same training."
