"""Critics of two separated supports in the plane, and the gradient they give to a generator.

The generator only shifts a blob of points, so its gradient is one vector. Critics are trained
side by side: M, the leading dimension of every tensor, counts pairs of a seed and a distance, and
no critic sees another's numbers. A seed has its blob, direction and first weights at all distances.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import tau
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import leaky_relu
from torch.optim import Adam

from zoo.losses import called_fake, called_real, mean_absolute_each, quadratic_potential

POINTS, SPREAD = 32, 0.05
"""Points of a support and their standard deviation, a tenth of the smallest distance."""
HIDDEN, LEAK, RATE = 64, 0.2, 1e-3
"""Units of both hidden layers, slope of a leaky ReLU below 0, learning rate of Adam."""
PENALTY, STRENGTH = 10.0, 10.0
"""Weight of WGAN's gradient penalty, lambda of GAN-QP."""

Weights = dict[str, Tensor]


class Scene(NamedTuple):
    """What a critic is trained on.

    Attributes:
        real: points, (M, N, 2).
        fake: the same points, shifted, (M, N, 2).
        between: one point on the way from each real point to a random fake one, (M, N, 2).
        apart: mean absolute difference of every real and every fake point, (M, N * N).

    """

    real: Tensor
    fake: Tensor
    between: Tensor
    apart: Tensor


def scene(distances: Sequence[float], seeds: Sequence[int]) -> Scene:
    """Return supports for each seed at each distance, M = seeds x distances."""
    real, fake = [], []
    for seed in seeds:
        random = torch.Generator().manual_seed(seed)
        blob = SPREAD * torch.randn(POINTS, 2, generator=random)
        angle = tau * torch.rand((), generator=random)
        direction = torch.stack([angle.cos(), angle.sin()])
        real += [blob for _ in distances]
        fake += [blob + distance * direction for distance in distances]
    x, y = torch.stack(real), torch.stack(fake)
    return Scene(x, y, x, torch.vmap(_apart)(x, y))


def _apart(real: Tensor, fake: Tensor) -> Tensor:
    """Return the distance of every real (N, 2) and every fake point (N, 2), (N * N,)."""
    return mean_absolute_each(real.repeat_interleave(len(fake), dim=0), fake.repeat(len(real), 1))


def first_weights(seeds: Sequence[int], copies: int) -> Weights:
    """Return PyTorch's usual first weights of each seed's critic, `copies` times, (M, ...)."""
    networks = []
    for seed in seeds:
        random, network = torch.Generator().manual_seed(10_000 + seed), {}
        for layer, (inputs, outputs) in enumerate(((2, HIDDEN), (HIDDEN, HIDDEN), (HIDDEN, 1))):
            for name, shape in ((f"w{layer}", (inputs, outputs)), (f"b{layer}", (outputs,))):
                drawn = 2 * torch.rand(*shape, generator=random) - 1
                network[name] = drawn / inputs**0.5
        networks += [network] * copies
    return {name: torch.stack([one[name] for one in networks]) for name in networks[0]}


def score(weights: Weights, x: Tensor) -> Tensor:
    """Return T of one critic at points (N, 2), (N,)."""
    hidden = leaky_relu(torch.addmm(weights["b0"], x, weights["w0"]), LEAK)
    hidden = leaky_relu(torch.addmm(weights["b1"], hidden, weights["w1"]), LEAK)
    return torch.addmm(weights["b2"], hidden, weights["w2"]).squeeze(1)


def slope(weights: Weights, x: Tensor) -> Tensor:
    """Return the norm of T's gradient at each of the points (N, 2), (N,)."""
    gradient = torch.func.grad(lambda points: score(weights, points).sum())(x)
    norm: Tensor = torch.linalg.vector_norm(gradient, dim=1)
    return norm


def _gan(weights: Weights, one: Scene) -> Tensor:
    """Return -E log D(x) - E log(1 - D(G(z))), D the sigmoid of T."""
    return called_real(score(weights, one.real)) + called_fake(score(weights, one.fake))


