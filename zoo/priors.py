"""Priors p(z) on the latent space."""

from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

from zoo.losses import mean_square


class Prior(Protocol):
    """A distribution on latents of `dim` independent coordinates."""

    dim: int

    def sample(self, n: int, generator: torch.Generator, truncation: float | None = None) -> Tensor:
        """Draw (n, dim) latents on the generator's device."""
        ...

    def squash(self, raw: Tensor) -> Tensor:
        """Map an encoder's unbounded output into the support, (N, dim) -> (N, dim)."""
        ...

    def regression(self, z: Tensor, raw: Tensor) -> Tensor:
        """Return the cost of saying `raw` (before `squash`) where z was drawn; a scalar."""
        ...


@dataclass(frozen=True)
class Normal:
    """N(0, I)."""

    dim: int

    def sample(self, n: int, generator: torch.Generator, truncation: float | None = None) -> Tensor:
        """Draw (n, dim); `truncation` redraws every coordinate beyond ± truncation.

        Truncated sampling is BigGAN's trick (Brock et al. 2019, section 3.1): less diverse, more
        typical samples.
        """
        z = torch.randn(n, self.dim, generator=generator, device=generator.device)
        if truncation is None:
            return z
        if truncation <= 0:
            raise ValueError(f"truncation must be positive, got {truncation}")
        while (outside := z.abs() > truncation).any():
            fresh = torch.randn(z.shape, generator=generator, device=generator.device)
            z = torch.where(outside, fresh, z)
        return z

    def squash(self, raw: Tensor) -> Tensor:
        """Return the output as it is: the support is everything."""
        return raw

    def regression(self, z: Tensor, raw: Tensor) -> Tensor:
        """Return the mean squared error: 1 for a constant 0, and 0 at best."""
        return mean_square(z, raw)


@dataclass(frozen=True)
class Uniform:
    """U(-1, 1) in every coordinate."""

    dim: int

    def sample(self, n: int, generator: torch.Generator, truncation: float | None = None) -> Tensor:
        """Draw (n, dim); a bounded prior has no tails, so truncation is refused."""
        if truncation is not None:
            raise ValueError("truncated sampling is defined for a Gaussian prior only")
        z = torch.rand(n, self.dim, generator=generator, device=generator.device)
        return 2 * z - 1

    def squash(self, raw: Tensor) -> Tensor:
        """Return 2 sigmoid(raw) - 1 = tanh(raw / 2), as in Donahue et al. 2017."""
        return torch.tanh(raw / 2)

    def regression(self, z: Tensor, raw: Tensor) -> Tensor:
        """Return the mean cross-entropy of (z + 1) / 2 and sigmoid(raw), in nats per dimension.

        ln 2 for a constant 0; 1/2 at best, the mean entropy of a coin whose bias is uniform
        (Donahue et al. 2017, the authors' code).
        """
        return binary_cross_entropy_with_logits(raw, (z + 1) / 2)


PRIORS = {"normal": Normal, "uniform": Uniform}
