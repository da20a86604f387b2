"""Loss terms as pure functions of scores, each with its source.

Scores `s` are unbounded (before any sigmoid), one per sample, shape (N,). Every function returns a
scalar mean over the batch in nats or squared units. Names of papers: GAN (Goodfellow et al. 2014),
BiGAN (Donahue et al. 2017), GAN-QP (Su 2018), BigBiGAN (Donahue & Simonyan 2019).
"""

import torch.nn.functional as F
from torch import Tensor

NO_DISTANCE = 1e-8
"""Its square is still a number in single precision, which the gradient divides by."""


def called_real(s: Tensor) -> Tensor:
    """Return mean -log sigmoid(s): the cost of not calling these samples real (GAN, eq. 1)."""
    return F.softplus(-s).mean()


def called_fake(s: Tensor) -> Tensor:
    """Return mean -log(1 - sigmoid(s)): the cost of not calling these samples fake (GAN, eq. 1)."""
    return F.softplus(s).mean()


def bce(s: Tensor, target: float) -> Tensor:
    """Return the mean binary cross-entropy of sigmoid(s) with one (smoothed) target in [0, 1]."""
    return target * called_real(s) + (1 - target) * called_fake(s)


def hinge(s: Tensor, y: int) -> Tensor:
    """Return mean h(y s) with h(t) = max(0, 1 - t), for y of +1 or -1 (BigBiGAN, sec. 2)."""
    return F.relu(1 - y * s).mean()


def quadratic_potential(difference: Tensor, distance: Tensor, strength: float) -> Tensor:
    """Return mean_i D_i^2 / (2 lambda d_i), the penalty of GAN-QP (Su 2018).

    Where a pair is identical (d_i = 0) its D_i is 0 too, and 0/0 stands for the limit: 0, with no
    gradient. Distances below `NO_DISTANCE` are taken as that much; images never come so near by
    chance, so no other value moves.

    Args:
        difference: D_i = T(real_i) - T(fake_i), shape (N,).
        distance: d_i >= 0, the distance of the i-th pair, shape (N,). One per sample: a mean over
            the batch would be another loss.
        strength: lambda; its scale belongs to images in [-1, 1].

    Raises:
        ValueError: the shapes differ (a broadcast would pair every sample with every other).

    """
    if difference.shape != distance.shape or difference.ndim != 1:
        raise ValueError(
            f"expected two vectors of one length, got {tuple(difference.shape)} and "
            f"{tuple(distance.shape)}"
        )
    return (difference.square() / (2 * strength * distance.clamp(min=NO_DISTANCE))).mean()


def mean_absolute(a: Tensor, b: Tensor) -> Tensor:
    """Return the mean absolute difference over the batch and all dimensions."""
    return (a - b).abs().mean()


def mean_square(a: Tensor, b: Tensor) -> Tensor:
    """Return the mean squared difference over the batch and all dimensions."""
    return (a - b).square().mean()


def mean_absolute_each(a: Tensor, b: Tensor) -> Tensor:
    """Return the mean absolute difference over each sample's dimensions, shape (N,)."""
    return (a - b).abs().flatten(1).mean(1)
