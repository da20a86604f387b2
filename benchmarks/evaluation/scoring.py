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
    images = torch.Generator(device).manual_seed(NORM_SEED)
    latents = torch.Generator().manual_seed(NORM_SEED)

    def real() -> Tensor:
        return to_range(train.draw(protocol.norm_batch_size, images)[0])

    def draw() -> Tensor:
        if "sample_prior" in copy.capabilities:
            return copy.sample_prior(protocol.norm_batch_size, latents).to(device)
        return copy.encode(real())

    able, networks = copy.capabilities, copy.networks
    generator = [networks["G"]] if "generate" in able else []
    others = [network for name, network in networks.items() if name != "G"]
    if "encode" in able:
        _recompute(others, lambda: copy.encode(real()), protocol.norm_batches)
    if "score" in able:
        critics = [n for name, n in networks.items() if name not in ("G", "E", "mean", "scale")]
        _recompute(critics, lambda: copy.score(real(), draw()), protocol.norm_batches)
    if generator:
        _recompute(generator, lambda: copy.generate(draw()), protocol.norm_batches)
    return copy


@torch.no_grad()
def _recompute(networks: list[nn.Module], forward: Callable[[], Tensor], batches: int) -> None:
    norms = [
        module
        for network in networks
        for module in network.modules()
        if isinstance(module, nn.modules.batchnorm._BatchNorm)
    ]
    if not norms:
        return
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


def prior_draws(game: Game, n: int) -> Tensor:
    """Return the first n evaluation latents, the same for every game with this prior, (n, d)."""
    return game.sample_prior(n, torch.Generator().manual_seed(LATENT_SEED))
