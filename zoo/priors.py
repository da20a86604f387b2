"""Priors p(z) on the latent space."""

from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor


class Prior(Protocol):
    """A distribution on latents of `dim` independent coordinates."""

    dim: int

    def sample(self, n: int, generator: torch.Generator, truncation: float | None = None) -> Tensor:
        """Draw (n, dim) latents on the generator's device."""
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


PRIORS = {"normal": Normal, "uniform": Uniform}
