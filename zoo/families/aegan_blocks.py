"""AEGAN in its author's order of minibatches.

Lazarou 2020, https://arxiv.org/abs/2004.05472, as the author's code trains: both critics on a batch
of real ones, of x^ (z^), of real ones, of x~ (z~), then four updates of G and E.
"""

from typing import Any

from zoo.families.aegan import AEGAN, FAKE, REAL
from zoo.game import Batch, Builder, Losses, Turn
from zoo.losses import bce
from zoo.priors import Prior

ORDER = ("real", "hat", "real", "tilde")


class AuthorsBlocks(AEGAN):
    """AEGAN in blocks of eight minibatches of critics and four of G and E.

    Args:
        build: makes the networks.
        prior: p(z).
        blocks: the author's order; one step of the run is then a whole block.
        options: AEGAN's.

    """

    def __init__(self, build: Builder, prior: Prior, blocks: bool = False, **options: Any) -> None:
        super().__init__(build, prior, **options)
        if blocks:
            self.turns = (
                *(Turn(kind, ("image_critic", "latent_critic")) for kind in ORDER),
                Turn("generator_encoder", ("generator_encoder",), repeats=len(ORDER)),
            )

    def losses(self, turn: str, batch: Batch, step: int) -> Losses:
        """Return the moving players' terms: those of the critics on a batch of one kind."""
        if turn not in ORDER:
            return super().losses(turn, batch, step)
        x, z = batch.x, batch.z
        if turn == "hat":
            x, z = self.G(z), self.infer(x)
        elif turn == "tilde":
            x, z = self.G(self.infer(x)), self.infer(self.G(z))
        target = REAL if turn == "real" else FAKE
        s_x = self.score_image(self.noisy(x, batch, "image", 0))
        s_z = self.score_latent(self.noisy(z, batch, "latent", 0))
        return {"image_critic": {turn: bce(s_x, target)}, "latent_critic": {turn: bce(s_z, target)}}


Variant = AuthorsBlocks
