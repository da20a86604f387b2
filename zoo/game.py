"""The contract: a family is players, turns and one loss per player.

A player's gradient is the gradient of the sum of its own terms with respect to its own parameters,
and nothing else. The training loop takes it, freezes what does not move, and takes the gradients of
all moving players before any optimiser steps. A family never routes gradients between players by
`detach`; a stop-gradient appears only where an equation has one.
"""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from zoo.contract import Batch, Clip, Losses, Player, Readout, Turn
from zoo.networks import Builder
from zoo.priors import Prior

ROLES = {
    **{"G": "generator", "E": "encoder", "mean": "encoder", "scale": "scale of its encoder"},
    **{"F": "critic of images", "s_x": "critic of images", "H": "critic of latents"},
    **{"s_z": "critic of latents", "J": "joint critic", "s_xz": "joint critic"},
    "D": "joint critic",
}
"""What a network is, by its name."""


class Game(nn.Module):
    """Base of all families: the networks, what they offer to an evaluation, and the contract.

    A family sets `players`, `turns` and, where it needs it, `noise`, and implements `losses`.
    Networks become attributes under their own names (`self.G`, `self.E`, ...). `image_range` is
    that of the images G makes, which its body knows; `zoo.build` sets it, and the shapes of images,
    (C, H, W), and of latents.

    Images that go in or out of the evaluation methods are in [-1, 1], whatever the game's own
    range; these methods leave train/eval mode and gradients to the caller.
    """

    players: Mapping[str, Player]
    turns: tuple[Turn, ...]
    noise: Mapping[str, tuple[int, ...]]
    image_range: tuple[float, float] = (-1.0, 1.0)
    image_shape: tuple[int, int, int] | None = None
    latent_dim: int | None = None

    G: nn.Module
    E: nn.Module
    mean: nn.Module
    scale: nn.Module
    F: nn.Module
    s_x: nn.Module
    H: nn.Module
    s_z: nn.Module
    J: nn.Module
    s_xz: nn.Module
    D: nn.Module

    def __init__(self, networks: Mapping[str, nn.Module], prior: Prior | None) -> None:
        super().__init__()
        self.prior = prior
        self.noise = {}
        for name, network in networks.items():
            self.add_module(name, network)

    def __getattr__(self, name: str) -> Any:
        """Name the network that a family does not have, and what it can do without."""
        try:
            return super().__getattr__(name)
        except AttributeError:
            if name not in ROLES:
                raise
            able = ", ".join(sorted(self.capabilities))
            raise AttributeError(
                f"{type(self).__name__} has no {ROLES[name]} (network {name}); it can: {able}"
            ) from None

    @property
    def networks(self) -> dict[str, nn.Module]:
        """Networks by name."""
        return {name: module for name, module in self._modules.items() if module is not None}

    def losses(self, turn: str, batch: Batch, step: int) -> Losses:
        """Return each moving player's terms, weighted, live and scalar."""
        raise NotImplementedError

    # The vocabulary of the family files.

    def infer(self, x: Tensor) -> Tensor:
        """E(x), or its mean where the encoder is stochastic: (N, C, H, W) -> (N, d)."""
        return self.squash(self.raw_code(x))

    def raw_code(self, x: Tensor) -> Tensor:
        """E(x) before it is squashed into the prior's support: (N, C, H, W) -> (N, d)."""
        raw: Tensor = self.mean(self.E(x))
        return raw

    def squash(self, raw: Tensor) -> Tensor:
        """Map codes into the prior's support, if there is a prior: (N, d) -> (N, d)."""
        return raw if self.prior is None else self.prior.squash(raw)

    def score_image(self, x: Tensor) -> Tensor:
        """s_x(F(x)): (N, C, H, W) -> (N,)."""
        s: Tensor = self.s_x(self.F(x))
        return s.squeeze(1)

    def score_latent(self, z: Tensor) -> Tensor:
        """s_z(H(z)): (N, d) -> (N,)."""
        s: Tensor = self.s_z(self.H(z))
        return s.squeeze(1)

    def score_pair(self, x: Tensor, z: Tensor) -> Tensor:
        """D(x, z), or s_xz(J(F(x), H(z))) where the body has trunks to share: -> (N,)."""
        whole = "D" in self.networks
        s: Tensor = self.D(x, z) if whole else self.s_xz(self.J(self.F(x), self.H(z)))
        return s.squeeze(1)

    # What a game offers to the evaluation.

    @property
    def capabilities(self) -> frozenset[str]:
        """Names of the methods below that this game can answer."""
        has = self.networks.keys()
        able = set()
        if "G" in has:
            able.add("generate")
        if self.prior is not None:
            able.add("sample_prior")
        if "mean" in has:
            able |= {"encode", "features"}
        if {"generate", "encode"} <= able:
            able.add("reconstruct")
        if has & {"s_x", "s_z", "s_xz", "D"}:
            able.add("score")
        return frozenset(able)

    def readouts(self) -> dict[str, Readout]:
        """Further rows of the same training, by name."""
        return {}

    def sample_prior(
        self, n: int, generator: torch.Generator, truncation: float | None = None
    ) -> Tensor:
        """Draw (n, d) from p(z) on the generator's device.

        Raises:
            ValueError: the game has no prior, or it cannot be truncated.

        """
        if self.prior is None:
            raise ValueError(f"{type(self).__name__} has no prior to sample from")
        return self.prior.sample(n, generator, truncation)

    def generate(self, z: Tensor) -> Tensor:
        """G(z) in [-1, 1]: (N, d) -> (N, C, H, W).

        Raises:
            ValueError: latents of another dimension.

        """
        low, high = self.image_range
        x: Tensor = self.G(self._checked(z))
        return (x - low) * (2 / (high - low)) - 1

    def encode(
        self, x: Tensor, sample: bool = False, generator: torch.Generator | None = None
    ) -> Tensor:
        """E(x) of images in [-1, 1]; the mean, or a draw of q(z|x) with `sample`."""
        return self.infer(self._inner(x))

    def features(self, x: Tensor) -> Tensor:
        """The layer before E's output: (N, C, H, W) -> (N, w)."""
        features: Tensor = self.E(self._inner(x))
        return features

    def reconstruct(self, x: Tensor) -> Tensor:
        """G(E(x)) in [-1, 1]."""
        return self.generate(self.encode(x))

    def score(self, x: Tensor, z: Tensor) -> Tensor:
        """The sum of the game's scores of (x, z), (N,): high where critics see real data."""
        has = self.networks.keys()
        x, total = self._inner(x), torch.zeros(len(x), device=x.device)
        if "s_x" in has:
            total = total + self.score_image(x)
        if "s_z" in has:
            total = total + self.score_latent(z)
        if has & {"s_xz", "D"}:
            total = total + self.score_pair(x, z)
        return total

    def _checked(self, z: Tensor) -> Tensor:
        if self.latent_dim is not None and z.shape[1:] != (self.latent_dim,):
            raise ValueError(f"latents must be (N, {self.latent_dim}), got {tuple(z.shape)}")
        return z

    def _inner(self, x: Tensor) -> Tensor:
        """Return images in the game's own range; refuse those of another shape."""
        if self.image_shape is not None and x.shape[1:] != self.image_shape:
            shape = ", ".join(map(str, ("N", *self.image_shape)))
            raise ValueError(f"images must be ({shape}), got {tuple(x.shape)}")
        low, high = self.image_range
        return (x + 1) * ((high - low) / 2) + low


