"""Playing a turn: freeze what does not move, take all gradients, then let all players step."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any

import torch
from torch import Tensor
from torch.nn.utils import parametrize

from benchmarks.planning.config import TrainingSettings
from benchmarks.training import gradients
from benchmarks.training.optimiser import PlayerOptimiser, averaged_state
from zoo.game import Batch, Game, Losses, Turn


def play_turn(
    game: Game,
    turn: Turn,
    batch: Batch,
    step: int,
    optimisers: Mapping[str, PlayerOptimiser],
    autocast: AbstractContextManager[object],
) -> Losses:
    """Play one turn of one game and return its terms."""
    arrange(game, turn, optimisers)
    # Parametrised weights (spectral norm) are computed once a turn, the same for real and fake.
    with parametrize.cached(), autocast:
        losses = game.losses(turn.name, batch, step)
    parameters = {player: optimisers[player].parameters for player in turn.players}
    grads = gradients.take(game, turn, losses, parameters)
    for player in turn.players:
        optimisers[player].move(grads[player], step)
    return losses


def arrange(game: Game, turn: Turn, optimisers: Mapping[str, PlayerOptimiser]) -> None:
    """Freeze what does not move; touches only what differs."""
    movers = [optimisers[player] for player in turn.players]
    for optimiser in optimisers.values():
        if optimiser not in movers:
            optimiser.let_move(False)
    for optimiser in movers:
        optimiser.let_move(True)


class EagerEngine:
    """Plays the game of one seed, operation by operation."""

    def __init__(self, game: Game, device: torch.device, settings: TrainingSettings) -> None:
        self.game, self.device = game, device
        self.bf16, factor = settings.precision == "bf16", settings.lr_factor or 1.0
        self.optimisers = {
            name: PlayerOptimiser(game, player, lr_factor=factor)
            for name, player in game.players.items()
        }

    def play(self, turn: Turn, batches: Sequence[Batch], step: int) -> Losses:
        """Play one turn and return its terms, one value for each seed, shape (1,)."""
        autocast = torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=self.bf16)
        losses = play_turn(self.game, turn, batches[0], step, self.optimisers, autocast)
        return {
            player: {name: term.detach().float().view(1) for name, term in terms.items()}
            for player, terms in losses.items()
        }

    def gradient_norms(self) -> dict[str, Tensor]:
        """Return player -> norm of its last gradient before clipping, shape (1,)."""
        return {name: o.gradient_norm().view(1) for name, o in self.optimisers.items()}

    def state_dict(self, seed: int) -> dict[str, Any]:
        """Return the optimisers' state of a seed."""
        return {name: optimiser.state_dict() for name, optimiser in self.optimisers.items()}

    def load_state_dict(self, state: Mapping[str, Any], seed: int) -> None:
        """Go on from a saved state of a seed."""
        for name, optimiser in self.optimisers.items():
            optimiser.load_state_dict(state[name])

    def averaged_state(self, seed: int) -> dict[str, Tensor] | None:
        """Return a seed's weights with averages where players keep them; None if none does."""
        return averaged_state(self.game, self.optimisers)
