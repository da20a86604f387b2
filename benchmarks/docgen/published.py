"""What documents quote: the published reports, from their report.json, and the suites' files."""

import json
import math
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any

from benchmarks.common.files import ROOT
from benchmarks.evaluation.registry import METRICS, Metric, head, table_line
from benchmarks.planning.config import Published, Suite
from benchmarks.planning.keys import label_of
from benchmarks.planning.suites import SHORT, load_suite, shortened, suite_names
from benchmarks.report.stats.comparison import holm

PUBLISHED = ROOT / "results" / "published"
NOT_RUN = "not run in full yet"
SURE = 0.05
"""What an adjusted p has to stay under."""


@dataclass(frozen=True)
class Report:
    """A published report of a suite or of its short form.

    Attributes:
        name: of its folder.
        suite: the suite, in its long form.
        content: of its report.json.

    """

    name: str
    suite: Suite
    content: dict[str, Any]

    @property
    def rows(self) -> list[dict[str, Any]]:
        """The lines of its table."""
        rows: list[dict[str, Any]] = self.content["rows"]
        return rows

    def row(self, row: str, readout: str = "") -> dict[str, Any] | None:
        """Return a line of the table, if it is there."""
        wanted = label_of(row, readout)
        return next((one for one in self.rows if one["id"] == wanted), None)

    @property
    def extent(self) -> str:
        """How many of its runs it has, if not all: " of 1 of 60 runs"."""
        own = [row for row in self.rows if row["kind"] != "control" and not row["readout"]]
        done, planned = (sum(row[f"seeds_{part}"] for row in own) for part in ("done", "planned"))
        return f" of {done} of {planned} runs" if done < planned else ""

    @property
    def path(self) -> str:
        """Where its table is, from the root of the repository."""
        return f"results/published/{self.name}/table.md"


@cache
def reports(short: bool = False) -> dict[str, Report]:
    """Return suite name -> its published report, or its short form's, where there is one."""
    paths = {name: PUBLISHED / (name + SHORT * short) / "report.json" for name in suite_names()}
    return {
        name: Report(path.parent.name, load_suite(name), json.loads(path.read_text()))
        for name, path in paths.items()
        if path.exists()
    }


@cache
def suites() -> dict[str, Suite]:
    """Return suite name -> suite."""
    return {name: load_suite(name) for name in suite_names()}


def cell_of(row: dict[str, Any] | None, metric: Metric) -> str:
    """Return a metric's mean and interval as tables write them; empty if it has none."""
    return "" if row is None else str(row["cells"].get(metric.name, {}).get("text", ""))


def table_of(rows: Iterable[dict[str, Any]], names: Collection[str], seeds: bool = True) -> str:
    """Return rows that have any of some metrics as a table; an interval is not broken in two."""
    metrics = [METRICS[name] for name in names]
    first = ["model", "seeds"] if seeds else ["model"]
    lines = [[*first, *map(head, metrics)], ["---"] * len(first) + ["---:"] * len(metrics)]
    for row in rows:
        cells = [cell_of(row, metric).replace(", ", ",\N{NO-BREAK SPACE}") for metric in metrics]
        if any(cells):
            title = f"*{row['label']}*" if row["kind"] == "control" else row["label"]
            lines.append([title, *([row["seeds"]] * seeds), *cells])
    return "\n".join(map(table_line, lines))


def said(report: Report) -> list[str]:
    """Return what a report's claims came to, or else its first findings, as lines of a list."""
    verdicts = [
        f"- **{one['word']}**: claim {one['claim']}: {one['says']} ({one['numbers']})"
        for one in report.content["verdicts"]
    ]
    return verdicts or [f"- {line}" for line in report.content["findings"][:3]]


@dataclass(frozen=True)
class Judged:
    """A verdict of a published report.

    Attributes:
        report: which.
        said: what its report.json says.
        holm: its p, adjusted over all verdicts on registered claims; None if it has none.
        decided: at the source's scale, and sure over the whole register.

    """

    report: Report
    said: dict[str, Any]
    holm: float | None
    decided: bool


@cache
def judged() -> list[Judged]:
    """Return all verdicts of published reports on registered claims, long forms first."""
    found = [
        (report, said)
        for form in (reports(), reports(short=True))
        for report in form.values()
        for said in report.content["verdicts"]
        if said["claim"]
    ]
    p = [math.nan if said["p"] is None else said["p"] for _, said in found]
    return [
        Judged(
            *(report, said, None if math.isnan(adjusted) else float(adjusted)),
            decided=said["at_scale"] and said["verdict"] != "open" and adjusted < SURE,
        )
        for (report, said), adjusted in zip(found, holm(p), strict=True)
    ]


def published_table(wanted: Iterable[tuple[str, Suite, Published]]) -> str:
    """Return published numbers beside ours, one line for each (suite name, suite, number)."""
    rows = [("configuration", "metric", "published", "ours", "source", "suite")]
    for name, suite, entry in wanted:
        metric = METRICS[entry.metric]
        ours = cell_of(_trained_in_full(name, suite, entry), metric) or NOT_RUN
        theirs = f"{entry.value * metric.factor:g}"  # with the digits that they print
        label = label_of(entry.row, entry.readout)
        rows.append((label, head(metric), theirs, ours, entry.source, f"`{name}`"))
    return table(rows)


def _trained_in_full(name: str, suite: Suite, entry: Published) -> dict[str, Any] | None:
    """Return our row, also of a short form that leaves this row as it is."""
    if done := reports().get(name):
        return done.row(entry.row, entry.readout)
    if suite.short is None or entry not in shortened(suite).published:
        return None
    short = reports(short=True).get(name)
    return short.row(entry.row, entry.readout) if short else None


def table(rows: Iterable[Iterable[str]]) -> str:
    """Return a Markdown table; the first row is its head."""
    first, *others = [list(row) for row in rows]
    return "\n".join(map(table_line, [first, ["---"] * len(first), *others]))
