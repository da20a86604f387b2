"""Write what documents take from code and results: `python -m benchmarks.documents`.

README.md and docs/ hold blocks between `<!-- NAME: written -->` and `<!-- end NAME -->`. This fills
them: tables from results/reference/, a family's settings from its code, suites from their files.
What stands outside the blocks is written by hand and left alone.
"""

import ast
import csv
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path

from benchmarks.config import Suite
from benchmarks.errors import UserError
from benchmarks.evaluation import document
from benchmarks.evaluation.protocol import PROTOCOLS, VERSION
from benchmarks.evaluation.registry import METRICS, Metric, head, number, table_line
from benchmarks.files import write_text
from benchmarks.identity import ROOT
from benchmarks.plan import load_suite, suite_names
from zoo.assembly import assemble, options_of
from zoo.game import Player, Turn
from zoo.registry import FAMILIES, presets, source

REFERENCE = ROOT / "results" / "reference"
NOT_RUN = "not run in full yet"


@dataclass(frozen=True)
class Reference:
    """Committed results of a suite.

    Attributes:
        suite: the suite.
        page: its report as Markdown.
        rows: the lines of its table.csv.

    """

    suite: Suite
    page: str
    rows: list[dict[str, str]]

    def row(self, name: str) -> dict[str, str] | None:
        """Return a row of the table."""
        return next((row for row in self.rows if row["family"] == name), None)


@cache
def references() -> dict[str, Reference]:
    """Return suite name -> its committed results, for the suites that have any."""
    found = {}
    for name in suite_names():
        folder = REFERENCE / name
        if (folder / "table.csv").exists():
            with (folder / "table.csv").open() as file:
                rows = list(csv.DictReader(file))
            found[name] = Reference(load_suite(name), (folder / "table.md").read_text(), rows)
    return found


def documents() -> dict[Path, str]:
    """Return every document with its blocks filled: path -> text."""
    blocks: dict[Path, dict[str, Callable[[], str]]] = {
        ROOT / "README.md": {
            "digits": partial(main_table, "digits"),
            "mnist": partial(main_table, "mnist"),
            "decided": decided,
            "suites": suites_in_short,
            "example": example,
        },
        ROOT / "docs" / "protocol.md": {"sizes": sizes},
        ROOT / "docs" / "reproduce.md": {"suites": suites_in_full},
    }
    for family in FAMILIES:
        blocks[ROOT / "docs" / "families" / f"{family}.md"] = {
            "paper": partial(paper, family),
            "settings": partial(settings, family),
            "measured": partial(measured, family),
        }
    written = {path: fill(path, own) for path, own in blocks.items()}
    return written | {document.PATH: document.document()}


def fill(path: Path, blocks: Mapping[str, Callable[[], str]]) -> str:
    """Return a document with its blocks written anew.

    Raises:
        UserError: a block is not there, or is one that nobody writes.

    """
    text = path.read_text()
    marked = re.findall(r"<!-- (\w+): written -->", text)
    if sorted(marked) != sorted(blocks):
        raise UserError(f"{path} has the blocks {sorted(marked)}, expected {sorted(blocks)}")
    for name, write in blocks.items():
        begin, end = f"<!-- {name}: written -->", f"<!-- end {name} -->"
        before, _, rest = text.partition(begin)
        _, found, after = rest.partition(end)
        if not found:
            raise UserError(f"{path}: {begin} has no {end}")
        text = f"{before}{begin}\n\n{write().strip()}\n\n{end}{after}"
    return text


def table(rows: Iterable[Iterable[str]]) -> str:
    """Return a Markdown table; the first row is its head."""
    first, *others = [list(row) for row in rows]
    return "\n".join(map(table_line, [first, ["---"] * len(first), *others]))


# README.md


