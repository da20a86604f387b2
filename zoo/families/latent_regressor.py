"""Latent regressor: a GAN, and an encoder that learns to recover z from G(z).

The "LR" row of Donahue, Krähenbühl & Darrell 2017, "Adversarial Feature Learning",
https://arxiv.org/abs/1605.09782: the encoder that a GAN gives without a game about it.

    min_G max_D E_x [log D(x)] + E_z [log(1 - D(G(z)))]        the GAN of `gan`
    min_E E_z [-log p(z | E(G(z)))]                            E alone

As the authors trained it: D, G and E move at once from one minibatch, and G never feels E's loss.
E never sees a real image. With `gan_steps` the regressor comes after a finished GAN instead.

The regression loss belongs to the prior (`zoo.priors`). The authors' is U(-1, 1), with the
cross-entropy of (z + 1) / 2 and sigmoid(E), its mean over the dimensions. For the Gaussian prior of
the controlled tier E is linear and it is the squared error, with the same mean: 1 for an encoder
that always says 0, and 0 for a perfect one.

Other deviations of the controlled tier: those of `bigan`, and the shared first weights instead
of an encoder whose output layer starts at zero (`zero_head`). Real images set E's batch norm when
it is scored, as in every family, though it is trained on generated ones.
"""

from zoo.game import Batch, Builder, Game, Losses, Player, Turn, start_at_zero
from zoo.losses import called_fake, called_real
from zoo.priors import Prior
from zoo.schedules import in_turn


class LatentRegressor(Game):
    """G against an image discriminator D(x) = sigmoid(s_x(F(x))), and E beside them.

    Args:
        build: makes the networks.
        prior: p(z).
        gan_steps: updates after which D and G stop and E starts; 0: all move from the start.
        zero_head: E's output layer starts at zero, as the authors' does.
        decay_over: updates of the run over whose second half the learning rates fall; 0: constant.
            With `gan_steps` each part of the run decays over its own second half.

    """

    def __init__(
        self,
        build: Builder,
        prior: Prior,
        gan_steps: int = 0,
        zero_head: bool = False,
        decay_over: int = 0,
    ) -> None:
        super().__init__(build("G", "E", "mean", "F", "s_x"), prior)
        self.regression = prior.regression
        if zero_head:
            start_at_zero(self.mean)
        gan, encoder = in_turn(gan_steps, decay_over)
        self.players = {
            "discriminator": Player(("F", "s_x"), lr=2e-4, l2=2.5e-5, schedule=gan),
            "generator": Player(("G",), lr=2e-4, l2=2.5e-5, schedule=gan),
            "encoder": Player(("E", "mean"), lr=2e-4, l2=2.5e-5, schedule=encoder),
        }
        # Simultaneous: all three move on the same minibatch, from the same old values.
        self.turns = (Turn("all", ("discriminator", "generator", "encoder")),)

    def losses(self, turn: str, batch: Batch, step: int) -> Losses:
        """Return the three players' terms from one forward."""
        x_hat = self.G(batch.z)
        s_real, s_fake = self.score_image(batch.x), self.score_image(x_hat)
        return {
            # L_D = -1/2 E_x log D(x) - 1/2 E_z log(1 - D(G(z)))
            "discriminator": {
                "real": 0.5 * called_real(s_real),
                "fake": 0.5 * called_fake(s_fake),
            },
            # L_G = -E_z log D(G(z)), the non-saturating form, weight 1, and no word of E
            "generator": {"adversarial": called_real(s_fake)},
            # L_E = E_z [-log p(z | E(G(z)))], for E alone
            "encoder": {"latent_regression": self.regression(batch.z, self.raw_code(x_hat))},
        }


TITLE, COLOUR = "Latent regressor", "#2E8BC0"
LABELS = {
    "real": "x called real",
    "fake": "G(z) called fake",
    "adversarial": "G(z) called real",
    "latent_regression": "z against E(G(z))",
}
Family = LatentRegressor
