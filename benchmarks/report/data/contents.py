"""What every form of a report is made from, gathered once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from benchmarks.planning.config import NetworkSettings, Run, Suite
from benchmarks.evaluation.protocol import PROTOCOLS, VERSION
from benchmarks.planning.keys import Key
from benchmarks.planning.plan import ENDED, Job, state
from benchmarks.report.stats import claims, reproduced
from benchmarks.report.stats import pairwise
from benchmarks.report.data import frame
from benchmarks.report.data import provenance
from benchmarks.report.data import summary as tables
from benchmarks.report.stats.claims import Evidence
from benchmarks.report.stats.reproduced import Reproduced
from benchmarks.report.stats.verdict import Verdict
from benchmarks.report.data.columns import keys_of, with_references
from benchmarks.report.data.directions import directions, references
from benchmarks.report.stats.placement import placed
from benchmarks.report.data.summary import Summary
from benchmarks.planning.rows import settings_of
from benchmarks.planning.suites import SHORT
from datasets.registry import DATASETS
from zoo.registry import about, default_of

TIERS = {"controlled": "matched settings", "faithful": "authors' settings"}
WITHIN = "Rows are compared within their setting only: what is marked is the best of one setting."


@dataclass(frozen=True)
class Contents:
    """A suite's runs and what is computed of them.

    Attributes:
        suite: the question, and what all runs share.
        jobs: the runs, finished or not.
        command: the command line that asked for the report.
        changed: in what the suite is not the committed one of its name, in a sentence, if in any.
        notes: what a reader should know of the runs.
        runs, controls: one row per run; see `frame`.
        summary: means and intervals.
        differences, ranks: see `families`; the ranks are those of rows that are no reference.
            Both are made within settings, where the suite has several.
        verdicts, reproduced: on the suite's claims and published numbers.
        placed: where rows of one's own stand beside published ones, in sentences.

    """

    suite: Suite
    jobs: Sequence[Job]
    command: str
    changed: str
    notes: Sequence[str]
    runs: pd.DataFrame
    controls: pd.DataFrame
    summary: Summary
    differences: pd.DataFrame
    ranks: pd.DataFrame
    verdicts: Sequence[Verdict]
    reproduced: Sequence[Reproduced]
    placed: Sequence[str] = ()


def gather(
    suite: Suite,
    jobs: Sequence[Job],
    controls: pd.DataFrame,
    command: str,
    notes: Sequence[str] = (),
) -> Contents:
    """Read the run folders and compute what all forms of the report show.

    Args:
        suite: the question.
        jobs: the runs.
        controls: see `frame`.
        command: the command line that asked for the report.
        notes: what else a reader should know of the runs.

    """
    runs, light = frame.results_frame(jobs), frame.light_frame(jobs)
    lacking = references(directions(runs, light))
    runs = with_references(runs, lacking)
    settings = settings_of(suite, keys_of(runs).values())
    elsewhere = published_beside_own(jobs, keys_of(runs))
    summary = tables.summarise(runs, controls, lacking, settings, elsewhere)
    return Contents(
        suite=suite,
        jobs=jobs,
        command=command,
        changed=provenance.changes_of(suite, jobs),
        notes=[*notes, *_notes(suite, jobs, bool(settings), elsewhere)],
        runs=runs,
        controls=controls,
        summary=summary,
        differences=pairwise.differences(runs, settings=settings),
        ranks=pairwise.ranks(runs[runs["kind"] == "model"], settings=settings),
        verdicts=claims.verdicts(suite.claims, _evidence(suite, jobs, runs, controls)),
        reproduced=reproduced.reproduced(suite.published, runs, DATASETS[suite.dataset].test),
        placed=_placed(summary, runs, elsewhere),
    )


def _evidence(
    suite: Suite, jobs: Sequence[Job], runs: pd.DataFrame, controls: pd.DataFrame
) -> Evidence:
    """Return what verdicts rest on, with its data and size."""
    steps = sorted({job.run.training.steps for job in jobs})
    shape = "points" if suite.dataset == "gaussians" else "{1} × {2} pixels".format(
        *DATASETS[suite.dataset].image_shape
    )
    updates = " to ".join(f"{n:,}" for n in dict.fromkeys((steps[0], steps[-1])))
    return Evidence(
        *(suite.name, runs, controls),
        where=f"{suite.dataset}, {shape}, {_networks(jobs)}, {updates} updates",
        reduced=suite.name.endswith(SHORT) or bool(provenance.changes_of(suite, jobs)),
    )


def _notes(
    suite: Suite, jobs: Sequence[Job], has_settings: bool, elsewhere: Sequence[str]
) -> list[str]:
    """Return what a reader should know of the runs, as far as they tell it themselves."""
    within = [WITHIN] if has_settings else []
    return [*within, *provenance.cautions(jobs), *_remarks(suite, jobs), *_foreign(elsewhere)]


def published_beside_own(jobs: Sequence[Job], keys: Mapping[str, Key]) -> list[str]:
    """Return the labels of published rows, readouts among them, beside runs of one's own; or none.

    Their seconds are another machine's, and what is one's own is placed beside them.
    """
    published = {job.key.name for job in jobs if job.published}
    if not any(state(job) in ENDED for job in jobs if not job.published):
        return []
    return [label for label, key in keys.items() if key.name in published]


def _foreign(elsewhere: Sequence[str]) -> list[str]:
    if not elsewhere:
        return []
    return [
        f"{tables.DAGGER} Published runs, timed on another machine: do not compare their seconds, "
        "paces and memory with those of the other rows."
    ]


def _placed(summary: Summary, runs: pd.DataFrame, elsewhere: Sequence[str]) -> list[str]:
    if not elsewhere or tables.unfinished(summary):
        return []
    metrics = [metric for metric in tables.shown(summary) if metric.direction != "none"]
    own = [row for row in summary.of("model", "reference") if row not in elsewhere]
    others = [row for row in summary.of("model") if row in elsewhere]
    return placed(runs, own, others, metrics)


def _remarks(suite: Suite, jobs: Sequence[Job]) -> list[str]:
    """Return what the numbers of some rows rest on."""
    said = [
        f"{row}: {note.format_map(_Options(run))}."
        for row, run in {job.key.name: job.run for job in jobs}.items()
        for note in about(run.family).notes
    ]
    if len({job.run.networks for job in jobs}) > 1:
        said.append(
            "Rows have different networks. The control rows untrained and PCA are those of "
            f"{_described(suite.networks)}: no measure of the other rows' networks."
        )
    return said


class _Options(dict[str, Any]):
    """The options of a run; those that it leaves out have the family's defaults."""

    def __init__(self, run: Run) -> None:
        super().__init__(run.options)
        self.family = run.family

    def __missing__(self, option: str) -> Any:
        return default_of(self.family, option)


