"""The comparison table: one summary, printed, as Markdown and as CSV."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from textwrap import fill

import pandas as pd
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.measure import Measurement
from rich.table import Table

from benchmarks.evaluation.registry import METRICS, Metric, head, number, table_line
from benchmarks.planning.keys import Key, Kind
from benchmarks.report.data.columns import Seeds, first, keys_of, with_references
from benchmarks.report.stats.comparison import clear_best
from benchmarks.report.data.failures import in_words
from benchmarks.report.stats.pairwise import are_paired, groups, within
from benchmarks.report.stats.intervals import Estimate, estimate

KINDS: tuple[Kind, ...] = ("model", "reference", "control")
"""In the order of the tables."""
DAGGER = "†"


@dataclass(frozen=True)
class Summary:
    """What the tables show.

    Attributes:
        keys: label -> which row that is, in the order of the tables: references and then controls
            last. Everything else here goes by label.
        references: rows that lack a direction where others have both -> what they lack. They stand
            beside the models and are not ranked with them.
        cells: (row, metric) -> estimate; absent where a row cannot be measured.
        best: metric -> who is clearly better than every other model, if any; one of a setting.
        seeds: row -> what became of its planned runs.
        settings: row -> its setting, where a suite has rows of several; see `families.within`.
        elsewhere: published rows beside runs of one's own, of another machine.

    """

    keys: dict[str, Key]
    references: dict[str, str]
    cells: dict[tuple[str, str], Estimate]
    best: dict[str, list[str]]
    seeds: dict[str, Seeds]
    settings: Mapping[str, str]
    elsewhere: Collection[str] = ()

    def kind(self, row: str) -> Kind:
        """Return what a row is."""
        return self.keys[row].kind

    def of(self, *kinds: Kind) -> list[str]:
        """Return the rows of some kinds, in order."""
        return [row for row in self.keys if self.kind(row) in kinds]

    def finished(self, row: str) -> str:
        """Return "finished/planned" and what became of the others; empty for a control."""
        if self.kind(row) == "control":
            return ""
        own = self.seeds[row]
        notes = "".join(f", {count} {in_words(state)}" for state, count in own.others.items())
        return f"{own.done}/{own.planned}{notes}"

    def runs(self, row: str) -> str:
        """Return what stands in a row's column of seeds."""
        if self.kind(row) == "control":
            return "control"
        return self.finished(row) + ", reference" * (self.kind(row) == "reference")


def summarise(
    results: pd.DataFrame,
    controls: pd.DataFrame,
    references: Mapping[str, str] | None = None,
    settings: Mapping[str, str] | None = None,
    elsewhere: Collection[str] = (),
) -> Summary:
    """Reduce runs to means and intervals; the best is marked only among complete groups.

    Args:
        results: one row per planned run; see `frame`.
        controls: one row per repetition of a control.
        references: rows of the results that are not ranked -> what they lack.
        settings: row -> its setting, where rows are compared only within theirs.
        elsewhere: rows whose seconds are another machine's than those of the others.

    """
    references, settings = dict(references or {}), settings or {}
    results = with_references(results, references)
    frame = pd.concat([part for part in (results, controls) if len(part)])
    own = {str(label): runs for label, runs in frame.groupby("label", sort=False)}
    cells = {
        (label, metric): estimate(values.tolist(), METRICS[metric].scale)
        for label, runs in own.items()
        for metric in METRICS
        if len(values := runs[metric].dropna())
    }
    keys = sorted(keys_of(frame).items(), key=lambda item: KINDS.index(item[1].kind))
    complete = bool(len(results)) and bool((results["status"] == "done").all())
    ranked = results[results["kind"] == "model"]
    best = {
        name: _best(ranked, metric, settings) if complete else []
        for name, metric in METRICS.items()
    }
    seeds = {label: _seeds(runs) for label, runs in own.items()}
    return Summary(dict(keys), references, cells, best, seeds, settings, elsewhere)


def _best(results: pd.DataFrame, metric: Metric, settings: Mapping[str, str]) -> list[str]:
    found = groups(results, metric)
    if any(len(group.values) < group.planned for group in found.values()):
        return []
    parts = within(found, settings).values()
    best = [
        clear_best(
            {row: group.values for row, group in own.items()},
            metric,
            are_paired(own.values()),
            error=0.05 / len(parts),
        )
        for own in parts
    ]
    return [row for row in best if row is not None]


def _seeds(runs: pd.DataFrame) -> Seeds:
    has_numbers = runs["status"].isin(["done", "control"])
    others = runs.loc[~has_numbers, "status"].value_counts()
    return Seeds(int(has_numbers.sum()), len(runs), {str(s): int(n) for s, n in others.items()})


def unfinished(summary: Summary) -> list[str]:
    """Return the rows of which not every planned run has numbers."""
    return [row for row, seeds in summary.seeds.items() if seeds.done < seeds.planned]


def shown(summary: Summary) -> list[Metric]:
    """Return the headline metrics that any row has."""
    present = {metric for _, metric in summary.cells}
    return [m for m in METRICS.values() if m.headline and m.name in present]


COLUMNS = 5
"""Metrics that a terminal shows at most."""
HEAD_LETTERS = 14


