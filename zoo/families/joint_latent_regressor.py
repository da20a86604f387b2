"""Joint latent regressor: a GAN whose generator also helps an encoder to recover z from G(z).

The "JLR" row of Donahue, Krähenbühl & Darrell 2017, "Adversarial Feature Learning",
https://arxiv.org/abs/1605.09782:

    L_D  = -1/2 E_x log D(x) - 1/2 E_z log(1 - D(G(z)))
    L_GE = -E_z log D(G(z)) + w E_z [-log p(z | E(G(z)))],  w = 1/4

As the authors trained it: one optimiser moves G and E on L_GE, at once with D and from the same
minibatch. They note that w = 1 gives a degenerate solution. E never sees a real image.

The regression loss and the deviations of the controlled tier are those of `latent_regressor`.
The weight is the authors', found for their cross-entropy (0.69 nat at the start, 0.5 at best) and
kept for the squared error (1 for a constant 0, 0 at best): it is not tuned for the Gaussian prior.
"""

from zoo.game import Batch, Builder, Game, Losses, Player, Turn, start_at_zero
from zoo.losses import called_fake, called_real
from zoo.priors import Prior
from zoo.schedules import second_half_decay


class JointLatentRegressor(Game):
    """G and E together against an image discriminator D(x) = sigmoid(s_x(F(x))).

    Args:
        build: makes the networks.
        prior: p(z).
        latent_weight: w, on the latent regression.
        zero_head: E's output layer starts at zero, as the authors' does.
        decay_over: updates of the run over whose second half the learning rates fall; 0: constant.

    """

    def __init__(
        self,
        build: Builder,
        prior: Prior,
        latent_weight: float = 0.25,
        zero_head: bool = False,
        decay_over: int = 0,
    ) -> None:
        super().__init__(build("G", "E", "mean", "F", "s_x"), prior)
        self.latent_weight, self.regression = latent_weight, prior.regression
        if zero_head:
            start_at_zero(self.mean)
        schedule = second_half_decay(decay_over)
        self.players = {
            "discriminator": Player(("F", "s_x"), lr=2e-4, l2=2.5e-5, schedule=schedule),
            "generator_encoder": Player(("G", "E", "mean"), lr=2e-4, l2=2.5e-5, schedule=schedule),
        }
        # Simultaneous: D, G and E move on the same minibatch, from the same old values.
        self.turns = (Turn("all", ("discriminator", "generator_encoder")),)

    def losses(self, turn: str, batch: Batch, step: int) -> Losses:
        """Return both players' terms from one forward."""
        x_hat = self.G(batch.z)
        s_real, s_fake = self.score_image(batch.x), self.score_image(x_hat)
        regression = self.regression(batch.z, self.raw_code(x_hat))
        return {
            # L_D, which E has no part in
            "discriminator": {
                "real": 0.5 * called_real(s_real),
                "fake": 0.5 * called_fake(s_fake),
            },
            # L_GE: the GAN's term moves G alone, the regression moves G and E
            "generator_encoder": {
                "adversarial": called_real(s_fake),
                "latent_regression": self.latent_weight * regression,
            },
        }


TITLE, COLOUR = "Joint latent regressor", "#882255"
LABELS = {
    "real": "x called real",
    "fake": "G(z) called fake",
    "adversarial": "G(z) called real",
    "latent_regression": "z against E(G(z))",
}
Family = JointLatentRegressor
