"""scikit-learn's handwritten digits (the test part of UCI's optical digits), 1,797 of 8 x 8."""

from pathlib import Path

import numpy as np
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from datasets.images import ImageSet, Split

TEST = 500
GREY_LEVELS = 16


def load(root: Path | None, offline: bool) -> ImageSet:
    """Split once and for all, stratified, and stretch 0..16 to 0..255; needs no folder."""
    images, labels = load_digits(return_X_y=True)
    pixels = np.round(images.reshape(-1, 1, 8, 8) * (255 / GREY_LEVELS)).astype(np.uint8)
    train_x, test_x, train_y, test_y = train_test_split(
        pixels, labels.astype(np.int64), test_size=TEST, random_state=0, stratify=labels
    )
    return ImageSet(
        "digits",
        Split(torch.from_numpy(train_x), torch.from_numpy(train_y)),
        Split(torch.from_numpy(test_x), torch.from_numpy(test_y)),
    )
