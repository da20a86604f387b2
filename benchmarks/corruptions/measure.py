"""What each metric reacts to: `python -m benchmarks.corruptions.measure mnist --data DIR`.

Damages real images in known ways, measures them as samples and as reconstructions, and writes
docs/corruptions/<dataset>.md. A metric earns its place by what it sees here, and its blind spots
are the reason why it never stands alone.
"""

import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import partial
from math import ceil
from pathlib import Path
from typing import Annotated

import torch
import typer
from torch import Tensor
from torch.nn.functional import pad
from torchvision.transforms.functional import gaussian_blur

from benchmarks.common.files import write_text
from benchmarks.corruptions.page import Line, Lines, Sizes, page
from benchmarks.evaluation import questions as q
from benchmarks.evaluation.controls import reconstructed, reconstructing_pca
from benchmarks.evaluation.measures import Measures, given, measure
from benchmarks.evaluation.real_data import Real, Reference
from datasets.images import to_range
from datasets.loading import load

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "corruptions"
SEED = 9
LOST, ONLY, RARE, MIXED = 7, 3, 10, 10
"""A class to lose or thin out to a tenth, another to keep alone; every tenth image is noise."""
BLACK = -1.0
SIZES = {
    # By the share of the picture, a pixel is three and a half times as wide on 8 x 8.
    "digits": Sizes(blurs=(0.4, 0.6, 0.8), repeats=(100, 10), pca=10, components=(20, 10, 5)),
    "mnist": Sizes(
        blurs=(0.5, 0.75, 1.0), repeats=(1000, 100, 10), pca=20, components=(100, 50, 20)
    ),
}
Change = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class Damaged:
    """Images to be measured, made when they are asked for.

    Attributes:
        make: gives them in [-1, 1], (N, C, H, W).
        count: how many, in words.
        kept: share of real images whose class is among them.

    """

    make: Callable[[], Tensor]
    count: str
    kept: float = 1.0


