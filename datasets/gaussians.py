"""25 Gaussians on a grid in the plane, 100,000 and 10,000 points: a mixture whose modes are known.

The toy data of Dumoulin et al. 2017 (ALI, https://arxiv.org/abs/1606.00704). A point is an "image"
of two channels and one pixel, its label the mode it was drawn from. The square of side 10 round
the origin is stretched to 0..255 as grey levels are, but not rounded to them, so that a body with
`IMAGE_RANGE = (-5, 5)` trains on the coordinates themselves.
"""

from itertools import product
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from datasets.images import ImageSet, Split

AXIS = (-4.0, -2.0, 0.0, 2.0, 4.0)
STD = 0.05
HALF_SIDE = 5.0
"""The points lie in [-HALF_SIDE, HALF_SIDE] in both coordinates."""
TRAIN, TEST = 100_000, 10_000


def load(root: Path | None, offline: bool) -> ImageSet:
    """Draw the points, the same on every machine; needs no folder."""
    # NumPy has frozen this stream for good; those of its newer generators may change.
    stream = np.random.RandomState(0)
    labels = stream.randint(len(AXIS) ** 2, size=TRAIN + TEST, dtype=np.int64)
    noise = stream.standard_normal((TRAIN + TEST, 2))
    levels = stretched(centres().numpy()[labels] + STD * noise)
    train, test = (
        Split(torch.from_numpy(levels[part]), torch.from_numpy(labels[part]))
        for part in (slice(TRAIN), slice(TRAIN, None))
    )
    return ImageSet("gaussians", train, test)


def centres() -> Tensor:
    """Return the means of the modes, (25, 2), double; a point's label is its row."""
    return torch.tensor(list(product(AXIS, AXIS)), dtype=torch.double)


def stretched(points: np.ndarray) -> np.ndarray:
    """Map coordinates (N, 2) in [-5, 5] to float32 (N, 2, 1, 1) in 0..255."""
    levels = (points / HALF_SIDE + 1) * 127.5
    return levels.astype(np.float32).reshape(-1, 2, 1, 1)


def coordinates(x: Tensor) -> Tensor:
    """Map points as a game gives them, (N, 2, 1, 1) in [-1, 1], to coordinates (N, 2), double."""
    return x.flatten(1).double() * HALF_SIDE