def _wgan_gp(weights: Weights, one: Scene) -> Tensor:
    """Return E T(G(z)) - E T(x) + penalty E (||grad T(between)|| - 1)^2."""
    difference = score(weights, one.fake).mean() - score(weights, one.real).mean()
    return difference + PENALTY * (slope(weights, one.between) - 1).square().mean()


def _gan_qp(weights: Weights, one: Scene) -> Tensor:
    """Return -E [dT - dT^2 / (2 lambda d)] over all pairs, which random pairing has on average."""
    difference = (score(weights, one.real)[:, None] - score(weights, one.fake)).flatten()
    return quadratic_potential(difference, one.apart, STRENGTH) - difference.mean()


CRITIC_LOSSES = {"gan": _gan, "wgan_gp": _wgan_gp, "gan_qp": _gan_qp}


@dataclass(frozen=True)
class Rule:
    """How a generator is trained.

    Attributes:
        critic: key of `CRITIC_LOSSES`.
        loss: the generator's loss, of the scores of its points (N,).

    """

    critic: str
    loss: Callable[[Tensor], Tensor]


RULES: Mapping[str, Rule] = {
    # E log(1 - D(G(z)))
    "GAN, saturating": Rule("gan", lambda s: -called_fake(s)),
    # -E log D(G(z))
    "GAN, non-saturating": Rule("gan", called_real),
    "WGAN-GP": Rule("wgan_gp", lambda s: -s.mean()),
    # E [T(x) - T(G(z))], of which G does not move the first
    "GAN-QP": Rule("gan_qp", lambda s: -s.mean()),
}


def trained(
    critic: str, supports: Scene, seeds: Sequence[int], at: Sequence[int]
) -> Iterator[tuple[int, Weights]]:
    """Train critics on fixed supports with all points at once.

    Args:
        critic: key of `CRITIC_LOSSES`.
        supports: of M = seeds x distances.
        seeds: of first weights and of the points between the supports.
        at: numbers of updates, rising.

    Yields:
        Each number of `at` and the weights after so many updates; they go on to change in place.

    """
    copies = len(supports.real) // len(seeds)
    weights = first_weights(seeds, copies)
    randoms = [torch.Generator().manual_seed(20_000 + seed) for seed in seeds]
    optimiser = Adam(weights.values(), lr=RATE, fused=True)
    gradient = torch.vmap(torch.func.grad(CRITIC_LOSSES[critic]))
    for update in range(1, max(at) + 1):
        if critic == "wgan_gp":  # the only one that looks there
            supports = supports._replace(between=_between(supports, randoms, copies))
        found = gradient(weights, supports)
        for name, weight in weights.items():
            weight.grad = found[name]
        optimiser.step()
        if update in at:
            yield update, weights


def _between(supports: Scene, randoms: Sequence[torch.Generator], copies: int) -> Tensor:
    """Return new points between random pairs, the same draws at all distances, (M, N, 2)."""
    order = torch.stack([torch.randperm(POINTS, generator=random) for random in randoms])
    share = torch.stack([torch.rand(POINTS, 1, generator=random) for random in randoms])
    order, share = (each.repeat_interleave(copies, dim=0) for each in (order, share))
    fake = supports.fake.gather(1, order[:, :, None].expand_as(supports.fake))
    return share * supports.real + (1 - share) * fake


def shift_gradient(rule: Rule, weights: Weights, fake: Tensor) -> Tensor:
    """Return the gradient of the generator's loss by its shift, (M, 2), fake points (M, N, 2)."""

    def loss(shift: Tensor, weights: Weights, fake: Tensor) -> Tensor:
        return rule.loss(score(weights, fake + shift))

    at = torch.zeros(len(fake), 2)
    gradient: Tensor = torch.vmap(torch.func.grad(loss))(at, weights, fake)
    return gradient
