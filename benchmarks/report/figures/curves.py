"""Figures of a training as it went: every named loss term, and the players' gradient norms."""

from pathlib import Path
from textwrap import fill

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.transforms import offset_copy

from benchmarks.report.figures.loss_terms import player_in_words, term_in_words
from benchmarks.report.figures.style import (
    Look,
    few_ticks,
    grid,
    legend,
    logarithmic,
    looks_of,
    save,
)

GRADIENT = "grad_norm"
LETTERS = 56
"""In a line of a legend: as many as a panel is wide."""


def losses(row: str, game: str, curve: pd.DataFrame, stem: Path) -> bool:
    """Draw one row's terms, a panel per player: seeds thin, their mean thick; False without any.

    Args:
        row: its name.
        game: the family that is played.
        curve: the row's lines of curve.jsonl: seed, step and "player/term" columns.
        stem: path of the figure without a suffix.

    """
    players: dict[str, dict[str, str]] = {}
    for key in _columns(curve):
        player, term = key.split("/", 1)
        if term != GRADIENT:
            players.setdefault(player, {})[key] = fill(term_in_words(key, game), LETTERS)
    if not players:
        return False
    lines = max("\n".join(labels.values()).count("\n") + 1 for labels in players.values())
    figure, axes = grid(len(players), columns=1, panel=(4.2, 2.3 + 0.16 * lines))
    for axis, (player, labels) in zip(axes, players.items(), strict=True):
        looks = looks_of(labels)
        for key, label in labels.items():
            _thin_and_thick(axis, curve, key, looks[key], label)
        axis.set(title=f"{row}: {player_in_words(player)}", xlabel="updates")
        few_ticks(axis.xaxis)
        below = offset_copy(axis.transAxes, figure, x=-30, y=-32, units="points")
        axis.legend(loc="upper left", bbox_to_anchor=(0, 0), bbox_transform=below,
                    fontsize="small", frameon=False, borderaxespad=0)  # fmt: skip
    save(figure, stem)
    return True


def gradient_norms(curves: pd.DataFrame, stem: Path) -> bool:
    """Draw each player's gradient norm, a panel per row of the table; False if none was logged."""
    names = [column for column in _columns(curves) if column.endswith(f"/{GRADIENT}")]
    rows = list(dict.fromkeys(curves["label"])) if names else []
    if not rows:
        return False
    looks = looks_of(column.split("/", 1)[0] for column in names)
    figure, axes = grid(len(rows), columns=2)
    for axis, row in zip(axes, rows, strict=True):
        own = curves[curves["label"] == row]
        for column in names:
            if own[column].notna().any():
                player = column.split("/", 1)[0]
                _thin_and_thick(axis, own, column, looks[player], player_in_words(player))
        axis.set(title=row, xlabel="updates")
        logarithmic(axis.yaxis)
    legend(figure, looks, list(looks))
    save(figure, stem)
    return True


def _columns(curve: pd.DataFrame) -> list[str]:
    """Return the "player/name" columns that have values."""
    return [c for c in map(str, curve) if "/" in c and curve[c].notna().any()]


def _thin_and_thick(axis: Axes, curve: pd.DataFrame, column: str, look: Look, label: str) -> None:
    for _, seed in curve.groupby("seed"):
        axis.plot(seed["step"], seed[column], color=look.colour, linewidth=0.5, alpha=0.45)
    mean = curve.groupby("step")[column].mean()
    line = look.points if len(mean) == 1 else look.line  # a line of one point shows nothing
    axis.plot(mean.index, mean, label=label, linewidth=1.4, **line)
