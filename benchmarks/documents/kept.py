"""What documents quote: committed results and the suites that they come from."""

import csv
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache

from benchmarks.config import Published, Suite
from benchmarks.evaluation.registry import METRICS, Metric, head, number, table_line
from benchmarks.identity import ROOT
from benchmarks.keys import label_of
from benchmarks.plan import SHORT, load_suite, shortened, suite_names

REFERENCE = ROOT / "results" / "reference"
NOT_RUN = "not run in full yet"


@dataclass(frozen=True)
class Reference:
    """Committed results of a suite.

    Attributes:
        name: of its folder, the suite's or its short form's.
        suite: the suite.
        page: its report as Markdown.
        rows: the lines of its table.csv.

    """

    name: str
    suite: Suite
    page: str
    rows: list[dict[str, str]]

    def row(self, name: str) -> dict[str, str] | None:
        """Return a row of the table."""
        return next((row for row in self.rows if row["family"] == name), None)


@cache
def references() -> dict[str, Reference]:
    """Return suite name -> its committed results, for the suites that have any."""
    found = {name: _reference(name, load_suite(name)) for name in suite_names()}
    return {name: one for name, one in found.items() if one is not None}


@cache
def short_references() -> dict[str, Reference]:
    """Return suite name -> committed results of its short form, for the suites that have any."""
    found = {name: _reference(name + SHORT, load_suite(name)) for name in suite_names()}
    return {name: one for name, one in found.items() if one is not None}


def _reference(name: str, suite: Suite) -> Reference | None:
    folder = REFERENCE / name
    if not (folder / "table.csv").exists():
        return None
    with (folder / "table.csv").open() as file:
        return Reference(name, suite, (folder / "table.md").read_text(), list(csv.DictReader(file)))


@cache
def suites() -> dict[str, Suite]:
    """Return suite name -> suite."""
    return {name: load_suite(name) for name in suite_names()}


def made_by(page: str) -> str:
    """Return the command that a report says it was made by, if a reader can give it too."""
    found = re.search(r"^Command: `(.+)`", page, re.MULTILINE)
    command = found.group(1) if found else "python run_all.py"
    return "runs of earlier commits, named there" if "--report" in command else f"`{command}`"


def heading_of(page: str) -> str:
    """Return a report's tier, data, networks and budget."""
    found = re.search(r"^\S+: ([\w ]+ tier, .*?); protocol", page, re.MULTILINE)
    return found.group(1) if found else ""


def cost_of(page: str) -> str:
    """Return how many runs a report is of and what they took, summed over runs."""
    found = re.search(r"^- (\d+ finished runs: .*?), summed", page, re.MULTILINE)
    return found.group(1) if found else ""


def verdicts(page: str) -> list[str]:
    """Return the lines of a report that say what its claims, or its families, came to."""
    lines = page.splitlines()
    said = [line for line in lines if re.match(r"- \*\*(supported|contradicted|not decided)", line)]
    told = re.compile(r"- .* (clearly|at every setting) ")
    return said or [line for line in lines if told.match(line)][:3]


def game_of(suite: Suite, row: str) -> str:
    """Return which family plays a row; a readout's is its game's."""
    name = row.split(" (")[0]
    return str(suite.rows.get(name, {}).get("family", name))


def cell_of(row: Mapping[str, str] | None, metric: Metric) -> str:
    """Return a metric's mean and interval as tables write them; empty if it has none."""
    if row is None or not row.get(metric.name):
        return ""
    mean, low, high = (row[f"{metric.name}{end}"] for end in ("", "_low", "_high"))
    text = number(float(mean), metric)
    if not low or metric.question == "cost":  # as in the report: seconds are no estimate
        return text
    return f"{text} [{number(float(low), metric)}, {number(float(high), metric)}]"


def published_table(wanted: Iterable[tuple[str, Suite, Published]]) -> str:
    """Return published numbers beside ours, one line for each (suite name, suite, number)."""
    rows = [("row", "metric", "published", "ours", "source", "suite")]
    for name, suite, entry in wanted:
        metric = METRICS[entry.metric]
        ours = cell_of(_trained_in_full(name, suite, entry), metric) or NOT_RUN
        theirs = f"{entry.value * metric.factor:g}"  # with the digits that they print
        row = label_of(entry.row, entry.readout)
        rows.append((row, head(metric), theirs, ours, entry.source, f"`{name}`"))
    return table(rows)


def _trained_in_full(name: str, suite: Suite, entry: Published) -> Mapping[str, str] | None:
    """Return our row, also of a short form that leaves this row as it is."""
    row = label_of(entry.row, entry.readout)
    if done := references().get(name):
        return done.row(row)
    if suite.short is None or entry not in shortened(suite).published:
        return None
    short = short_references().get(name)
    return short.row(row) if short else None


def table(rows: Iterable[Iterable[str]]) -> str:
    """Return a Markdown table; the first row is its head."""
    first, *others = [list(row) for row in rows]
    return "\n".join(map(table_line, [first, ["---"] * len(first), *others]))
