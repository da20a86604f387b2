"""What README.md, docs/protocol.md and docs/reproduce.md take from code and results."""

import re
from collections import Counter

from benchmarks.config import Suite
from benchmarks.documents.kept import (
    NOT_RUN,
    REFERENCE,
    cost_of,
    heading_of,
    made_by,
    published_table,
    references,
    suites,
    table,
    verdicts,
)
from benchmarks.evaluation.protocol import PROTOCOLS, VERSION
from benchmarks.identity import ROOT


def main_table(suite: str) -> str:
    """Return the first table of a reference report, and how it was made."""
    page = references()[suite].page
    lines = page.splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith("| family |"))
    stop = next(i for i in range(start, len(lines)) if not lines[i].startswith("|"))
    heading = next(line for line in lines if line.startswith(f"{suite}: "))
    made = re.search(r"^- (commit [^:]*):", page, re.MULTILINE)
    command = f"{made_by(page)}" + (f", {made.group(1)}" if made else "")
    return "\n".join([*lines[start:stop], "", f"<sub>{heading} {command}.</sub>"])


def suites_in_short() -> str:
    """Return suite, question and data of every suite."""
    rows = [
        (f"`{name}`", suite.question, f"{suite.dataset}, {len(suite.families)} × {suite.seeds}")
        for name, suite in suites().items()
    ]
    return table([("suite", "question", "data, rows × seeds"), *rows])


def findings(name: str) -> str:
    """Return what a committed report says its families, or its claims, came to."""
    return "\n".join(verdicts((REFERENCE / name / "table.md").read_text()))


def opening(name: str) -> str:
    """Return what a committed report says of who is best, ranked rows only."""
    lines = (REFERENCE / name / "table.md").read_text().splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith("- "))
    stop = next(i for i, line in enumerate(lines) if line.startswith(("- Not ranked", "- Every")))
    return "\n".join(lines[start:stop])


def decided() -> str:
    """Return how many claims committed reports decide, and each of those with its report."""
    counts, parts = Counter[str](), []
    for path in sorted(REFERENCE.glob("*/table.md")):
        name = path.parent.name
        for line in verdicts(path.read_text()):
            if found := re.match(r"- \*\*(supported|contradicted|not decided)", line):
                counts[found[1]] += 1
                if found[1] != "not decided":
                    parts.append(f"{line} [{name}](results/reference/{name}/table.md)")
    said = ", ".join(f"{counts[kind]} {kind}" for kind in ("supported", "contradicted"))
    return f"{said}, {counts['not decided']} not decided yet:\n\n" + "\n".join(parts)


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


def suites_in_full() -> str:
    """Return a section for every suite: command, claims, published numbers."""
    return "\n\n".join(_section(name, suite) for name, suite in suites().items())


def _section(name: str, suite: Suite) -> str:
    steps = f"{suite.training.steps:,} updates of {suite.training.batch_size}"
    done = references().get(name)
    state = (
        f"[results](../results/reference/{name}/table.md), made by {made_by(done.page)}"
        if done
        else NOT_RUN
    )
    parts = [
        f"## {name}\n\n{suite.question}",
        f"`python run_all.py --suite {name}`: {suite.dataset}, {suite.tier} tier, "
        f"{suite.networks.body}, {len(suite.families)} rows × {suite.seeds} seeds, {steps}; "
        f"{state}.",
    ]
    short = REFERENCE / f"{name}-short" / "table.md"
    if short.exists():
        page = short.read_text()
        parts.append(
            f"Short form, [results](../results/reference/{name}-short/table.md), made by "
            f"{made_by(page)} ({heading_of(page)}; {cost_of(page)}):"
        )
        parts.append("\n".join(verdicts(page)))
    elif suite.claims:
        parts.append("\n".join(f"- {claim.says}" for claim in suite.claims))
    if suite.published:
        parts.append(published_table((name, suite, entry) for entry in suite.published))
    return "\n\n".join(parts)