class Halves:
    """A random half of the training images to take samples from, and the other to compare with."""

    def __init__(self, reference: Reference) -> None:
        self.reference, train = reference, reference.train
        order = torch.randperm(len(train), generator=torch.Generator().manual_seed(SEED))
        half = len(train) // 2
        self.pool, self.others = order[:half], order[half:]
        self.labels = train.labels[self.pool]
        self.n = min(reference.protocol.samples, half)
        features = reference.train_features
        self.real = Real(train.images[self.others], features[self.others], reference.test_x, self.n)
        self.real.hf_share = reference.real.hf_share[self.others]
        self.least = 10 * features.shape[1]
        """Samples that FID needs."""

    def where(self, chosen: Tensor) -> Tensor:
        """Return the first n places in the pool at which a mask is true, or all if fewer."""
        return chosen.nonzero()[:, 0][: self.n]

    def changed(self, change: Change | None = None, places: Tensor | None = None) -> Damaged:
        """Return images at some places of the pool (the first n), changed.

        Too few for FID are repeated until there are n.
        """
        places = torch.arange(self.n) if places is None else places
        count = f"{len(places):,}"
        if len(places) < self.least:
            places, count = self._repeated(places), f"{self.n:,} of {count}"
        chosen = self.pool[places]
        labels = self.reference.train.labels
        kept = torch.isin(labels, self.labels[places]).double().mean()

        def make() -> Tensor:
            x = to_range(self.reference.train.images[chosen])
            return x if change is None else change(x)

        return Damaged(make, count, float(kept))

    def thinned(self) -> Tensor:
        """Return n places at which one class has a tenth of its rate."""
        rare = self.labels == LOST
        return self.where(~rare | (rare.cumsum(0) % RARE == 0))

    def repeats(self, k: int) -> Damaged:
        """Return n images of which only k differ, of each class as many, in equal shares."""
        rank = torch.empty_like(self.labels)
        for label in set(self.labels.tolist()):
            own = self.labels == label
            rank[own] = torch.arange(int(own.sum()))
        balanced = torch.argsort(rank, stable=True)[:k]
        return Damaged(self.changed(None, self._repeated(balanced)).make, f"{self.n:,} of {k:,}")

    def _repeated(self, places: Tensor) -> Tensor:
        return places.repeat(-(-self.n // len(places)))[: self.n]


def sample_sets(halves: Halves, sizes: Sizes) -> dict[str, Damaged]:
    """Return corruption -> samples, from half of the training images unless it says otherwise."""
    reference, labels, made = halves.reference, halves.labels, halves.changed
    x, n, real = reference.test_x, halves.n, halves.real
    mean = to_range(reference.train.images).mean(0, keepdim=True)
    return {
        "clean": made(),
        "test images": Damaged(lambda: x, f"{len(x):,}"),
        **{sizes.noise_of(s): made(partial(noisy, scale=s)) for s in sizes.noises},
        **{sizes.blur_of(s): made(partial(blurred, sigma=s)) for s in sizes.blurs},
        "one class at a tenth": made(places=halves.thinned()),
        "one class lost": made(places=halves.where(labels != LOST)),
        "five classes lost": made(places=halves.where(labels < 5)),
        "one class only": made(places=halves.where(labels == ONLY)),
        **{sizes.repeats_of(k): halves.repeats(k) for k in sizes.repeats},
        "10 % noise images": made(mixed),
        sizes.pca_of(sizes.pca): made(partial(squeezed, reference=reference, dimensions=sizes.pca)),
        "shift by 1 px": made(partial(shifted, pixels=1)),
        "memorised": Damaged(lambda: real.subset, f"{n:,}"),
        "mean image": Damaged(lambda: mean.expand(n, *x.shape[1:]), f"{n:,} of 1"),
    }


def reconstruction_sets(reference: Reference, sizes: Sizes) -> dict[str, Damaged]:
    """Return corruption -> "reconstructions" of all test images."""
    x, labels, count = reference.test_x, reference.test.labels, f"{len(reference.test_x):,}"
    # Two places on: the ratios' own baseline is the image one place on.
    mean, other = to_range(reference.train.images).mean(0, keepdim=True), x.roll(-2, dims=0)
    changes: dict[str, Callable[[], Tensor]] = {
        "identity": lambda: x,
        **{sizes.blur_of(s): partial(blurred, x, s) for s in (sizes.blurs[0], sizes.blurs[-1])},
        **{sizes.pca_of(d): partial(squeezed, x, reference, d) for d in sizes.components},
        sizes.noise_of(sizes.noises[1]): partial(noisy, x, sizes.noises[1]),
        "average with another": lambda: (x + other) / 2,
        "shift by 1 px": partial(shifted, x, 1),
        "shift by 2 px": partial(shifted, x, 2),
        "mean image": lambda: mean.expand_as(x),
        "another of its class": lambda: x[next_of_class(labels)],
        "black image": lambda: torch.full_like(x, BLACK),
        "random other image": lambda: other,
    }
    return {name: Damaged(make, count) for name, make in changes.items()}


def noisy(x: Tensor, scale: float) -> Tensor:
    """Add Gaussian noise; its standard deviation is in units of the whole range of pixels."""
    noise = torch.randn(x.shape, generator=torch.Generator().manual_seed(SEED))
    return (x + 2 * scale * noise).clamp(-1, 1)


def blurred(x: Tensor, sigma: float) -> Tensor:
    """Apply a Gaussian blur, sigma in pixels."""
    blurred: Tensor = gaussian_blur(x, [2 * ceil(3 * sigma) + 1] * 2, [sigma] * 2)
    return blurred


def squeezed(x: Tensor, reference: Reference, dimensions: int) -> Tensor:
    """Return images after the way through principal components of the training images."""
    return reconstructed(reconstructing_pca(reference.train, dimensions), x)


def shifted(x: Tensor, pixels: int) -> Tensor:
    """Move images to the right, black behind them."""
    return pad(x, (pixels, -pixels), value=BLACK)


def mixed(x: Tensor) -> Tensor:
    """Replace every tenth image by uniform noise."""
    x, generator = x.clone(), torch.Generator().manual_seed(SEED)
    x[::MIXED] = torch.rand(x[::MIXED].shape, generator=generator) * 2 - 1
    return x


def next_of_class(labels: Tensor) -> Tensor:
    """Return for each image the place of the next one of its class, round and round."""
    places = torch.empty_like(labels)
    for label in set(labels.tolist()):
        own = (labels == label).nonzero()[:, 0]
        places[own] = own.roll(-1)
    return places


def measured(
    sets: Mapping[str, Damaged],
    measures: Callable[[Callable[[], Tensor]], Measures],
    only: Collection[str] | None = None,
) -> Lines:
    """Measure sets of images, all metrics or some, and print what is done."""
    lines = {}
    for name, images in sets.items():
        start, x = time.perf_counter(), images.make()
        row = measure(measures(given(x)), only)
        lines[name] = Line(images.count, images.kept, row.metrics, row.undefined)
        print(f"{name}: {time.perf_counter() - start:.0f} s", flush=True)
    return lines


def main(dataset: str, data: Annotated[Path | None, typer.Option()] = None) -> None:
    """Write the page of a dataset."""
    reference, sizes = Reference(load(dataset, data)), SIZES[dataset]
    halves = Halves(reference)
    samples = measured(
        sample_sets(halves, sizes), lambda x: q.of_samples(x, reference, halves.real)
    )
    reconstructions = measured(
        reconstruction_sets(reference, sizes), lambda x: q.of_reconstructions(x, reference)
    )
    text = page(dataset, sizes, halves.n, len(halves.others), samples, reconstructions)
    write_text(FOLDER / f"{dataset}.md", text)


if __name__ == "__main__":
    typer.run(main)
