"""Mine: BiGAN with least squares instead of cross-entropy."""

from zoo.game import Batch, Builder, Game, Losses, Player, Turn
from zoo.priors import Prior


class Mine(Game):
    """E's pairs are to score 1 and G's 0, says the critic; the other way round, say G and E."""

    def __init__(self, build: Builder, prior: Prior) -> None:
        super().__init__(build("G", "E", "mean", "F", "H", "J", "s_xz"), prior)
        self.players = {
            "critic": Player(("F", "H", "J", "s_xz"), lr=2e-4),
            "generator_encoder": Player(("G", "E", "mean"), lr=2e-4),
        }
        self.turns = (Turn("all", ("critic", "generator_encoder")),)

    def losses(self, turn: str, batch: Batch, step: int) -> Losses:
        """Return both players' terms from one forward."""
        real = self.score_pair(batch.x, self.infer(batch.x))
        fake = self.score_pair(self.G(batch.z), batch.z)
        return {
            "critic": {"real": (real - 1).square().mean(), "fake": fake.square().mean()},
            "generator_encoder": {"real": real.square().mean(), "fake": (fake - 1).square().mean()},
        }


Family = Mine
