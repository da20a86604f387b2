"""Names and facts of the datasets; imports nothing heavy, so that planning needs no data.

`digest` is the SHA-256 of the content (see `datasets.images.content_digest`), pinned here and
verified at every load: a changed file, split or preprocessing is refused instead of moving numbers.
"""

from dataclasses import dataclass


class DatasetError(Exception):
    """Data that is missing, damaged or not what was pinned; the message says what to do."""


@dataclass(frozen=True)
class DatasetInfo:
    """What is known of a dataset without loading it; `has_files`: it is read from a folder."""

    name: str
    description: str
    image_shape: tuple[int, int, int]
    classes: int
    train: int
    test: int
    digest: str
    has_files: bool = False


DATASETS = {
    info.name: info
    for info in (
        DatasetInfo(
            name="digits",
            description="scikit-learn's handwritten digits, 8 x 8, nothing to download",
            image_shape=(1, 8, 8),
            classes=10,
            train=1297,
            test=500,
            digest="a6217a99ca61198cb0b57db8ac3aa2f280d317198e5f4ad2e49ac6831e3f0327",
        ),
        DatasetInfo(
            name="mnist",
            description="MNIST, 28 x 28, 60,000 training and 10,000 test images",
            image_shape=(1, 28, 28),
            classes=10,
            train=60_000,
            test=10_000,
            digest="05ab87c0464c87c8da6806c37a139b26b94c5fd43ab5ec5eb8c7169feae6a159",
            has_files=True,
        ),
        DatasetInfo(
            name="gaussians",
            description="100,000 points of 25 Gaussians in the plane, nothing to download",
            image_shape=(2, 1, 1),
            classes=25,
            train=100_000,
            test=10_000,
            digest="b6ae77ffd8a46a9c14751d682052877cdd619b066c4241f1953be8060a45bdda",
        ),
    )
}
