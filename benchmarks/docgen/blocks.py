"""What README.md and docs/ take from suites and published reports."""

import json
from collections import Counter

from benchmarks.common.files import ROOT
from benchmarks.docgen.published import (
    NOT_RUN,
    PUBLISHED,
    Report,
    judged,
    published_table,
    reports,
    said,
    suites,
    table,
    table_of,
)
from benchmarks.evaluation.protocol import PROTOCOLS, VERSION
from benchmarks.planning.config import Suite
from benchmarks.planning.register import entries
from zoo.registry import FAMILIES, about

NOT_PUBLISHED = "Not published yet: `python run_all.py --suite {}` makes it."
SMALL_CONTROLS = ("real_train", "pca", "untrained")
SETTINGS = {"controlled": "matched settings", "faithful": "authors' settings"}
SMALL = (
    *("fid_hybrid", "coverage_hybrid", "knn1_accuracy_features"),
    *("reconstruction_ratio", "latent_error"),
)
"""The columns of the home page's table: one or two of each question."""


def main_table(suite: str) -> str:
    """Return the first table of a published report, and how it was made."""
    report = reports()[suite]
    content = report.content
    protocol = content["protocol"]
    how = (
        f"{suite}: {content['conditions']}; protocol {protocol['version']}, "
        f"{protocol['samples']:,} samples, extractor {protocol['extractor']}. "
        f"`{content['command']}`, {_origin(report)}."
    )
    return f"{table_of(report.rows, content['headline'])}\n\n<sub>{how}</sub>"


def small_table(suite: str) -> str:
    """Return a published report in a few columns: models, and some controls."""
    shown = [r for r in reports()[suite].rows if r["kind"] == "model" or r["row"] in SMALL_CONTROLS]
    return table_of(shown, SMALL, seeds=False)


def _origin(report: Report) -> str:
    return " and ".join(f"{one['code']}; {one['machine']}" for one in report.content["origins"])


def picture(suite: str, up: str) -> str:
    """Return the overview picture of a published suite, or its reconstructions."""
    folder = PUBLISHED / suite
    name = "overview" if (folder / "overview.png").exists() else "reconstructions"
    said = reports()[suite].content["pictures"].get(name, name.capitalize())
    return f"![{said}]({up}results/published/{suite}/{name}.png)"


def suites_in_short() -> str:
    """Return a line for every suite."""
    rows = [
        (f"`{name}`", suite.question, f"{suite.dataset}, {len(suite.families)} × {suite.seeds}")
        for name, suite in suites().items()
    ]
    return table([("suite", "question", "data, configurations × seeds"), *rows])


def findings(suite: str, up: str, short: bool = False) -> str:
    """Return what a published report says of who is best, ranked rows only."""
    report = reports(short).get(suite)
    if report is None:
        return NOT_PUBLISHED.format(suite + " --short" * short)
    lines = [f"- {line}" for line in report.content["findings"]]
    return "\n".join([*lines, f"- [all models, trivial baselines and pictures]({up}{report.path})"])


def k_of_n(up: str) -> str:
    """Return how many registered claims are decided, and where each stands."""
    return f"{_counted()} [Each with its numbers]({up}docs/reproduce.md#verdicts-on-claims)."


def _counted() -> str:
    """Return how many claims are decided, and where the others point."""
    known = [one for one in judged() if one.said["found"] is not None]  # what has runs
    counts = Counter(one.said["verdict"] for one in known)
    tested = len({one.said["claim"] for one in known})
    return (
        f"{sum(one.decided for one in known)} of {len(entries())} registered claims are decided at "
        f"their source's scale. Reduced-scale runs test {tested} of them: "
        f"{counts['for']} verdicts for, {counts['against']} against, {counts['open']} open."
    )


def claims_in_full(up: str) -> str:
    """Return a line for every registered claim: its verdicts with their reports, or why none."""
    known, lines = judged(), [_counted(), ""]
    for entry in entries():
        own = [one for one in known if one.said["claim"] == entry.id]
        source = f"“{entry.quote}” ({entry.place}; seen on: {entry.scale})"
        lines.append(f"- **{entry.id}. {entry.says}** {source}")
        if not own:
            lines.append(f"  - not tested: {entry.reason or 'its suite is not run yet'}")
        for one in own:
            word = "decided, " * one.decided + one.said["word"]
            holm = "" if one.holm is None else f"; p over the register {one.holm:.2g}"
            report = f"[{one.report.name}]({up}{one.report.path})"
            lines.append(f"  - {word}: {one.said['numbers']}{holm}. {report}")
    return "\n".join(lines)


def models() -> str:
    """Return the list of models, for the page next to theirs."""
    return "\n".join(f"- [{about(family).title}]({family}.md)" for family in FAMILIES)


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


def published(up: str) -> str:
    """Return what is published: records, size, and which commits trained them."""
    rows = [("folder", "records", "MB", "trained by", "published")]
    for manifest in sorted(PUBLISHED.glob("*/manifest.json")):
        lines = json.loads(manifest.read_text())["records"].values()
        commits = sorted({line["commit"][:10] for line in lines})
        dates = sorted({line["published"] for line in lines})
        size = sum(path.stat().st_size for path in manifest.parent.iterdir()) / 1e6
        name = manifest.parent.name
        link = f"[{name}]({up}results/published/{name}/table.md)"
        rows.append((link, str(len(lines)), f"{size:.1f}", ", ".join(commits), ", ".join(dates)))
    return table(rows)


def suites_in_full(up: str) -> str:
    """Return a section for every suite: command, claims, published numbers."""
    return "\n\n".join(_section(name, suite, up) for name, suite in suites().items())


def _section(name: str, suite: Suite, up: str) -> str:
    steps = f"{suite.training.steps:,} updates of {suite.training.batch_size}"
    done, short = reports().get(name), reports(short=True).get(name)
    state = f"[results]({up}{done.path}){done.extent}" if done else NOT_RUN
    parts = [
        f"## {name}\n\n{suite.question}",
        f"`python run_all.py --suite {name}`: {suite.dataset}, {SETTINGS[suite.tier]}, "
        f"{suite.networks.body}, {len(suite.families)} configurations × {suite.seeds} seeds, "
        f"{steps}; {state}.",
    ]
    if short is not None:
        parts.append(
            f"Reduced scale, `{short.content['command']}`, [results]({up}{short.path}) "
            f"({short.content['conditions']}; {short.content['cost']}):"
        )
        parts.append("\n".join(said(short)))
    elif suite.claims:
        parts.append("\n".join(f"- claim {one.id}: {one.says}" for one in suite.claims))
    if suite.published:
        parts.append(published_table((name, suite, entry) for entry in suite.published))
    return "\n\n".join(parts)
