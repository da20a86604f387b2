"""What a page of docs/families/ takes from the code of the family and from results."""

import ast
from typing import Any

from benchmarks.docgen.published import (
    Report,
    published_table,
    reports,
    suites,
    table,
    table_of,
)
from benchmarks.evaluation.registry import METRICS
from benchmarks.planning.resolve import resolve_row
from zoo.build import assemble, options_of
from zoo.game import Player, Turn
from zoo.registry import describe, presets, source

PAGE = """# {title}

<!-- paper: generated -->
<!-- end paper -->

## Settings

<!-- settings: generated -->
<!-- end settings -->

## Measured

<!-- measured: generated -->
<!-- end measured -->

## Known failure modes
"""


def skeleton(family: str) -> str:
    """Return a page without content for a family that has none, titled as its docstring opens."""
    return PAGE.format(title=describe(family).partition(":")[0])


def paper(family: str, up: str) -> str:
    """Return a family's own words: source, equations, deviations."""
    text = ast.get_docstring(ast.parse(source(family).read_text())) or ""
    return (
        f"{text}\n\nThe losses in code: [zoo/families/{family}.py]({up}zoo/families/{family}.py)."
    )


def settings(family: str) -> str:
    """Return a family's players, turns, options and authors' settings."""
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
        return "No preset of its authors' settings: every suite runs it with matched settings."
    rows = [
        (part, ", ".join(f"`{name} = {value!r}`" for name, value in values.items()))
        for part, values in preset.items()
    ]
    how = f"Its authors' settings (`--set rows.{family}.preset=faithful` in any suite):"
    return f"{how}\n\n" + table([("part", "settings"), *rows])


def measured(family: str, up: str) -> str:
    """Return a family's rows of every published table, and papers' numbers next to ours."""
    tables: dict[str, str] = {}  # two suites may share runs: a table once
    for name in suites():
        for report in (reports().get(name), reports(short=True).get(name)):
            if report is not None and (own := _own(report, family)):
                tables.setdefault(_rows(own), _headed(report, up))
    parts = [f"{said}\n\n{rows}" for rows, said in tables.items()]
    wanted = [
        (name, suite, entry)
        for name, suite in suites().items()
        for entry in suite.published
        if resolve_row(suite, entry.row).family == family
    ]
    if wanted:
        parts.append(f"The paper's numbers and ours:\n\n{published_table(wanted)}")
    else:
        parts.append("Its paper reports no number for these data.")
    return "\n\n".join(parts)


def _headed(report: Report, up: str) -> str:
    return (
        f"Suite `{report.suite.name}`, `{report.content['command']}` "
        f"([all models and trivial baselines]({up}{report.path})):"
    )


def _rows(rows: list[dict[str, Any]]) -> str:
    headline = [m.name for m in METRICS.values() if m.headline]
    return table_of(rows, [n for n in headline if any(n in row["cells"] for row in rows)])


def _own(report: Report, family: str) -> list[dict[str, Any]]:
    return [row for row in report.rows if row["family"] == family and row["seeds_done"]]
