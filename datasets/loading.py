"""Load a dataset by name and verify its content."""

from importlib import import_module
from pathlib import Path

from datasets.images import ImageSet, content_digest
from datasets.registry import DATASETS, DatasetError


def load(name: str, root: Path | None = None, offline: bool = False) -> ImageSet:
    """Load a registered dataset on the CPU.

    Args:
        name: a key of `datasets.registry.DATASETS`.
        root: the only folder searched, if given.
        offline: never download.

    Raises:
        DatasetError: missing, damaged, or its content is not the pinned one.

    """
    images: ImageSet = import_module(f"datasets.{name}").load(root, offline)
    found, pinned = content_digest(images), DATASETS[name].digest
    if found != pinned:
        raise DatasetError(
            f"the content of dataset {name!r} has changed: SHA-256 {found[:16]}… instead of "
            f"{pinned[:16]}….\nResults would not be comparable, so nothing was run."
        )
    return images
