"""The one mode in which games are scored: a copy, batch-norm statistics recomputed."""

from collections.abc import Callable
from copy import deepcopy

import torch
from torch import Tensor, nn

from benchmarks.evaluation.protocol import Protocol
from datasets.images import Split, to_range
from zoo.game import Game

BATCH = 500
LATENT_SEED, NORM_SEED = 1, 2


def scoring_copy(game: Game, train: Split, protocol: Protocol) -> Game:
    """Return a copy of a game for scoring; the game itself is left as it is.

    Running statistics of a training are biased where a network saw mixed batches. They are replaced
    by averages over fresh batches: of real images for E and the critics, then of prior draws for G
    (of codes, if there is no prior).

    Args:
        game: in any mode, on any device.
        train: the training split, on the same device.
        protocol: how many batches.

    """
    copy = deepcopy(game).requires_grad_(False).eval()
    device = train.images.device
    # CPU streams, so that every device sees the same batches.
    indices, latents = (torch.Generator().manual_seed(NORM_SEED) for _ in range(2))

    def real() -> Tensor:
        index = torch.randint(len(train), (protocol.norm_batch_size,), generator=indices)
        return to_range(train.images[index.to(device)])

    def draw() -> Tensor:
        if "sample_prior" in copy.capabilities:
            return copy.sample_prior(protocol.norm_batch_size, latents).to(device)
        return copy.encode(real())

    able = copy.capabilities
    if "encode" in able:
        _recompute(copy, lambda: copy.encode(real()), protocol.norm_batches)
    if "generate" in able:
        _recompute(copy, lambda: copy.generate(draw()), protocol.norm_batches)
    if "score" in able:
        _recompute(copy, lambda: copy.score(real(), draw()), protocol.norm_batches)
    return copy


@torch.no_grad()
def _recompute(game: Game, forward: Callable[[], Tensor], batches: int) -> None:
    """Average anew the statistics of those batch norms that a forward passes through."""
    norms: list[nn.modules.batchnorm._BatchNorm] = []
    hooks = [
        module.register_forward_pre_hook(lambda norm, inputs: norms.append(norm))
        for module in game.modules()
        if isinstance(module, nn.modules.batchnorm._BatchNorm)
    ]
    if not hooks:
        return
    forward()  # shows which ones they are
    for hook in hooks:
        hook.remove()
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # a plain average over the batches
        norm.train()
    for _ in range(batches):
        forward()
    for norm in norms:
        norm.eval()


@torch.no_grad()
def mapped(function: Callable[[Tensor], Tensor], inputs: Tensor, device: torch.device) -> Tensor:
    """Apply a function in batches of fixed size on a device; the result is float32 on the CPU."""
    pieces = [function(batch.to(device)).float().cpu() for batch in torch.split(inputs, BATCH)]
    return torch.cat(pieces)


def prior_draws(game: Game, n: int, seed: int = LATENT_SEED) -> Tensor:
    """Return the first n evaluation latents, the same for every game with this prior, (n, d)."""
    return game.sample_prior(n, torch.Generator().manual_seed(seed))


def latent_seed(index: int) -> int:
    """Return the seed of one of several sets of evaluation latents; the first is the usual one."""
    return LATENT_SEED + 1000 * index
