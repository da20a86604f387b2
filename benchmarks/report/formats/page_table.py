"""The comparison table for the page: what each head and cell says and shows."""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from benchmarks.evaluation.registry import METRICS, Metric, head
from benchmarks.planning.keys import Kind
from benchmarks.report.data import summary as tables
from benchmarks.report.data.summary import Summary


@dataclass(frozen=True)
class Column:
    """A metric's head, and what it says on hover."""

    head: str
    tip: str


@dataclass(frozen=True)
class Cell:
    """A mean with its interval; `value` is what sorting goes by, None for an empty cell."""

    mean: str = ""
    interval: str = ""
    value: float | None = None
    best: bool = False


@dataclass(frozen=True)
class Line:
    """A row of the table."""

    name: str
    seeds: str
    whole: bool
    cells: list[Cell]


@dataclass(frozen=True)
class Body:
    """Rows of one kind, which are sorted among themselves."""

    kind: Kind
    title: str
    lines: list[Line]


@dataclass(frozen=True)
class Table:
    """What the template draws."""

    columns: list[Column]
    bodies: list[Body]


TITLES: dict[Kind, str] = {
    "model": "",
    "reference": "References: without an encoder, or without a prior to draw from; not ranked",
    "control": "Controls: no trained family, to read each column against",
}


ROOM = 8
"""Metrics in the first table: as many as a window 1,200 pixels wide has room for."""
ALWAYS = ("fid_hybrid", "coverage_hybrid")
"""Never left out where they are measured: neither says enough of samples without the other."""


def leading(summary: Summary, wanted: Collection[str] = (), room: int = ROOM) -> list[Metric]:
    """Return the metrics of the first table, in the order of the registry.

    First come `ALWAYS`, then those that decide something, and those asked for; the others in turn,
    one of each question, until there is no room.

    Args:
        summary: what was measured.
        wanted: names of metrics that the suite's claims are about, headline or not.
        room: how many at most.

    """
    # Where no row encodes, what controls alone have tells nothing.
    present = {metric for row, metric in summary.cells if summary.kind(row) != "control"}
    metrics = [
        m for m in METRICS.values()
        if m.name in present and m.question != "cost" and (m.headline or m.name in wanted)
    ]  # fmt: skip
    decides = {m.name for m in metrics if summary.best[m.name] or m.name in wanted}
    turn: dict[str, int] = {}
    asked: Counter[str] = Counter()
    for metric in metrics:
        turn[metric.name] = asked[metric.question]
        asked[metric.question] += 1

    def place(metric: Metric) -> tuple[bool, bool, int]:
        return metric.name not in ALWAYS, metric.name not in decides, turn[metric.name]

    chosen = sorted(metrics, key=place)[:room]
    return [m for m in metrics if m in chosen]


def table_of(summary: Summary, metrics: Sequence[Metric]) -> Table:
    """Return the table of some metrics; references and controls stand apart."""
    bodies = [
        Body(kind, TITLES[kind] or setting, [_line(summary, row, metrics) for row in rows])
        for (kind, setting), rows in _parts(summary, metrics).items()
    ]
    return Table(
        columns=[Column(_head(metric), tip(metric)) for metric in metrics],
        bodies=bodies,
    )


def _parts(summary: Summary, metrics: Sequence[Metric]) -> dict[tuple[Kind, str], list[str]]:
    """Return kind and setting -> its rows; only models stand apart by their settings."""
    parts: dict[tuple[Kind, str], list[str]] = {}
    for kind in TITLES:
        for row in summary.of(kind):
            if tables.speaks(summary, row, metrics):
                setting = summary.settings.get(row, "") if kind == "model" else ""
                parts.setdefault((kind, setting), []).append(row)
    return parts


def tip(metric: Metric) -> str:
    """Return what a metric is, for hovering over its head."""
    return (
        f"{metric.what}. Unit: {metric.unit}; range {metric.range}; on {metric.size}; "
        f"read against: {metric.controls}. Source: {metric.source}."
    )


def _head(metric: Metric) -> str:
    """Return a column head that may break between words, but not before its arrow."""
    return metric.title + head(metric).removeprefix(metric.title).replace(" ", "\u00a0")


def _line(summary: Summary, row: str, metrics: Sequence[Metric]) -> Line:
    return Line(
        name=row,
        seeds=summary.finished(row),
        whole=row not in tables.unfinished(summary),
        cells=[_cell(summary, row, metric) for metric in metrics],
    )


def _cell(summary: Summary, row: str, metric: Metric) -> Cell:
    cell = summary.cells.get((row, metric.name))
    if cell is None:
        return Cell()
    return Cell(
        mean=tables.mean(summary, row, metric),
        interval=tables.interval(cell, metric),
        value=cell.mean,
        best=row in summary.best[metric.name],
    )
