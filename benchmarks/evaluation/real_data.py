"""A dataset as the evaluation sees it; what depends on real images alone is computed once."""

import hashlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from benchmarks.common.files import whole
from benchmarks.evaluation.extractors.extractor import HybridExtractor, extract, load_extractor
from benchmarks.evaluation.metrics.samples import high_frequency_share, nearest
from benchmarks.evaluation.protocol import PROTOCOLS, VERSION, Protocol
from datasets.images import ImageSet, Split, to_range
from datasets.registry import DATASETS

SUBSET_SEED = 3
SOURCES = ("extractors/extractor.py", "real_data.py", "metrics/samples.py")
"""What computes the facts about real images: another content, another cache file."""


class Real:
    """Training images to compare samples with, whole and as a random subset of n.

    Args:
        images: uint8 (M, C, H, W), on the CPU.
        features: of the same images, (M, d).
        test: test images in [-1, 1].
        n: size of the subset; all of them if they are fewer.

    """

    def __init__(self, images: Tensor, features: Tensor, test: Tensor, n: int) -> None:
        # Seeded, never the first n: the order of a file is not random.
        order = torch.randperm(len(images), generator=torch.Generator().manual_seed(SUBSET_SEED))
        self.images, self.features, self.order, self.n = images, features, order, n
        self.test = test

    @cached_property
    def subset_features(self) -> Tensor:
        """Features of the subset, (n, d)."""
        return self.features[self.order[: self.n]]

    @cached_property
    def subset(self) -> Tensor:
        """Images of the subset in [-1, 1], (n, C, H, W)."""
        return to_range(self.images[self.order[: self.n]])

    @cached_property
    def gallery(self) -> Tensor:
        """Features of as many training images as there are test images."""
        return self.features[self.order[: len(self.test)]]

    @cached_property
    def hf_share(self) -> Tensor:
        """High-frequency share of each image, (M,)."""
        parts = [high_frequency_share(to_range(part)) for part in torch.split(self.images, 5000)]
        return torch.cat(parts)

    @cached_property
    def test_distances(self) -> Tensor:
        """Pixel distance of each test image to the nearest of the subset."""
        return nearest(self.test, self.subset)[0][:, 0]


@dataclass(frozen=True)
class Facts:
    """What is known of a dataset's real images, on the CPU."""

    train_features: Tensor
    test_features: Tensor
    test_logits: Tensor
    hf_share: Tensor
    test_distances: Tensor


class Reference:
    """A dataset, its protocol and its extractor.

    Args:
        images: the dataset, on the device of the evaluation.
        cache: folder in which the facts about real images are kept; nowhere if not given.

    """

    def __init__(self, images: ImageSet, cache: Path | None = None) -> None:
        # Real and generated features must come from the same arithmetic, here and in every command.
        torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
        self.images = images
        self.protocol: Protocol = PROTOCOLS[images.name]
        self.device = images.train.images.device
        self.extractor: HybridExtractor = load_extractor(self.protocol.extractor, self.device)
        self.train = Split(images.train.images.cpu(), images.train.labels.cpu())
        self.test = Split(images.test.images.cpu(), images.test.labels.cpu())
        self.test_x = to_range(self.test.images)
        facts = self._compute() if cache is None else self._cached(cache)
        self.train_features = facts.train_features
        self.test_features, self.test_logits = facts.test_features, facts.test_logits
        self._hf_share = facts.hf_share
        self.real = self.real_of(self.protocol.samples)
        self.real.test_distances = facts.test_distances
        self.light_real = self.real_of(self.protocol.light_samples)
        order = torch.randperm(len(self.test), generator=torch.Generator().manual_seed(SUBSET_SEED))
        self.light_test = order[: self.protocol.light_samples]

    @property
    def subset_size(self) -> int:
        """How many training images stand against as many samples."""
        return min(self.protocol.samples, len(self.train))

    def real_of(self, n: int) -> Real:
        """Return the training images with a subset of n: as many as there are samples."""
        real = Real(self.train.images, self.train_features, self.test_x, n)
        real.hf_share = self._hf_share
        return real

    def _cached(self, folder: Path) -> Facts:
        """Read the facts computed before under the same digest, or compute and keep them."""
        path = folder / f"{self.images.name}-{self._digest()}.safetensors"
        try:
            return Facts(**load_file(path))
        except (OSError, SafetensorError):  # absent, or cut short by a crash
            facts = self._compute()
            with whole(path) as draft:
                save_file({name: t.contiguous() for name, t in vars(facts).items()}, draft)
            return facts

    def _digest(self) -> str:
        """Digest of data, extractor, sizes, the code that reads them and the kind of device."""
        sha = hashlib.sha256()
        for part in (VERSION, DATASETS[self.images.name].digest, self.protocol, self.device.type):
            sha.update(repr(part).encode())
        for name in SOURCES:
            sha.update((Path(__file__).parent / name).read_bytes())
        return sha.hexdigest()[:16]

    def _compute(self) -> Facts:
        train_features, _ = extract(self.extractor, self.images.train.images)
        test_features, test_logits = extract(self.extractor, self.images.test.images)
        real = Real(self.train.images, train_features, self.test_x, self.protocol.samples)
        return Facts(train_features, test_features, test_logits, real.hf_share, real.test_distances)
