"""BigBiGAN whose generator and image score know the class c of an image.

As in small re-implementations of BigBiGAN: G(z, c), and a projection v_c . F(x) added to s_x
(Miyato & Koyama 2018, "cGANs with Projection Discriminator",
https://arxiv.org/abs/1802.05637). The paper's BigBiGAN (https://arxiv.org/abs/1907.02544) is
unconditional.
"""

from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from zoo.families.bigbigan import BigBiGAN
from zoo.game import Builder
from zoo.priors import Prior


class ClassConditional(BigBiGAN):
    """BigBiGAN with G(z, c) and s_x(x, c).

    Args:
        build: makes the networks.
        prior: p(z).
        classes: condition G and s_x on this many classes; 0 is unconditional.
        options: BigBiGAN's.

    Raises:
        ValueError: `classes` is negative, or there is no s_x to see them.

    """

    def __init__(self, build: Builder, prior: Prior, classes: int = 0, **options: Any) -> None:
        super().__init__(build, prior, **options)
        if classes < 0 or (classes and not self.unary_x):
            raise ValueError("classes must be 0, or positive and with unary_x, which sees them")
        self.classes = classes
        if classes:
            self.G = build.varied(more_latents=classes)("G")["G"]
            spectral = options.get("spectral", True)
            self.add_module("s_xc", build.head("s_xc", self.s_x, classes, spectral))
            critics = self.players["discriminator"]
            owned = replace(critics, networks=(*critics.networks, "s_xc"))
            self.players = {**self.players, "discriminator": owned}

    def sample(self, z: Tensor, c: Tensor) -> Tensor:
        """G(z, c): (N, d), (N,) -> (N, C, H, W)."""
        return super().sample(torch.cat([z, self._one_hot(c)], 1) if self.classes else z, c)

    def score_features(self, f: Tensor, c: Tensor) -> Tensor:
        """(a + v_c) . F(x): (N, w), (N,) -> (N,)."""
        s = super().score_features(f, c)
        if self.classes:
            s_xc = self.get_submodule("s_xc")(f)
            s = s + (s_xc * self._one_hot(c)).sum(1)
        return s

    def _one_hot(self, c: Tensor) -> Tensor:
        return (c.unsqueeze(1) == torch.arange(self.classes, device=c.device)).float()

    @property
    def capabilities(self) -> frozenset[str]:
        """What the base says, less what would need an image's class."""
        return super().capabilities - ({"reconstruct", "score"} if self.classes else set())

    def generate(self, z: Tensor) -> Tensor:
        """G(z, c); the classes take turns along the batch."""
        classes = torch.arange(len(z), device=z.device) % max(1, self.classes)
        return self.sample(self._checked(z), classes)


Variant = ClassConditional
