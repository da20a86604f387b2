"""BigBiGAN whose encoder sees images at a higher resolution than G makes them.

Donahue & Simonyan 2019, https://arxiv.org/abs/1907.02544, section 3 ("high-resolution E, varying
G"): E sees images at full size. G and the critics work at a lower one; the critics see real images
average-pooled, as in the authors' demo.
"""

from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d, interpolate

from zoo.families.bigbigan import BigBiGAN
from zoo.game import Builder
from zoo.priors import Prior


class LowResolutionG(BigBiGAN):
    """BigBiGAN with G and the critics at 1 / `downscale` of E's resolution.

    Args:
        build: makes the networks.
        prior: p(z).
        downscale: E's resolution over that of G and the critics.
        options: BigBiGAN's, and those of its other variants.

    Raises:
        ValueError: `downscale` does not divide the images' sides.

    """

    def __init__(self, build: Builder, prior: Prior, downscale: int = 1, **options: Any) -> None:
        super().__init__(build.varied(downscale), prior, **options)
        self.downscale = downscale
        for name in ("E", "mean", "scale"):  # these at full resolution
            if name in self.networks:
                self.add_module(name, build(name)[name])

    def seen(self, x: Tensor) -> Tensor:
        """Real images at the critics' resolution."""
        return avg_pool2d(x, self.downscale) if self.downscale > 1 else x

    def generate(self, z: Tensor) -> Tensor:
        """G(z) at E's resolution."""
        x = super().generate(z)
        return interpolate(x, scale_factor=self.downscale) if self.downscale > 1 else x

    def score(self, x: Tensor, z: Tensor) -> Tensor:
        """The sum of the scores of (x, z), the critics at their own resolution."""
        classes = torch.zeros(len(x), dtype=torch.long, device=x.device)
        s_xz, s_x, s_z = self.scores(self.seen(self._inner(x)), z, classes)
        total = torch.zeros(len(x), device=x.device)
        for s in (s_x, s_z, s_xz):
            total = total if s is None else total + s
        return total


Variant = LowResolutionG