def terminal(summary: Summary, width: int) -> Table:
    """Return one table for a terminal, mean above interval: of each question its first metrics.

    Args:
        summary: what to show.
        width: characters of the terminal; as many metrics as fit without breaking a word.

    """
    metrics = _in_turn([m for m in shown(summary) if m.question != "cost"])[:COLUMNS]
    while len(metrics) > 1 and _natural_width(_terminal(summary, metrics)) > width:
        metrics = metrics[:-1]
    return _terminal(summary, [m for m in shown(summary) if m in metrics])


def _in_turn(metrics: Sequence[Metric]) -> list[Metric]:
    """Return the first metric of every question, then the second of each, and so on."""
    asked: dict[str, int] = {}
    turn = {}
    for metric in metrics:
        turn[metric.name] = asked[metric.question] = asked.get(metric.question, -1) + 1
    return sorted(metrics, key=lambda metric: turn[metric.name])


def _terminal(summary: Summary, metrics: Sequence[Metric]) -> Table:
    table = Table(pad_edge=False, box=SIMPLE_HEAD)
    table.add_column("model", overflow="fold")
    table.add_column("seeds", no_wrap=True)
    for metric in metrics:
        table.add_column(fill(head(metric), HEAD_LETTERS), justify="right", no_wrap=True)
    rows = [row for row in summary.keys if speaks(summary, row, metrics)]
    for position, row in enumerate(rows):
        if position and summary.kind(row) != summary.kind(rows[position - 1]):
            table.add_section()
        cells = [_two_lines(summary, row, metric) for metric in metrics]
        style = "dim" if summary.kind(row) == "control" else ""
        table.add_row(row, summary.finished(row), *cells, style=style)
    return table


def _natural_width(table: Table) -> int:
    roomy = Console(width=1000)
    return Measurement.get(roomy, roomy.options, table).maximum


def speaks(summary: Summary, row: str, metrics: Sequence[Metric]) -> bool:
    """Whether a row has something to say here; one that lost all its runs stays visible."""
    lost = not summary.seeds[row].done
    return lost or any((row, metric.name) in summary.cells for metric in metrics)


def further(summary: Summary) -> dict[str, list[Metric]]:
    """Return question -> the metrics that any row has beyond the headline."""
    present, headline = {metric for _, metric in summary.cells}, shown(summary)
    rest = [m for m in METRICS.values() if m.name in present and m not in headline]
    return {m.question: [o for o in rest if o.question == m.question] for m in rest}


def markdown(summary: Summary, metrics: Sequence[Metric]) -> str:
    """Return a Markdown table of some metrics."""
    columns = ["model", "seeds", *(head(m) for m in metrics)]
    lines = [table_line(columns), table_line(["---", "---", *["---:"] * len(metrics)])]
    for row in (row for row in summary.keys if speaks(summary, row, metrics)):
        name = f"*{row}*" if summary.kind(row) == "control" else row
        cells = [one_line(summary, row, metric) for metric in metrics]
        lines.append(table_line([name, summary.runs(row), *cells]))
    return "\n".join(lines) + "\n"


def wide(summary: Summary) -> pd.DataFrame:
    """Return the whole table as numbers: for each metric its mean, interval and n."""
    rows = []
    for row in summary.keys:
        values: dict[str, object] = {"label": row, "lacks": summary.references.get(row, "")}
        values["other_machine"] = row in summary.elsewhere
        for metric in METRICS:
            cell = summary.cells.get((row, metric))
            values |= {
                metric: cell and cell.mean,
                f"{metric}_low": cell and cell.low,
                f"{metric}_high": cell and cell.high,
                f"{metric}_n": cell and cell.n,
                f"{metric}_clear_best": row in summary.best[metric],
            }
        rows.append(values)
    return first(pd.DataFrame(rows), summary.keys, summary.seeds)


def one_line(summary: Summary, row: str, metric: Metric) -> str:
    """Return a cell as Markdown: mean, bold if clearly best, and interval; empty if unmeasured."""
    cell = summary.cells.get((row, metric.name))
    if cell is None:
        return ""
    text = mean(summary, row, metric)
    text = f"**{text}**" if row in summary.best[metric.name] else text
    return f"{text} {interval(cell, metric)}".strip()


def _two_lines(summary: Summary, row: str, metric: Metric) -> str:
    cell = summary.cells.get((row, metric.name))
    if cell is None:
        return ""
    text = mean(summary, row, metric)
    text = f"[bold green]{text}[/]" if row in summary.best[metric.name] else text
    ends = interval(cell, metric)[1:-1]
    return f"{text}\n[dim]{ends}[/]" if ends else text


def mean(summary: Summary, row: str, metric: Metric) -> str:
    """Return a row's mean as the tables print it; a dagger marks another machine's seconds."""
    foreign = metric.of_machine and row in summary.elsewhere
    return number(summary.cells[row, metric.name].mean, metric) + DAGGER * foreign


def interval(cell: Estimate, metric: Metric) -> str:
    """Return "[low, high]" as the tables print it; empty where there is none to show."""
    # A cost is the same work for every seed: its spread says what else the machine did.
    if cell.low is None or cell.high is None or metric.question == "cost":
        return ""
    return f"[{number(cell.low, metric)}, {number(cell.high, metric)}]"
