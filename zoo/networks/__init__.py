"""Bodies of the shared networks, chosen by name; each body is one module of this package."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from importlib import import_module
from types import ModuleType

import torch
from torch import nn

from zoo.networks.spectral import spectral_norm


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

    @property
    def joint_critic(self) -> tuple[str, ...]:
        """Names of the networks that together score a pair (x, z).

        Trunks F and H with J on them, unless the body says `JOINT_CRITIC = ("D",)`: one D(x, z).
        """
        names: tuple[str, ...] = getattr(self._module, "JOINT_CRITIC", ("F", "H", "J", "s_xz"))
        return names

    @property
    def image_range(self) -> tuple[float, float]:
        """Range of the images G makes: [-1, 1] unless the body says `IMAGE_RANGE`."""
        bounds: tuple[float, float] = getattr(self._module, "IMAGE_RANGE", (-1.0, 1.0))
        return bounds

    def of_two(self) -> "Builder":
        """Return a builder of networks that see two images as one, and two latents as one.

        Images are concatenated along channels, latents along dimensions.
        """
        channels, height, width = self.image_shape
        return replace(
            self, image_shape=(2 * channels, height, width), latent_dim=2 * self.latent_dim
        )

    @property
    def _module(self) -> ModuleType:
        return import_module(f"zoo.networks.{self.body}")

    def __call__(self, *names: str, spectral: Iterable[str] = ()) -> dict[str, nn.Module]:
        """Build the named networks on the CPU; those in `spectral` with spectral norm."""
        spectral = frozenset(spectral)
        return {name: self._seeded(name, self._shared(name), name in spectral) for name in names}

    def head(self, name: str, like: nn.Module, outputs: int, spectral: bool) -> nn.Module:
        """Build a linear head, without bias, on the features that the head `like` reads."""
        assert isinstance(like, nn.Linear)
        features = like.in_features
        return self._seeded(name, lambda: nn.Linear(features, outputs, bias=False), spectral)

    def varied(self, downscale: int = 1, more_latents: int = 0) -> "Builder":
        """Return a builder for images `downscale` times smaller and latents so much longer.

        Raises:
            ValueError: the image's sides are no multiples of `downscale`.

        """
        channels, height, width = self.image_shape
        if downscale < 1 or height % downscale or width % downscale:
            raise ValueError(f"downscale={downscale} does not divide images of {height}x{width}")
        image_shape = (channels, height // downscale, width // downscale)
        return replace(self, image_shape=image_shape, latent_dim=self.latent_dim + more_latents)

    def _shared(self, name: str) -> Callable[[], nn.Module]:
        module = self._module
        return lambda: module.network(name, self.image_shape, self.latent_dim, self.width)

    def _seeded(self, name: str, make: Callable[[], nn.Module], spectral: bool) -> nn.Module:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.seed_of(name))
            network = make()
            if spectral:
                spectral_norm(network)
        return network
