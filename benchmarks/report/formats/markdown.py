"""The report as Markdown: table.md."""

from collections.abc import Mapping, Sequence

from benchmarks.evaluation.registry import METRICS, table_line
from benchmarks.report.data import frame, provenance
from benchmarks.report.data import summary as tables
from benchmarks.report.data.contents import Material, heading
from benchmarks.report.data.failures import endings
from benchmarks.report.stats.claims import Reproduced, Verdict
from benchmarks.report.text import by_class, differences, findings, settings

READING = (
    "Mean over training seeds with its 95 % interval (on the metric's natural scale; no interval "
    "for one seed). **Bold**: better than every other model by the interval of the difference, at "
    "95 % for all of them together; nothing is bold while seeds are missing. Rows in italics are "
    "controls: read each column against them."
)
PUBLISHED = ("row", "metric", "ours", "theirs", "difference", "standard error", "seeds", "source")


def page(material: Material, drawn: Mapping[str, str]) -> str:
    """Return the report.

    Args:
        material: the runs.
        drawn: figure beside the report, without suffix -> what it shows.

    """
    summary = material.summary
    parts = [
        f"# {material.suite.name}\n\n{material.suite.question}\n",
        _answer(material),
        _leaders(material),
        f"{heading(material.suite, material.jobs)}.\n",
        tables.markdown(summary, tables.shown(summary)),
        _reading(material),
        _endings(material),
        _published(material.reproduced),
        *(f"![{what}]({name}.png)\n\n{what}.\n" for name, what in drawn.items()),
        differences.section(
            material.differences, material.ranks, tables.shown(summary), summary.settings
        ),
        _by_class(material),
        _further(material),
        _undefined(material),
        _glossary(),
        _provenance(material),
    ]
    return "\n".join(part for part in parts if part)


def _answer(material: Material) -> str:
    lines = [f"**{material.changed}**"] if material.changed else []
    lines += [*findings.published(material.reproduced), *map(verdict_line, material.verdicts)]
    lines += findings.findings(material)
    lines += [findings.certainty(material), findings.cost(material)]
    return "\n".join([*(f"- {line}" for line in lines), ""])


def _leaders(material: Material) -> str:
    head, *lines = settings.table(material) or [()]
    if not lines:
        return ""
    parts = [table_line(head), table_line(["---"] * len(head)), *map(table_line, lines)]
    return "\n".join([f"**{settings.TITLE}.** {settings.READING}\n", *parts, ""])


def verdict_line(verdict: Verdict) -> str:
    """Return a claim's verdict in a line."""
    return f"**{verdict.verdict}**: {verdict.claim.says} ({verdict.numbers})"


def _reading(material: Material) -> str:
    lines = [READING, *material.notes]
    return "\n".join(lines) + "\n"


def _endings(material: Material) -> str:
    lines = [f"- {line}" for line in endings(material.jobs)]
    title = "Ranking disabled: these runs have no numbers:\n"
    return "\n".join([title, *lines, ""]) if lines else ""


def _published(reproduced: Sequence[Reproduced]) -> str:
    if not reproduced:
        return ""
    rows = [PUBLISHED, ["---"] * len(PUBLISHED), *(one.cells for one in reproduced)]
    return "\n".join(["## Next to the papers' numbers\n", *map(table_line, rows), ""])


def _by_class(material: Material) -> str:
    head, *lines = by_class.table(material) or [()]
    if not lines:
        return ""
    parts = [table_line(head), table_line(["---"] * len(head)), *map(table_line, lines)]
    return "\n".join([f"## {by_class.TITLE}\n", *parts, "", f"{by_class.READING}\n"])


def _further(material: Material) -> str:
    parts = ["## Further metrics\n"]
    for question, metrics in tables.further(material.summary).items():
        parts += [f"### {question}\n", tables.markdown(material.summary, metrics)]
    return "\n".join(parts)


def _undefined(material: Material) -> str:
    lines = [f"- {line}" for line in frame.undefined_metrics(material.jobs)]
    return "\n".join(["## Metrics without a value\n", *lines, ""]) if lines else ""


def _glossary() -> str:
    columns = ("column", "what", "unit", "range", "on", "read against")
    lines = ["## What the columns are\n", table_line(columns), table_line(["---"] * len(columns))]
    lines += [
        table_line((m.title, f"{m.what} (`{m.name}`)", m.unit, m.range, m.size, m.controls))
        for m in METRICS.values()
    ]
    return "\n".join(lines) + "\n"


def _provenance(material: Material) -> str:
    lines = ["## Where the numbers come from\n", f"Command: `{material.command}`\n"]
    lines += [
        f"- {code}; {machine}: {', '.join(labels)}"
        for (code, machine), labels in provenance.origins(material.jobs).items()
    ]
    lines += [f"\n{line}" for line in provenance.since(material.jobs)]
    return "\n".join(lines) + "\n"