def start_at_zero(network: nn.Module) -> None:
    """Set a network's last linear layer to zero, so that it says 0 whatever it is shown."""
    last = [layer for layer in network.modules() if isinstance(layer, nn.Linear)][-1]
    for parameter in last.parameters():
        nn.init.zeros_(parameter)


class StochasticEncoder(Game):
    """A game whose encoder is q(z|x) = N(mean, scale(x)^2), if it has a scale head.

    `scale_of` is the family's choice; without the head the encoder is deterministic.
    """

    def scale_of(self, raw: Tensor) -> Tensor:
        """Turn the scale head's output into a positive scale."""
        raise NotImplementedError

    def draw(self, x: Tensor, noise: Tensor) -> Tensor:
        """E(x) = mean + scale * noise, the reparameterised draw; noise is N(0, I), (N, d).

        Squashed into the prior's support, as the mean is.
        """
        hidden = self.E(x)
        return self.squash(self.mean(hidden) + self.scale_of(self.scale(hidden)) * noise)

    def encode(
        self, x: Tensor, sample: bool = False, generator: torch.Generator | None = None
    ) -> Tensor:
        """E(x): the mean, or with `sample` one draw with noise from `generator`."""
        if not sample or "scale" not in self.networks:
            return self.infer(self._inner(x))
        mean = self.infer(self._inner(x))
        noise = torch.randn(mean.shape, generator=generator, device=mean.device)
        return self.draw(self._inner(x), noise)


__all__ = [
    "Batch",
    "Builder",
    "Clip",
    "Game",
    "Losses",
    "Player",
    "Readout",
    "StochasticEncoder",
    "Turn",
    "start_at_zero",
]
