"""Games of networks so simple that losses and gradients can be worked out on paper.

Images have two pixels and latents two dimensions. Every network holds one weight `w` = 1 that
multiplies its output, so a player's gradient is one number per network:

    G(z) = 2 z,  mean(E(x)) = x / 4,  raw scale = log 2,  s_x = sum x,  s_xz = sum x + sum z
"""

import math
from collections.abc import Callable, Iterable

import torch
from torch import Tensor, nn

from zoo.build import family_class
from zoo.game import Batch, Game
from zoo.priors import Normal, Prior

X = torch.tensor([[1.0, 0.5], [-1.0, 1.0]]).reshape(2, 1, 1, 2)
Z = torch.tensor([[0.5, 0.0], [0.0, -0.25]])
NOISE = torch.tensor([[0.5, 0.0], [-0.25, 0.0]])


class Times(nn.Module):
    """w f(...), with w = 1."""

    def __init__(self, f: Callable[..., Tensor]) -> None:
        super().__init__()
        self.w, self.f = nn.Parameter(torch.ones(())), f

    def forward(self, *inputs: Tensor) -> Tensor:
        return self.w * self.f(*inputs)


NETWORKS: dict[str, Callable[..., Tensor]] = {
    "G": lambda z: 2 * z.reshape(-1, 1, 1, 2),
    "E": lambda x: x.flatten(1),
    "mean": lambda h: h / 4,
    "scale": lambda h: torch.full_like(h, math.log(2)),
    "F": lambda x: x.flatten(1),
    "s_x": lambda f: f.sum(1, keepdim=True),
    "H": lambda z: z,
    "s_z": lambda h: h.sum(1, keepdim=True),
    "J": lambda f, h: f + h,
    "s_xz": lambda j: j.sum(1, keepdim=True),
}


class HandBuilder:
    """Stand in for the Builder."""

    joint_critic = ("F", "H", "J", "s_xz")
    image_shape = (1, 1, 2)

    def __call__(self, *names: str, spectral: Iterable[str] = ()) -> dict[str, nn.Module]:
        return {name: Times(NETWORKS[name]) for name in names}


def hand_game(family: str, prior: Prior | None = None, **options: object) -> Game:
    """Return a family's game over these networks."""
    make: Callable[..., Game] = family_class(family, options)
    return make(HandBuilder(), prior or Normal(2), **options)


def hand_losses(game: Game, turn: str) -> dict[str, dict[str, Tensor]]:
    """Return a turn's terms on X, Z and NOISE."""
    noise = dict.fromkeys(game.noise, NOISE)
    return game.losses(turn, Batch(X, torch.zeros(2), Z, noise), 0)


def values(terms: dict[str, Tensor]) -> dict[str, float]:
    """Return the terms as numbers."""
    return {name: term.item() for name, term in terms.items()}


def gradient(game: Game, loss: Tensor, network: str) -> float:
    """Return d loss / d w of one network; 0 where it has no part."""
    (found,) = torch.autograd.grad(
        loss, [game.networks[network].w], retain_graph=True, allow_unused=True
    )
    return 0.0 if found is None else found.item()
