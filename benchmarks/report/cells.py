"""The comparison table for the page: what each head and cell says and shows."""

from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.evaluation.registry import Metric, head, number
from benchmarks.report import tables
from benchmarks.report.tables import Summary


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
    control: bool
    seeds: str
    whole: bool
    cells: list[Cell]


@dataclass(frozen=True)
class Table:
    """What the template draws."""

    columns: list[Column]
    families: list[Line]
    controls: list[Line]


def table_of(summary: Summary, metrics: Sequence[Metric]) -> Table:
    """Return the table of some metrics; control rows stand apart and are sorted by themselves."""
    unfinished = {text.rsplit(" ", 1)[0] for text in tables.unfinished(summary)}
    unfinished |= {row for row in summary.seeds if "," in summary.seeds[row]}
    lines = [
        Line(
            name=row,
            control=row in summary.controls,
            seeds=summary.seeds.get(row, "control"),
            whole=row not in unfinished,
            cells=[_cell(summary, row, metric) for metric in metrics],
        )
        for row in summary.families
        if tables.speaks(summary, row, metrics)
    ]
    return Table(
        columns=[Column(head(metric), tip(metric)) for metric in metrics],
        families=[line for line in lines if not line.control],
        controls=[line for line in lines if line.control],
    )


def tip(metric: Metric) -> str:
    """Return what a metric is, for hovering over its head."""
    return (
        f"{metric.what}. Unit: {metric.unit}; range {metric.range}; on {metric.size}; "
        f"read against: {metric.controls}. Source: {metric.source}."
    )


def _cell(summary: Summary, row: str, metric: Metric) -> Cell:
    cell = summary.cells.get((row, metric.name))
    if cell is None:
        return Cell()
    return Cell(
        mean=number(cell.mean, metric),
        interval=tables.interval(cell, metric),
        value=cell.mean,
        best=summary.best[metric.name] == row,
    )
