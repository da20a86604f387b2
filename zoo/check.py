"""Does a game keep the contract, as far as one look at it on noise can say?"""

import torch

from zoo.game import Batch, Game

BATCH = 4


def check_game(game: Game, image_shape: tuple[int, int, int], classes: int) -> None:
    """Check that every network has a player, and play every turn once on images that are noise.

    Args:
        game: to be checked; nothing of it moves.
        image_shape: (C, H, W).
        classes: labels are 0 ... classes - 1.

    Raises:
        ValueError: a network without a player, a player's network that is not there, a turn with an
            unknown player, a moving player without terms, or a term that is no scalar.

    """
    _check_owners(game)
    batch = noise_batch(game, BATCH, image_shape, classes)
    for turn in game.turns:
        losses = game.losses(turn.name, batch, 0)
        for player in turn.players:
            if player not in game.players:
                raise ValueError(f"turn {turn.name}: there is no player {player}")
            if not losses.get(player):
                raise ValueError(f"turn {turn.name}: losses() returns no terms of {player}")
            for name, term in losses[player].items():
                if not isinstance(term, torch.Tensor) or term.dim():
                    raise ValueError(f"turn {turn.name}: term {name} of {player} is no scalar")


def noise_batch(game: Game, n: int, image_shape: tuple[int, int, int], classes: int) -> Batch:
    """Return n images that are noise in [-1, 1], with labels, draws of the prior and noise."""
    generator = torch.Generator().manual_seed(0)
    x = torch.rand(n, *image_shape, generator=generator) * 2 - 1
    z = torch.zeros(n, 0) if game.prior is None else game.sample_prior(n, generator)
    noise = {name: torch.randn(n, *s, generator=generator) for name, s in game.noise.items()}
    return Batch(x, torch.arange(n) % classes, z, noise)


def _check_owners(game: Game) -> None:
    """Refuse a network that nobody trains, for it would be scored all the same."""
    owner = {network: name for name, p in game.players.items() for network in p.networks}
    for network, module in game.networks.items():
        if network not in owner and any(p.requires_grad for p in module.parameters()):
            raise ValueError(f"network {network} belongs to no player: no loss would train it")
    for network, player in owner.items():
        if network not in game.networks:
            raise ValueError(f"player {player} owns {network}, which the family does not build")
