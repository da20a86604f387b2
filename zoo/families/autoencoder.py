"""Autoencoder: reconstructs only; the reference without a game.

The autoencoder rows of the BiGAN paper (Donahue et al. 2017, https://arxiv.org/abs/1605.09782,
table 1): the same E and G, trained directly on the reconstruction error.

It has no prior, so it cannot generate: those cells stay empty. The paper leaves the reduction of
the loss open. Here it is the mean over the batch of the sum over pixels; under Adam the constant
factor matters through the weight decay alone. It leaves the code's range open too: the prior that
it does not play against squashes it all the same (U(-1, 1) in the faithful preset), as in BiGAN.
The deviations of the controlled tier are those of `bigan`.
"""

from torch import Tensor

from zoo.game import Batch, Builder, Game, Losses, Player, Turn
from zoo.losses import mean_absolute, mean_square
from zoo.priors import Prior
from zoo.schedules import second_half_decay

ERRORS = {"l2": mean_square, "l1": mean_absolute}


class Autoencoder(Game):
    """One player, one turn.

    Args:
        build: makes the networks.
        prior: its support is the code's range; nothing is drawn from it.
        error: "l2" (squared) or "l1".
        decay_over: updates of the run over whose second half the learning rate falls; 0: constant.

    """

    def __init__(
        self, build: Builder, prior: Prior, error: str = "l2", decay_over: int = 0
    ) -> None:
        if error not in ERRORS:
            raise ValueError(f"error must be one of {', '.join(ERRORS)}, got {error!r}")
        super().__init__(build("G", "E", "mean"), prior=None)
        self.error, self.code_range = ERRORS[error], prior
        schedule = second_half_decay(decay_over)
        self.players = {
            "autoencoder": Player(("G", "E", "mean"), lr=2e-4, l2=2.5e-5, schedule=schedule)
        }
        self.turns = (Turn("reconstruct", ("autoencoder",)),)

    def squash(self, raw: Tensor) -> Tensor:
        """Map codes into the range of a prior that is not played against."""
        return self.code_range.squash(raw)

    def losses(self, turn: str, batch: Batch, step: int) -> Losses:
        """Return the reconstruction error, summed over pixels."""
        x: Tensor = batch.x
        # L = E_x ||x - G(E(x))||
        pixels = x[0].numel()
        return {"autoencoder": {"reconstruction": pixels * self.error(x, self.G(self.infer(x)))}}


TITLE, COLOUR = "Autoencoder", "#939393"
LABELS = {
    "reconstruction": "x against G(E(x))",
}
Family = Autoencoder
