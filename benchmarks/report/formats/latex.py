"""The main table in LaTeX, for a paper: table.tex (needs the package booktabs)."""

from collections.abc import Sequence

from benchmarks.evaluation.registry import Metric
from benchmarks.report.data import summary as tables
from benchmarks.report.data.summary import Summary

ARROWS = {"lower": r" $\downarrow$", "higher": r" $\uparrow$", "target": r" $\to$", "none": ""}
SPECIAL = {
    "\\": r"\textbackslash{}",
    **{c: rf"\{c}" for c in "&%$#_{}"},
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "|": r"\textbar{}",
    "×": r"$\times$",
    "²": r"$^2$",
    "→": r"$\to$",
}


def table(summary: Summary, caption: str) -> str:
    r"""Return a table environment: a line of means and one of intervals per row.

    Args:
        summary: what to show.
        caption: plain text; it is escaped here.

    """
    metrics = tables.shown(summary)
    rows = [row for row in summary.keys if tables.speaks(summary, row, metrics)]
    body = []
    for before, row in zip([None, *rows], rows, strict=False):
        apart = before is not None and summary.kind(before) != summary.kind(row)
        body += [r"\midrule"] * apart + _lines(summary, row, metrics)
    return "\n".join(
        [
            "% needs \\usepackage{booktabs}",
            r"\begin{table}",
            r"\centering",
            r"\small",
            rf"\caption{{{escaped(caption)}}}",
            rf"\begin{{tabular}}{{ll{'r' * len(metrics)}}}",
            r"\toprule",
            _line(["family", "seeds", *map(_head, metrics)]),
            r"\midrule",
            *body,
            r"\bottomrule",
            r"\end{tabular}",
            r"\end{table}",
            "",
        ]
    )


def escaped(text: str) -> str:
    """Return text with what LaTeX would take for a command made literal."""
    return "".join(SPECIAL.get(letter, letter) for letter in text)


def _head(metric: Metric) -> str:
    aim = "" if metric.target is None else f" {metric.target * metric.factor:g}"
    return escaped(metric.title) + ARROWS[metric.direction] + aim


def _lines(summary: Summary, row: str, metrics: Sequence[Metric]) -> list[str]:
    name = rf"\emph{{{escaped(row)}}}" if summary.kind(row) == "control" else escaped(row)
    means = [_mean(summary, row, metric) for metric in metrics]
    intervals = [_interval(summary, row, metric) for metric in metrics]
    lines = [_line([name, escaped(summary.runs(row)), *means])]
    return [*lines, _line(["", "", *intervals])] if any(intervals) else lines


def _mean(summary: Summary, row: str, metric: Metric) -> str:
    cell = summary.cells.get((row, metric.name))
    if cell is None:
        return ""
    mean = escaped(tables.mean(summary, row, metric))
    return rf"\textbf{{{mean}}}" if row in summary.best[metric.name] else mean


def _interval(summary: Summary, row: str, metric: Metric) -> str:
    cell = summary.cells.get((row, metric.name))
    ends = "" if cell is None else tables.interval(cell, metric)
    return rf"{{\scriptsize {ends}}}" if ends else ""


def _line(cells: Sequence[str]) -> str:
    return " & ".join(cells) + r" \\"
