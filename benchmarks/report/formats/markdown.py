"""The report as Markdown: table.md."""

from collections.abc import Mapping, Sequence

from benchmarks.evaluation.registry import METRICS, table_line
from benchmarks.report.data import frame, provenance
from benchmarks.report.data import summary as tables
from benchmarks.report.data.contents import Contents, heading
from benchmarks.report.data.failures import endings
from benchmarks.report.stats.reproduced import Reproduced
from benchmarks.report.stats.verdict import Verdict
from benchmarks.report.text import by_class, differences, findings, settings

READING = (
    "Mean over training seeds with its 95 % interval (on the metric's natural scale; no interval "
    "for one seed). **Bold**: better than every other model by the interval of the difference, at "
    "95 % for all of them together; nothing is bold while seeds are missing. Rows in italics are "
    "controls: read each column against them."
)
PUBLISHED = ("row", "metric", "ours", "theirs", "difference", "standard error", "seeds", "source")


def page(contents: Contents, drawn: Mapping[str, str]) -> str:
    """Return the report.

    Args:
        contents: the runs.
        drawn: figure beside the report, without suffix -> what it shows.

    """
    summary = contents.summary
    parts = [
        f"# {contents.suite.name}\n\n{contents.suite.question}\n",
        _answer(contents),
        _leaders(contents),
        f"{heading(contents.suite, contents.jobs)}.\n",
        tables.markdown(summary, tables.shown(summary)),
        _reading(contents),
        _endings(contents),
        _published(contents.reproduced),
        *(f"![{what}]({name}.png)\n\n{what}.\n" for name, what in drawn.items()),
        differences.section(
            contents.differences, contents.ranks, tables.shown(summary), summary.settings
        ),
        _by_class(contents),
        _further(contents),
        _undefined(contents),
        _glossary(),
        _provenance(contents),
    ]
    return "\n".join(part for part in parts if part)


def _answer(contents: Contents) -> str:
    lines = [f"**{contents.changed}**"] if contents.changed else []
    lines += [*findings.published(contents.reproduced), *map(verdict_line, contents.verdicts)]
    lines += findings.findings(contents)
    lines += [findings.certainty(contents), findings.cost(contents)]
    return "\n".join([*(f"- {line}" for line in lines), ""])


def _leaders(contents: Contents) -> str:
    head, *lines = settings.table(contents) or [()]
    if not lines:
        return ""
    parts = [table_line(head), table_line(["---"] * len(head)), *map(table_line, lines)]
    return "\n".join([f"**{settings.TITLE}.** {settings.READING}\n", *parts, ""])


def verdict_line(verdict: Verdict) -> str:
    """Return a claim's verdict in a line, the word in bold."""
    return findings.verdict_line(verdict, "**")


def _reading(contents: Contents) -> str:
    lines = [READING, *contents.notes]
    return "\n".join(lines) + "\n"


def _endings(contents: Contents) -> str:
    lines = [f"- {line}" for line in endings(contents.jobs)]
    title = "Ranking disabled: these runs have no numbers:\n"
    return "\n".join([title, *lines, ""]) if lines else ""


def _published(reproduced: Sequence[Reproduced]) -> str:
    if not reproduced:
        return ""
    rows = [PUBLISHED, ["---"] * len(PUBLISHED), *(one.cells for one in reproduced)]
    return "\n".join(["## Next to the papers' numbers\n", *map(table_line, rows), ""])


def _by_class(contents: Contents) -> str:
    head, *lines = by_class.table(contents) or [()]
    if not lines:
        return ""
    parts = [table_line(head), table_line(["---"] * len(head)), *map(table_line, lines)]
    return "\n".join([f"## {by_class.TITLE}\n", *parts, "", f"{by_class.READING}\n"])


def _further(contents: Contents) -> str:
    parts = ["## Further metrics\n"]
    for question, metrics in tables.further(contents.summary).items():
        parts += [f"### {question}\n", tables.markdown(contents.summary, metrics)]
    return "\n".join(parts)


def _undefined(contents: Contents) -> str:
    lines = [f"- {line}" for line in frame.undefined_metrics(contents.jobs)]
    return "\n".join(["## Metrics without a value\n", *lines, ""]) if lines else ""


def _glossary() -> str:
    columns = ("column", "what", "unit", "range", "on", "read against")
    lines = ["## What the columns are\n", table_line(columns), table_line(["---"] * len(columns))]
    lines += [
        table_line((m.title, f"{m.what} (`{m.name}`)", m.unit, m.range, m.size, m.controls))
        for m in METRICS.values()
    ]
    return "\n".join(lines) + "\n"


def _provenance(contents: Contents) -> str:
    lines = ["## Where the numbers come from\n", f"Command: `{contents.command}`\n"]
    lines += [
        f"- {code}; {machine}: {', '.join(labels)}"
        for (code, machine), labels in provenance.origins(contents.jobs).items()
    ]
    lines += [f"\n{line}" for line in provenance.since(contents.jobs)]
    return "\n".join(lines) + "\n"
