"""What README.md, docs/protocol.md and docs/reproduce.md take from code and results."""

import json
from collections import Counter

from benchmarks.common.files import ROOT
from benchmarks.docgen.reports import (
    NOT_RUN,
    PUBLISHED,
    Report,
    cell_of,
    published_table,
    reports,
    said,
    suites,
    table,
)
from benchmarks.evaluation.protocol import PROTOCOLS, VERSION
from benchmarks.evaluation.registry import METRICS, head, table_line
from benchmarks.planning.config import Suite

NOT_PUBLISHED = "Not published yet: `python run_all.py --suite {}` makes it."
UNDECIDED = "not decided"


def main_table(suite: str) -> str:
    """Return the first table of a published report, and how it was made."""
    report = reports()[suite]
    content, metrics = report.content, [METRICS[name] for name in report.content["headline"]]
    lines = [["row", "seeds", *map(head, metrics)], ["---", "---", *["---:"] * len(metrics)]]
    for row in report.rows:
        cells = [cell_of(row, metric) for metric in metrics]
        if any(cells):
            name = f"*{row['label']}*" if row["kind"] == "control" else row["label"]
            lines.append([name, row["seeds"], *cells])
    protocol = content["protocol"]
    how = (
        f"{suite}: {content['conditions']}; protocol {protocol['version']}, "
        f"{protocol['samples']:,} samples, extractor {protocol['extractor']}. "
        f"`{content['command']}`, {_origin(report)}."
    )
    return "\n".join([*map(table_line, lines), "", f"<sub>{how}</sub>"])


def _origin(report: Report) -> str:
    return " and ".join(f"{one['code']}; {one['machine']}" for one in report.content["origins"])


def suites_in_short() -> str:
    """Return a line for every suite."""
    rows = [
        (f"`{name}`", suite.question, f"{suite.dataset}, {len(suite.families)} × {suite.seeds}")
        for name, suite in suites().items()
    ]
    return table([("suite", "question", "data, rows × seeds"), *rows])


def findings(suite: str, short: bool = False) -> str:
    """Return what a published report says of who is best, ranked rows only."""
    report = reports(short).get(suite)
    if report is None:
        return NOT_PUBLISHED.format(suite + " --short" * short)
    lines = [f"- {line}" for line in report.content["findings"]]
    return "\n".join([*lines, f"- [all rows, controls and pictures]({report.path})"])


def decided() -> str:
    """Return how many claims published reports decide, and each of those with its report."""
    counts, lines = Counter[str](), []
    everything = [*reports().values(), *reports(short=True).values()]
    for report in sorted(everything, key=lambda one: one.name):
        for claim, line in zip(report.content["verdicts"], said(report), strict=False):
            counts[claim["verdict"]] += 1
            if claim["verdict"] != UNDECIDED:
                lines.append(f"{line} [{report.name}]({report.path})")
    how_many = ", ".join(f"{counts[kind]} {kind}" for kind in ("supported", "contradicted"))
    return f"{how_many}, {counts[UNDECIDED]} not decided yet:\n\n" + "\n".join(lines)


def example() -> str:
    """Return the family of one's own, as it stands in examples/."""
    return f"```python\n{(ROOT / 'examples' / 'my_family.py').read_text()}```"


def sizes() -> str:
    """Return the protocol's sizes by dataset."""
    rows = []
    for name, p in PROTOCOLS.items():
        batches = f"{p.norm_batches} of {p.norm_batch_size}"
        numbers = (f"{p.samples:,}", f"{p.light_samples:,}", f"`{p.extractor}`", batches)
        rows.append((name, *numbers))
    columns = ("data", "samples", "during training", "extractor", "batches for batch norm")
    return f"Version {VERSION}.\n\n" + table([columns, *rows])


def published() -> str:
    """Return what is published: records, size, and which commits trained them."""
    rows = [("folder", "records", "MB", "trained by", "published")]
    for manifest in sorted(PUBLISHED.glob("*/manifest.json")):
        lines = json.loads(manifest.read_text())["records"].values()
        commits = sorted({line["commit"][:10] for line in lines})
        dates = sorted({line["published"] for line in lines})
        size = sum(path.stat().st_size for path in manifest.parent.iterdir()) / 1e6
        name = manifest.parent.name
        link = f"[{name}](../results/published/{name}/table.md)"
        rows.append((link, str(len(lines)), f"{size:.1f}", ", ".join(commits), ", ".join(dates)))
    return table(rows)


def suites_in_full() -> str:
    """Return a section for every suite: command, claims, published numbers."""
    return "\n\n".join(_section(name, suite) for name, suite in suites().items())


def _section(name: str, suite: Suite) -> str:
    steps = f"{suite.training.steps:,} updates of {suite.training.batch_size}"
    done, short = reports().get(name), reports(short=True).get(name)
    state = f"[results](../{done.path}){done.extent}" if done else NOT_RUN
    parts = [
        f"## {name}\n\n{suite.question}",
        f"`python run_all.py --suite {name}`: {suite.dataset}, {suite.tier} tier, "
        f"{suite.networks.body}, {len(suite.families)} rows × {suite.seeds} seeds, {steps}; "
        f"{state}.",
    ]
    if short is not None:
        parts.append(
            f"Short form, `{short.content['command']}`, [results](../{short.path}) "
            f"({short.content['conditions']}; {short.content['cost']}):"
        )
        parts.append("\n".join(said(short)))
    elif suite.claims:
        parts.append("\n".join(f"- {claim.says}" for claim in suite.claims))
    if suite.published:
        parts.append(published_table((name, suite, entry) for entry in suite.published))
    return "\n\n".join(parts)
