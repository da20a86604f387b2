"""WGAN-GP: a critic held to slope 1 by a penalty on the norm of its gradient.

Gulrajani et al. 2017, "Improved Training of Wasserstein GANs", https://arxiv.org/abs/1704.00028:

    f = argmin E[ f(G(z)) - f(x) + lambda (||grad f(x_mix)||_2 - 1)^2 ]
    G = argmin E[ -f(G(z)) ]
    x_mix = e x + (1 - e) G(z),  e from U[0, 1], one number per image

As in the paper, the i-th real image is mixed with the i-th fake, the norm is over all pixels of one
image, gradients smaller than 1 cost as well as larger ones, f moves five times for each time G
does, and Adam has the values of Algorithm 1. f has no sigmoid: it is a score without bounds.

Deviations of the controlled tier: the shared networks and prior instead of residual networks or
DCGAN's; the critic has nothing in the place of the paper's layer normalisation. Neither may have
batch norm, under which the score of one image depends on the others and there is no gradient of
its own to penalise: bodies that have it in the critic are refused. G has batch norm.
"""

import torch
from torch import Tensor, nn

from zoo.game import Batch, Builder, Game, Losses, Player, Turn
from zoo.priors import Prior


class WGANGP(Game):
    """G against an image critic f(x) = s_x(F(x)).

    Args:
        build: makes the networks.
        prior: p(z).
        penalty: lambda of the gradient penalty.

    Raises:
        ValueError: the critic has batch norm.

    """

    def __init__(self, build: Builder, prior: Prior, penalty: float = 10.0) -> None:
        critic = ("F", "s_x")
        super().__init__(build("G", *critic), prior)
        layers = [layer for name in critic for layer in self.networks[name].modules()]
        if any(isinstance(layer, (nn.BatchNorm1d, nn.BatchNorm2d)) for layer in layers):
            raise ValueError(
                "WGAN-GP penalises the gradient of each image's own score, which a critic with "
                "batch norm does not have; choose another body"
            )
        self.penalty = penalty
        self.noise = {"mixing": (1,)}
        self.players = {
            "critic": Player(critic, lr=1e-4, betas=(0.0, 0.9)),
            "generator": Player(("G",), lr=1e-4, betas=(0.0, 0.9)),
        }
        # Five critic steps to one of G, each on fresh x, z and e.
        self.turns = (Turn("critic", ("critic",), repeats=5), Turn("generator", ("generator",)))

    def losses(self, turn: str, batch: Batch, step: int) -> Losses:
        """Return the moving player's terms."""
        x, x_hat = batch.x, self.G(batch.z)
        s_fake = self.score_image(x_hat).mean()
        if turn == "generator":
            # L_G = -E f(G(z))
            return {"generator": {"adversarial": -s_fake}}
        # A draw put through its own distribution function is uniform: e = Phi(n), n from N(0, 1).
        mixing = torch.special.ndtr(batch.noise["mixing"]).reshape(-1, 1, 1, 1)
        slope = self._slope(mixing * x + (1 - mixing) * x_hat)
        return {
            "critic": {
                # E f(G(z)) - E f(x), minus the estimate of the Wasserstein distance
                "difference": s_fake - self.score_image(x).mean(),
                # lambda E (||grad f(x_mix)||_2 - 1)^2
                "penalty": self.penalty * (slope - 1).square().mean(),
            }
        }

    def _slope(self, x: Tensor) -> Tensor:
        """Return ||grad f(x_i)||_2 of each image, (N,), with gradients to the critic's weights."""
        # No score depends on another image, so the sum's gradient holds the gradient of each.
        gradient = torch.func.grad(lambda images: self.score_image(images).sum())(x)
        norms: Tensor = torch.linalg.vector_norm(gradient.flatten(1), dim=1)
        return norms


TITLE, COLOUR = "WGAN-GP", "#5A2D0C"
LABELS = {
    "difference": "score of fake minus score of real",
    "penalty": "distance of the gradient's norm from 1, squared",
    "adversarial": "minus score of fake",
}
Family = WGANGP
