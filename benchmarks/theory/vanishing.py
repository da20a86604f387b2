"""Does a generator's gradient vanish when its critic is trained on and on?

python -m benchmarks.theory.vanishing

writes docs/vanishing.md, its picture, and the numbers in vanishing.json beside this file.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from scipy import stats

from benchmarks.common.files import ROOT, write_json, write_text
from benchmarks.theory.critics import RULES, scene, shift_gradient, trained
from benchmarks.theory.page import draw, page

# Fixed before any result was seen.
THRESHOLD = 0.1
"""A ratio "vanishes" if its whole interval is below, and "does not vanish" if it is above."""
CONFIDENCE = 0.95
MEASURED_AT = (100, 300, 1000, 3000)
"""Updates of the critic; the ratio is that of the last to the first."""
APART = (0.5, 1.0, 2.0, 4.0, 8.0)
"""Distances of the supports; the other ratio is that of the last to the first."""
REPEATS = 10

NUMBERS = Path(__file__).with_suffix(".json")
VANISHING_PAGE = ROOT / "docs" / "vanishing.md"
PICTURE = VANISHING_PAGE.with_suffix(".png")
VANISHES, REMAINS, OPEN = "vanishes", "does not vanish", "open"


def run(
    seeds: Sequence[int] = tuple(range(REPEATS)),
    distances: Sequence[float] = APART,
    at: Sequence[int] = MEASURED_AT,
) -> pd.DataFrame:
    """Train all critics and measure.

    Args:
        seeds: one critic each, at every distance.
        distances: of the supports.
        at: updates of the critic after which the gradient is measured.

    Returns:
        One row per measurement: loss, distance, seed, updates, gradient (the norm).

    """
    supports, found = scene(distances, seeds), []
    cells = [(seed, distance) for seed in seeds for distance in distances]
    for critic in dict.fromkeys(rule.critic for rule in RULES.values()):
        for updates, weights in trained(critic, supports, seeds, at):
            for loss, rule in RULES.items():
                if rule.critic == critic:
                    norms = shift_gradient(rule, weights, supports.fake).norm(dim=1).tolist()
                    for (seed, distance), norm in zip(cells, norms, strict=True):
                        found.append((loss, distance, seed, updates, norm))
    return pd.DataFrame(found, columns=["loss", "distance", "seed", "updates", "gradient"])


def geometric(values: Sequence[float] | np.ndarray) -> tuple[float, float, float]:
    """Return the geometric mean of seeds and its t-interval on the logarithmic scale."""
    logs = np.log(np.maximum(values, np.finfo(np.float32).tiny))
    mean, n = logs.mean(), len(logs)
    if n < 2:
        return float(np.exp(mean)), 0.0, float("inf")
    half = stats.t.ppf((1 + CONFIDENCE) / 2, n - 1) * logs.std(ddof=1) / n**0.5
    low, middle, high = (float(v) for v in np.exp([mean - half, mean, mean + half]))
    return middle, low, high


def word(low: float, high: float) -> str:
    """Return what an interval of ratios says."""
    return VANISHES if high < THRESHOLD else REMAINS if low > THRESHOLD else OPEN


def verdict(words: Sequence[str]) -> str:
    """Return a loss's verdict from those at all distances: one that vanishes is enough."""
    if VANISHES in words:
        return VANISHES
    return REMAINS if all(one == REMAINS for one in words) else OPEN


def summary(frame: pd.DataFrame) -> dict[str, Any]:
    """Return the numbers of the page.

    Args:
        frame: as of `run`.

    Returns:
        threshold, seeds; distances, updates: first and last; losses: loss -> both its verdicts,
        with training and with distance;
        cells: per loss and distance, and per loss for the last against the first distance
        (distance None), the ratio with its interval, what that says, and the last gradient.

    """
    first, last = int(frame.updates.min()), int(frame.updates.max())
    near, far = float(frame.distance.min()), float(frame.distance.max())
    cells: list[dict[str, Any]] = []
    for loss in frame.loss.unique():
        rows = frame[frame.loss == loss]
        ends = rows.pivot_table(index="seed", columns=["distance", "updates"], values="gradient")
        pairs = [(d, (d, last), (d, first)) for d in sorted(rows.distance.unique())]
        for distance, over, under in [*pairs, (None, (far, last), (near, last))]:
            ratio, low, high = geometric((ends[over] / ends[under]).to_numpy())
            cell = {"loss": loss, "distance": distance, "ratio": ratio, "low": low, "high": high}
            gradient = None if distance is None else geometric(ends[over].to_numpy())[0]
            cells.append(cell | {"verdict": word(low, high), "gradient": gradient})
    losses = {}
    for loss in frame.loss.unique():
        *in_training, with_distance = [c["verdict"] for c in cells if c["loss"] == loss]
        losses[loss] = {"training": verdict(in_training), "distance": with_distance}
    head = {"threshold": THRESHOLD, "seeds": int(frame.seed.nunique())}
    ends_of = {"distances": [near, far], "updates": [first, last]}
    return head | ends_of | {"losses": losses, "cells": cells}


def main() -> None:
    """Run everything and write what it found."""
    torch.set_num_threads(1)  # the matrices are small
    frame = run()
    numbers = summary(frame)
    write_json(NUMBERS, numbers)
    write_text(VANISHING_PAGE, page(numbers))
    draw(frame, PICTURE)


if __name__ == "__main__":
    main()
