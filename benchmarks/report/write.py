"""Write the report of a suite: tables, figures, and the page that holds them together."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from benchmarks.config import Suite
from benchmarks.evaluation.protocol import PROTOCOLS, VERSION
from benchmarks.evaluation.registry import METRICS, Metric, table_line
from benchmarks.files import read_json, whole, write_text
from benchmarks.plan import Job
from benchmarks.report import differences, families, figures, frame, tables
from benchmarks.report.tables import Summary


def write_report(suite: Suite, jobs: Sequence[Job], results: Path, command: str) -> Summary:
    """Write results/reports/<suite>/ from the run folders and return the summary."""
    folder = results / "reports" / suite.name
    runs, controls = frame.results_frame(jobs), frame.controls_frame(suite, results)
    summary = tables.summarise(runs, controls)
    _write_csv(tables.wide(summary), folder / "table.csv")
    compared, ranks = families.differences(runs), families.ranks(runs)
    _write_csv(compared, folder / "differences.csv")
    _write_csv(ranks, folder / "ranks.csv")
    _write_csv(pd.concat([part for part in (runs, controls) if len(part)]), folder / "runs.csv")
    drawn = [
        kind
        for kind in figures.PICTURES
        if figures.side_by_side(jobs, kind, folder / f"{kind}.png")
    ]
    colours = figures.colours_of(jobs)
    if figures.learning(frame.light_frame(jobs), colours, folder / "learning.png"):
        drawn.append("learning")
    truncation = frame.truncation_frame(jobs)
    if figures.truncation(truncation, colours, folder / "truncation.png"):
        _write_csv(truncation, folder / "truncation.csv")
        drawn.append("truncation")
    comparison = differences.section(compared, ranks, tables.shown(summary))
    write_text(folder / "table.md", page(suite, jobs, summary, comparison, drawn, command))
    return summary


def heading(suite: Suite) -> str:
    """Return the line every table stands under: tier, data, budget, protocol, extractor."""
    t, n, protocol = suite.training, suite.networks, PROTOCOLS[suite.dataset]
    left_out = "; seed s trains without class s" if suite.leave_one_class_out else ""
    return (
        f"{suite.name}: {suite.tier} tier, {n.body} width {n.width}, z {n.latent_dim} ({n.prior}), "
        f"{t.steps:,} updates of {t.batch_size}, {t.precision}; protocol {VERSION}, "
        f"{protocol.samples:,} samples, extractor {protocol.extractor}{left_out}"
    )


def page(
    suite: Suite,
    jobs: Sequence[Job],
    summary: Summary,
    comparison: str,
    drawn: Sequence[str],
    command: str,
) -> str:
    """Return the report as Markdown."""
    headline = tables.shown(summary)
    parts = [
        f"# {suite.name}\n\n{suite.question}\n",
        f"{heading(suite)}.\n",
        tables.markdown(summary, headline),
        _reading(summary),
        *(f"![{kind}]({kind}.png)\n" for kind in drawn),
        comparison,
        _further(summary, headline),
        _undefined(jobs),
        _glossary(),
        _provenance(jobs, command),
    ]
    return "\n".join(parts)


def _further(summary: Summary, headline: Sequence[Metric]) -> str:
    """Return the other metrics, a table for each question."""
    parts = ["## Further metrics\n"]
    present = {metric for _, metric in summary.cells}
    rest = [m for m in METRICS.values() if m.name in present and m not in headline]
    for question in dict.fromkeys(m.question for m in rest):
        asked = [m for m in rest if m.question == question]
        parts += [f"### {question}\n", tables.markdown(summary, asked)]
    return "\n".join(parts)


def _reading(summary: Summary) -> str:
    lines = [
        "Mean over training seeds with its 95 % t interval (on the metric's natural scale; no "
        "interval for one seed). **Bold**: better than every other family by Welch's interval of "
        "the difference, at 95 % for all of them together; nothing is bold where seeds are "
        "missing. Rows in italics are controls: read each column against them.",
    ]
    unfinished = [
        f"{row} {seeds}"
        for row, seeds in summary.seeds.items()
        if seeds.split("/")[0] != seeds.split("/")[1]
    ]
    if unfinished:
        lines.append(f"Incomplete, so nothing is ranked: {'; '.join(unfinished)}.")
    return "\n".join(lines) + "\n"


def _undefined(jobs: Sequence[Job]) -> str:
    lines = [f"- {line}" for line in frame.undefined_metrics(jobs)]
    return "\n".join(["## Metrics without a value\n", *lines, ""]) if lines else ""


def _glossary() -> str:
    columns = ("column", "what", "unit", "range", "on", "read against")
    lines = ["## What the columns are\n", table_line(columns), table_line(["---"] * len(columns))]
    lines += [
        table_line((m.title, f"{m.what} (`{m.name}`)", m.unit, m.range, m.size, m.controls))
        for m in METRICS.values()
    ]
    return "\n".join(lines) + "\n"


def _provenance(jobs: Sequence[Job], command: str) -> str:
    seen: dict[str, list[str]] = {}
    for job in jobs:
        environment = read_json(job.folder / "environment.json")
        if environment is not None:
            seen.setdefault(_machine(environment), []).append(f"{job.label} `{job.identity[:10]}`")
    lines = ["## Where the numbers come from\n", f"Command: `{command}`\n"]
    lines += [f"- {machine}: {', '.join(labels)}" for machine, labels in seen.items()]
    return "\n".join(lines) + "\n"


def _machine(environment: dict[str, Any]) -> str:
    commit = (environment["commit"] or "no git checkout")[:10]
    dirty = " with uncommitted changes" if environment["dirty"] else ""
    torch = environment["packages"]["torch"]
    return (
        f"commit {commit}{dirty}, {environment['device']}, {environment['processor']}, "
        f"{environment['cores']} cores, {environment.get('runs_side_by_side', '?')} runs side by "
        f"side, Python {environment['python']}, torch {torch}"
    )


def _write_csv(table: pd.DataFrame, path: Path) -> None:
    with whole(path) as draft:
        table.to_csv(draft, index=False)