def heading(suite: Suite, jobs: Sequence[Job]) -> str:
    """Return the line every table stands under: tier, data, budget, protocol, extractor."""
    protocol = PROTOCOLS[suite.dataset]
    left_out = "; seed s trains without class s" if suite.leave_one_class_out else ""
    return (
        f"{suite.name}: {conditions(jobs)}; protocol {VERSION}, {protocol.samples:,} samples, "
        f"extractor {protocol.extractor}{left_out}"
    )


def conditions(jobs: Sequence[Job]) -> str:
    """Return under what the rows were trained: tier, networks, budget and engine."""
    return f"{_tiers(jobs)}, {_networks(jobs)}, {_budgets(jobs)}, {_engines(jobs)}"


def _tiers(jobs: Sequence[Job]) -> str:
    return " and ".join(dict.fromkeys(TIERS[job.run.tier] for job in jobs))


def _networks(jobs: Sequence[Job]) -> str:
    """Describe the rows' networks, each kind once."""
    kinds = dict.fromkeys(job.run.networks for job in jobs)
    return " or ".join(map(_described, kinds))


def _engines(jobs: Sequence[Job]) -> str:
    """Describe what trained the rows."""
    stacks = dict.fromkeys(job.run.training.stacked for job in jobs)
    said = (f"stacked engine, {n} seeds at once" if n else "eager engine" for n in stacks)
    return " or ".join(said)


def _described(n: NetworkSettings) -> str:
    return f"{n.body} width {n.width}, z {n.latent_dim} ({n.prior})"


def _budgets(jobs: Sequence[Job]) -> str:
    """Describe the rows' budgets, each kind once."""
    budgets = [job.run.training for job in jobs]
    said = (f"{t.steps:,} updates of {t.batch_size}, {t.precision}" for t in budgets)
    return " or ".join(dict.fromkeys(said))
