"""Bodies of the shared networks, chosen by name; each body is one module of this package."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib import import_module

import torch
from torch import nn
from torch.nn.utils.parametrizations import spectral_norm


@dataclass(frozen=True)
class Builder:
    """Makes networks by name, each from its own seed.

    A network's first weights depend on (seed, name) alone, so G and E start from the same weights
    in every family, and building one network more or less moves no other.

    Attributes:
        body: a module of this package, with a function `network`.
        image_shape: (channels, height, width).
        latent_dim: dimensions of z.
        width: units of the widest hidden layers.
        seed_of: network name -> integer seed.

    """

    body: str
    image_shape: tuple[int, int, int]
    latent_dim: int
    width: int
    seed_of: Callable[[str], int]

    def __call__(self, *names: str, spectral: Iterable[str] = ()) -> dict[str, nn.Module]:
        """Build the named networks on the CPU; those in `spectral` with spectral norm."""
        spectral = frozenset(spectral)
        return {name: self._build(name, name in spectral) for name in names}

    def _build(self, name: str, spectral: bool) -> nn.Module:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.seed_of(name))
            network: nn.Module = import_module(f"zoo.networks.{self.body}").network(
                name, self.image_shape, self.latent_dim, self.width
            )
            if spectral:
                for layer in network.modules():
                    if isinstance(layer, (nn.Linear, nn.Conv2d)):
                        spectral_norm(layer)
        return network
