"""Image sets in memory and batches drawn from them on their device."""

import hashlib
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Split:
    """Images and labels: uint8 (N, C, H, W) in 0..255, int64 (N,); points are float32 in 0..255."""

    images: Tensor
    labels: Tensor

    def __len__(self) -> int:
        return len(self.images)

    def to(self, device: torch.device) -> "Split":
        """Copy to a device; a small dataset lives there whole, so a batch is an index."""
        return Split(self.images.to(device), self.labels.to(device))

    def draw(self, n: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Draw n images and labels uniformly with replacement, with the generator's next numbers.

        With replacement, the state of the generator is the whole state of the sampler.
        """
        index = torch.randint(len(self), (n,), generator=generator, device=self.images.device)
        return self.images[index], self.labels[index]


@dataclass(frozen=True)
class ImageSet:
    """A dataset: a training split and a test split."""

    name: str
    train: Split
    test: Split

    def to(self, device: torch.device) -> "ImageSet":
        """Copy both splits to a device."""
        return ImageSet(self.name, self.train.to(device), self.test.to(device))


def without_class(split: Split, label: int) -> Split:
    """Return a split without the images of one class."""
    kept = split.labels != label
    return Split(split.images[kept], split.labels[kept])


def to_range(images: Tensor, low: float = -1.0, high: float = 1.0) -> Tensor:
    """Map 0..255 to [low, high] in PyTorch's default precision: single unless somebody sets it."""
    return images.to(torch.get_default_dtype()) * ((high - low) / 255) + low


def to_uint8(x: Tensor) -> Tensor:
    """Map float [-1, 1] to the nearest uint8 0..255.

    Raises:
        ValueError: a value is not finite (a plain cast would turn it into black).

    """
    if not torch.isfinite(x).all():
        raise ValueError("images with non-finite values cannot be turned into pixels")
    return ((x.clamp(-1, 1) + 1) * 127.5).round().to(torch.uint8)


def content_digest(images: ImageSet) -> str:
    """Return the SHA-256 over shapes, pixels and labels of both splits, in order."""
    sha = hashlib.sha256()
    for split in (images.train, images.test):
        for tensor in (split.images, split.labels):
            sha.update(f"{tensor.dtype} {tuple(tensor.shape)}".encode())
            sha.update(tensor.contiguous().numpy().tobytes())
    return sha.hexdigest()
