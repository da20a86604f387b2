"""How much of the reconstruction error is G's, how much E's? Inversion by optimisation.

Metz et al. 2017 (Unrolled GANs), "inference via optimization": the latent is sought
whose image is nearest to a given one. What remains there G cannot draw; the rest of the error of
G(E(x)) is E's.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from benchmarks.evaluation.metrics.undefined import require, require_rows

METRIC = "inversion_share"
STEPS, RATE, CHUNK = 150, 0.1, 200
"""From a random start on a decoder of digits, 150 steps end 2% above the optimum (20% at .05)."""
ROUNDING = 1e-4
"""How far a best error may lie above E's, relatively: another batch, another rounding."""


def squared_error(x: Tensor, r: Tensor) -> Tensor:
    """Return each image's mean squared error in units of [0, 1], (N,), as `reconstruction.mse`.

    Args:
        x: images in [-1, 1], (N, C, H, W).
        r: their reconstructions.

    """
    return ((x - r) / 2).square().flatten(1).mean(1)


def invert(
    generate: Callable[[Tensor], Tensor], x: Tensor, starts: Tensor, steps: int = STEPS
) -> Tensor:
    """Return the smallest `squared_error` of each image that G reaches from given latents, (N,).

    Adam (rate .1, falling to 0 by a cosine) on the latents alone; the network's weights stay. The
    best of all starts and all steps counts, the starts themselves included: the error is never
    above that of a start. Latents are free to leave the prior's range, unless `generate` takes
    coordinates of an unbounded one (`prior_match.latents_of`).

    Args:
        generate: G, in eval mode: an image must not depend on the others of its batch.
        x: images in [-1, 1], (N, C, H, W).
        starts: latents, (S, N, d), S for each image.
        steps: updates from each start.

    """
    require_rows(METRIC, 1, images=x, starts=starts)
    require(starts.shape[1] == len(x), METRIC, "needs one latent per image in every start")
    if getattr(generate, "training", False):
        raise ValueError("invert needs a generator in eval mode")
    owners = torch.arange(len(x)).repeat(len(starts))
    parts = zip(torch.split(starts.flatten(0, 1), CHUNK), torch.split(owners, CHUNK), strict=True)
    found = [_descend(generate, x[own], z, steps) for z, own in parts]
    return torch.cat(found).view(len(starts), len(x)).amin(0)


def _descend(generate: Callable[[Tensor], Tensor], x: Tensor, z: Tensor, steps: int) -> Tensor:
    """Return the smallest error on the way from latents z (n, d) towards images x, (n,)."""
    z = z.detach().clone().requires_grad_()
    optimiser = torch.optim.Adam([z], lr=RATE)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, max(steps, 1))
    best = torch.full((len(z),), torch.inf)
    for step in range(steps + 1):
        with torch.enable_grad():
            error = squared_error(x, generate(z))
            # Latents do not meet in the sum: each gets the gradient of its own error.
            (z.grad,) = torch.autograd.grad(error.sum(), z)
        best = torch.minimum(best, error.detach())
        if step < steps:
            optimiser.step()
            schedule.step()
    return best


def inversion_share(own_error: Tensor, best_error: Tensor) -> float:
    """Return G's share of the reconstruction error: the mean of the best errors over that of E's.

    1: no latent gives a better image than E(x), all of the error is G's; 0: G could draw the images
    and E misses the latents. It needs E(x) among the starts of `invert`, and is an upper bound: the
    search may end above the optimum.

    Args:
        own_error: `squared_error` of G(E(x)), (N,).
        best_error: what `invert` returns for the same images, (N,).

    Raises:
        ValueError: a best error is above E's: E(x) was not among the starts.

    """
    require_rows(METRIC, 1, own=own_error, best=best_error)
    require(float(own_error.mean()) > 0, METRIC, "needs reconstructions with an error")
    own, best = own_error.double(), best_error.double()
    if bool((best > own * (1 + ROUNDING) + 1e-9).any()):
        raise ValueError("a best error is above E's: E(x) was not among the starts")
    return float(best.mean() / own.mean())
