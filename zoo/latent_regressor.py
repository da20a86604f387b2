"""Latent regressor: a GAN, and an encoder that learns to recover z from G(z).

The "LR" row of Donahue, Krähenbühl & Darrell 2017, "Adversarial Feature Learning",
https://arxiv.org/abs/1605.09782: the encoder that a GAN gives without a game about it.

    min_G max_D E_x [log D(x)] + E_z [log(1 - D(G(z)))]        the GAN of `zoo.gan`
    min_E E_z [-log p(z | E(G(z)))]                            E alone

As the authors trained it: D, G and E move at once from one minibatch, and G never feels E's loss.
E never sees a real image.

The regression loss belongs to the prior. The authors' is U(-1, 1), with the cross-entropy of
(z + 1) / 2 and sigmoid(E), its mean over the dimensions. Here the prior is Gaussian and E linear,
so it is the squared error, with the same mean: 1 for an encoder that always says 0, and 0 for a
perfect one.

Other deviations of the controlled tier: those of `zoo.bigan`, and the shared first weights instead
of an encoder whose output layer starts at zero. Real images set E's batch norm when it is scored,
as in every family, though it is trained on generated ones.
"""

from zoo.game import Batch, Builder, Game, Losses, Player, Turn
from zoo.losses import called_fake, called_real, mean_square
from zoo.priors import Prior


class LatentRegressor(Game):
    """G against an image discriminator D(x) = sigmoid(s_x(F(x))), and E beside them."""

    def __init__(self, build: Builder, prior: Prior) -> None:
        super().__init__(build("G", "E", "mean", "F", "s_x"), prior)
        self.players = {
            "discriminator": Player(("F", "s_x"), lr=2e-4, l2=2.5e-5),
            "generator": Player(("G",), lr=2e-4, l2=2.5e-5),
            "encoder": Player(("E", "mean"), lr=2e-4, l2=2.5e-5),
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
            # L_E = E_z (z - E(G(z)))^2, for E alone
            "encoder": {"latent_regression": mean_square(batch.z, self.infer(x_hat))},
        }


Family = LatentRegressor
