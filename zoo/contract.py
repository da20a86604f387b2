"""What a family says of its game: who moves, when, on what, and to lower which terms."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from torch import Tensor

from zoo.schedules import constant

Losses = dict[str, dict[str, Tensor]]
"""Player -> term -> weighted live scalar; a player's loss is the sum of its terms."""


@dataclass(frozen=True)
class Clip:
    """Gradient clipping by norm: of each tensor by itself, or of all of a player's together."""

    norm: float
    of: Literal["tensor", "player"]


@dataclass(frozen=True)
class Player:
    """Some networks that one Adam optimiser moves to lower one loss.

    Attributes:
        networks: names of the networks it owns.
        lr: learning rate, one for all or one per network.
        betas, eps: Adam's.
        l2: coupled weight decay, added to the gradient before Adam.
        clip: gradient clipping, if any.
        schedule: training step (from 0) -> factor on the learning rate.
        average: decay of an exponential average of the weights, if it keeps one.

    """

    networks: tuple[str, ...]
    lr: float | Mapping[str, float]
    betas: tuple[float, float] = (0.5, 0.999)
    eps: float = 1e-8
    l2: float = 0.0
    clip: Clip | None = None
    schedule: Callable[[int], float] = constant
    average: float | None = None

    def lr_of(self, network: str) -> float:
        """Return the learning rate of one of its networks."""
        return self.lr[network] if isinstance(self.lr, Mapping) else self.lr


@dataclass(frozen=True)
class Turn:
    """Players that move at the same time on one batch.

    Attributes:
        name: told to `Game.losses`.
        players: who moves.
        repeats: how often in a row, each time on a fresh batch.

    """

    name: str
    players: tuple[str, ...]
    repeats: int = 1


class Batch(NamedTuple):
    """What one turn is played on.

    Attributes:
        x: images in the game's range, (N, C, H, W).
        y: class labels, (N,).
        z: draws of the prior, (N, d); empty (N, 0) without a prior.
        noise: standard normal draws by the names in `Game.noise`.

    """

    x: Tensor
    y: Tensor
    z: Tensor
    noise: Mapping[str, Tensor]


@dataclass(frozen=True)
class Readout:
    """Something else to evaluate in a trained game, in a row of its own."""

    features: Callable[[Tensor], Tensor]
    capabilities: frozenset[str] = field(default=frozenset({"features"}))
