"""Built failures: what metrics of images must see. Images are in [-1, 1], (N, 1, H, W)."""

from itertools import pairwise

import torch
from torch import Tensor

from benchmarks.evaluation.measures import Row
from benchmarks.evaluation.registry import METRICS


def noisy(x: Tensor, scale: float) -> Tensor:
    """Add Gaussian noise; its scale is in units of the range."""
    noise = torch.randn(x.shape, generator=torch.Generator().manual_seed(1))
    return (x + 2 * scale * noise).clamp(-1, 1)


def blurred(x: Tensor, amount: float = 1.0) -> Tensor:
    """Mix images with themselves under a 3 x 3 binomial filter."""
    kernel = torch.tensor([1.0, 2.0, 1.0]) / 4
    soft = torch.nn.functional.conv2d(
        torch.nn.functional.pad(x, (1, 1, 1, 1), mode="replicate"),
        torch.outer(kernel, kernel)[None, None],
    )
    return x + amount * (soft - x)


def repeated(x: Tensor, n: int) -> Tensor:
    """Return as many images, all of them copies of the first n."""
    return x[:n].repeat(-(-len(x) // n), 1, 1, 1)[: len(x)]


def truncated(x: Tensor, dimensions: int) -> Tensor:
    """Keep the first principal components: a blurry autoencoder."""
    rows, mean = x.flatten(1), x.flatten(1).mean(0)
    basis = torch.linalg.svd(rows - mean, full_matrices=False).Vh[:dimensions]
    return ((rows - mean) @ basis.T @ basis + mean).clamp(-1, 1).view_as(x)


def badness(rows: dict[str, Row], metric: str, case: str) -> float:
    """Return how bad a case is by the direction that the table of metrics states."""
    entry, value = METRICS[metric], rows[case].metrics[metric]
    if entry.direction == "target":
        assert entry.target is not None
        return abs(value - entry.target)
    return {"lower": value, "higher": -value}[entry.direction]


def assert_ordered(rows: dict[str, Row], metric: str, chain: tuple[str, ...]) -> None:
    """Assert that cases get worse from left to right."""
    found = [badness(rows, metric, case) for case in chain]
    assert all(a < b for a, b in pairwise(found)), dict(zip(chain, found, strict=True))