def main_table(suite: str) -> str:
    """Return the first table of a reference report, and how it was made."""
    page = references()[suite].page
    lines = page.splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith("| family |"))
    stop = next(i for i in range(start, len(lines)) if not lines[i].startswith("|"))
    heading = next(line for line in lines if line.startswith(f"{suite}: "))
    made = re.search(r"^- (commit [^:]*):", page, re.MULTILINE)
    command = f"`{command_of(page)}`" + (f", {made.group(1)}" if made else "")
    return "\n".join([*lines[start:stop], "", f"<sub>{heading} {command}.</sub>"])


def command_of(page: str) -> str:
    """Return the command that a report says it was made by."""
    found = re.search(r"^Command: `(.+)`", page, re.MULTILINE)
    return found.group(1) if found else "python run_all.py"


def suites_in_short() -> str:
    """Return suite, question and data of every suite."""
    rows = [
        (f"`{name}`", suite.question, f"{suite.dataset}, {len(suite.families)} × {suite.seeds}")
        for name, suite in _suites().items()
    ]
    return table([("suite", "question", "data, rows × seeds"), *rows])


def example() -> str:
    """Return the family of one's own, as it stands in examples/."""
    return f"```python\n{(ROOT / 'examples' / 'my_family.py').read_text()}```"


# docs/


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
    return "\n\n".join(_section(name, suite) for name, suite in _suites().items())


def _section(name: str, suite: Suite) -> str:
    steps = f"{suite.training.steps:,} updates of {suite.training.batch_size}"
    done = references().get(name)
    state = (
        f"[results](../results/reference/{name}/table.md), made by `{command_of(done.page)}`"
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
            f"`{command_of(page)}` ({_heading(page)}):"
        )
        parts.append("\n".join(verdicts(page)))
    elif suite.claims:
        parts.append("\n".join(f"- {claim.says}" for claim in suite.claims))
    if suite.published:
        parts.append(_published([(name, suite, entry.row) for entry in suite.published]))
    return "\n\n".join(parts)


def verdicts(page: str) -> list[str]:
    """Return the lines of a report that say what its claims, or its families, came to."""
    lines = page.splitlines()
    said = [line for line in lines if re.match(r"- \*\*(supported|contradicted|not decided)", line)]
    return said or [line for line in lines if line.startswith("- ") and " clearly " in line][:3]


def decided() -> str:
    """Return every claim that a committed report decides, with the report."""
    parts = []
    for path in sorted(REFERENCE.glob("*/table.md")):
        name, lines = path.parent.name, verdicts(path.read_text())
        lines = [line for line in lines if line.startswith(("- **supported", "- **contradicted"))]
        parts += [f"{line} [{name}](results/reference/{name}/table.md)" for line in lines]
    return "\n".join(parts)


def _heading(page: str) -> str:
    """Return a report's tier, data, networks and budget."""
    found = re.search(r"^\S+: (\w+ tier, .*?); protocol", page, re.MULTILINE)
    return found.group(1) if found else ""


def _published(wanted: Iterable[tuple[str, Suite, str]]) -> str:
    """Return published numbers beside ours, one line for each (suite name, suite, row)."""
    rows = [("row", "metric", "published", "ours", "source", "suite")]
    for name, suite, row in wanted:
        for entry in suite.published:
            if entry.row == row:
                metric, done = METRICS[entry.metric], references().get(name)
                ours = _cell(done.row(row) if done else None, metric) or NOT_RUN
                theirs = f"{entry.value * metric.factor:g}"  # with the digits that they print
                rows.append((row, head(metric), theirs, ours, entry.source, f"`{name}`"))
    return table(rows)


def paper(family: str) -> str:
    """Return a family's own words: source, equations, deviations."""
    text = ast.get_docstring(ast.parse(source(family).read_text())) or ""
    text = re.sub(r"(?<![`\w])(https?://[^\s,;)]+[^\s,;).:])", r"<\1>", text)
    return f"{text}\n\nThe losses in code: [zoo/{family}.py](../../zoo/{family}.py)."


