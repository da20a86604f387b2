"""MNIST through torchvision, from files whose digests are pinned."""

import hashlib
import os
from pathlib import Path

from torchvision.datasets import MNIST

from datasets.images import ImageSet, Split
from datasets.registry import DatasetError

MD5 = {
    "train-images-idx3-ubyte": "6bbc9ace898e44ae57da46a324031adb",
    "train-labels-idx1-ubyte": "a25bea736e30d166cdddb491f175f624",
    "t10k-images-idx3-ubyte": "2646ac647ad5339dbf082846283269ea",
    "t10k-labels-idx1-ubyte": "27ae3e4e09519cfbb04c329615203637",
}
"""MD5 of the uncompressed files: torchvision checks the compressed ones only."""


def load(root: Path | None, offline: bool) -> ImageSet:
    """Load from `root`; without it from $BIGAN_DATA, then data/, then by download into data/.

    Raises:
        DatasetError: files are missing and may not be downloaded, or are not MNIST's.

    """
    folder = _find(root, offline)
    for name, digest in MD5.items():
        path = folder / "MNIST" / "raw" / name
        if hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest() != digest:
            raise DatasetError(
                f"{path} is damaged or not MNIST's: its MD5 is not {digest}.\n"
                "Delete it and put an intact copy in its place."
            )
    return ImageSet("mnist", _split(folder, train=True), _split(folder, train=False))


def _split(folder: Path, train: bool) -> Split:
    data = MNIST(str(folder), train=train)
    return Split(data.data.unsqueeze(1), data.targets)


def _find(root: Path | None, offline: bool) -> Path:
    if root is not None:
        if not _complete(root):
            raise _missing([root])
        return root
    places = [Path(os.environ["BIGAN_DATA"])] if "BIGAN_DATA" in os.environ else []
    places.append(Path("data"))
    for place in places:
        if _complete(place):
            return place
    if offline:
        raise _missing(places)
    try:
        MNIST(str(places[-1]), download=True)
    except (OSError, RuntimeError) as error:
        raise _missing(places, f"The download failed: {error}") from error
    return places[-1]


def _complete(root: Path) -> bool:
    return all((root / "MNIST" / "raw" / name).is_file() for name in MD5)


def _missing(places: list[Path], reason: str = "") -> DatasetError:
    files = ", ".join(MD5)
    searched = " or ".join(str(place / "MNIST" / "raw") for place in places)
    return DatasetError(
        f"MNIST is not in {searched}. {reason}\n"
        f"Put its four uncompressed files there ({files}),\n"
        "or name the folder above MNIST/raw with --data. "
        "The suite `digits` needs no data: python run_all.py --suite digits"
    )
