"""Which way a row goes: from the prior to images, from images to codes and back, or both ways.

Told by what was measured of it, during training or after, so that rows of other options and of
families from outside the repository are known as well.
"""

from collections.abc import Mapping

import pandas as pd

from benchmarks.evaluation.registry import METRICS

DRAWS, ENCODES, RECONSTRUCTS = "z → x only", "x → z only", "no prior"
BOTH, UNKNOWN = "both", ""
WAYS = {"samples": DRAWS, "modes": DRAWS, "representation": ENCODES, "consistency": RECONSTRUCTS}
"""Question -> the way that a row needs to have an answer."""
OF_RECONSTRUCTIONS = ("mode_kept", "reconstruction_distance")
"""Metrics of the question "modes" that need an encoder, and no draws of a prior."""
LACKS = {
    DRAWS: "it has no encoder",
    ENCODES: "it draws no images from a prior",
    RECONSTRUCTS: "it cannot draw",
}
ENOUGH = 2
"""Rows of both directions from which on a report compares those, and the others are references."""


def directions(*frames: pd.DataFrame) -> dict[str, str]:
    """Return label -> DRAWS, ENCODES, RECONSTRUCTS, BOTH, or UNKNOWN where nothing was measured.

    Args:
        frames: one row per run or per look during training: label, then metrics.

    """
    found: dict[str, set[str]] = {}
    for frame in (frame for frame in frames if len(frame)):
        for row, own in frame.groupby("label", sort=False):
            measured = [name for name in METRICS if name in own and own[name].notna().any()]
            found.setdefault(str(row), set()).update(_needed(name) for name in measured)
    return {row: _way(ways - {UNKNOWN}) for row, ways in found.items()}


def _needed(metric: str) -> str:
    if metric in OF_RECONSTRUCTIONS:
        return RECONSTRUCTS
    return WAYS.get(METRICS[metric].question, UNKNOWN)


def _way(ways: set[str]) -> str:
    if DRAWS in ways and len(ways) > 1:
        return BOTH
    return RECONSTRUCTS if RECONSTRUCTS in ways else next(iter(ways), UNKNOWN)


def references(ways: Mapping[str, str]) -> dict[str, str]:
    """Return the rows that lack a way where others go both -> what they lack; see `ENOUGH`."""
    if sum(way == BOTH for way in ways.values()) < ENOUGH:
        return {}
    return {row: f"{way}: {LACKS[way]}" for row, way in ways.items() if way in LACKS}