def settings(family: str) -> str:
    """Return a family's players, turns, options and faithful preset."""
    game = assemble(
        family, {}, body="mlp", width=16, latent_dim=4, prior="normal",
        image_shape=(1, 8, 8), seed_of=lambda name: 0,
    )  # fmt: skip
    players = [(name, *_player(player)) for name, player in game.players.items()]
    turns = [_turn(turn) for turn in game.turns]
    options = [(f"`{name}`", f"`{value!r}`") for name, value in options_of(family).items()]
    parts = [
        table([("player", "networks", "Adam", "clipping"), *players]),
        table([("turn", "players", "in a row"), *turns]),
        table([("option", "default"), *options]) if options else "It has no options.",
        _preset(family),
    ]
    return "\n\n".join(parts)


def _player(player: Player) -> tuple[str, str, str]:
    rates = {player.lr_of(network) for network in player.networks}
    adam = f"{'/'.join(f'{rate:g}' for rate in sorted(rates))}, betas {player.betas}"
    adam += f", eps {player.eps:g}" + (f", L2 {player.l2:g}" if player.l2 else "")
    clip = "-" if player.clip is None else f"norm {player.clip.norm:g} of each {player.clip.of}"
    return ", ".join(player.networks), adam, clip


def _turn(turn: Turn) -> tuple[str, str, str]:
    return turn.name, ", ".join(turn.players), str(turn.repeats)


def _preset(family: str) -> str:
    preset = presets().get(family)
    if preset is None:
        return "It has no faithful preset; every suite runs it in the controlled tier."
    rows = [
        (part, ", ".join(f"`{name} = {value!r}`" for name, value in values.items()))
        for part, values in preset.items()
    ]
    return "Faithful preset:\n\n" + table([("part", "settings"), *rows])


def measured(family: str) -> str:
    """Return a family's rows of every committed table, and published numbers beside ours."""
    parts = [_measured(done, own) for done in references().values() if (own := _own(done, family))]
    wanted = [
        (name, suite, entry.row)
        for name, suite in _suites().items()
        for entry in suite.published
        if _game(suite, entry.row) == family
    ]
    if wanted:
        parts.append(f"Beside the paper's numbers:\n\n{_published(wanted)}")
    else:
        parts.append("No number of its paper is for these data: there is nothing to compare with.")
    return "\n\n".join(parts)


def _measured(done: Reference, rows: list[dict[str, str]]) -> str:
    shown = [m for m in METRICS.values() if m.headline and any(_cell(row, m) for row in rows)]
    name = done.suite.name
    lines = [(row["family"], row["seeds"], *(_cell(row, m) for m in shown)) for row in rows]
    return (
        f"Suite `{name}`, `{command_of(done.page)}` "
        f"([all families and controls](../../results/reference/{name}/table.md)):\n\n"
        + table([("row", "seeds", *map(head, shown)), *lines])
    )


def _own(done: Reference, family: str) -> list[dict[str, str]]:
    return [
        row
        for row in done.rows
        if row["kind"] == "family" and _game(done.suite, row["family"]) == family
    ]


def _game(suite: Suite, row: str) -> str:
    """Return which family plays a row; a readout's is its game's."""
    name = row.split(" (")[0]
    return str(suite.rows.get(name, {}).get("family", name))


def _cell(row: Mapping[str, str] | None, metric: Metric) -> str:
    """Return a metric's mean and interval as tables write them; empty if it has none."""
    if row is None or not row.get(metric.name):
        return ""
    mean, low, high = (row[f"{metric.name}{end}"] for end in ("", "_low", "_high"))
    text = number(float(mean), metric)
    if not low or metric.question == "cost":  # as in the report: seconds are no estimate
        return text
    return f"{text} [{number(float(low), metric)}, {number(float(high), metric)}]"


@cache
def _suites() -> dict[str, Suite]:
    return {name: load_suite(name) for name in suite_names()}


if __name__ == "__main__":
    for path, text in documents().items():
        write_text(path, text)
