"""GAN: generates only; the reference without an encoder.

Goodfellow et al. 2014, "Generative Adversarial Nets", https://arxiv.org/abs/1406.2661, with the
half-sum discriminator loss and the optimiser of the BiGAN authors' GAN rows
(https://arxiv.org/abs/1605.09782), so that it stands beside BiGAN with nothing else changed.

Deviations from those rows in the controlled tier: the same as in `bigan`.

The discriminator's features F(x) are evaluated as a row of their own (the "D" row of that paper).
"""

from zoo.game import Batch, Builder, Game, Losses, Player, Readout, Turn
from zoo.losses import called_fake, called_real
from zoo.priors import Prior
from zoo.schedules import second_half_decay


class GAN(Game):
    """G against an image discriminator D(x) = sigmoid(s_x(F(x))).

    Args:
        build: makes the networks.
        prior: p(z).
        spectral: spectral norm on the discriminator.
        decay_over: updates of the run over whose second half the learning rates fall; 0: constant.

    """

    def __init__(
        self, build: Builder, prior: Prior, spectral: bool = False, decay_over: int = 0
    ) -> None:
        critic, schedule = ("F", "s_x"), second_half_decay(decay_over)
        super().__init__(build("G", *critic, spectral=critic if spectral else ()), prior)
        self.players = {
            "discriminator": Player(critic, lr=2e-4, l2=2.5e-5, schedule=schedule),
            "generator": Player(("G",), lr=2e-4, l2=2.5e-5, schedule=schedule),
        }
        # Simultaneous: both move on the same minibatch, from the same old values.
        self.turns = (Turn("both", ("discriminator", "generator")),)

    def losses(self, turn: str, batch: Batch, step: int) -> Losses:
        """Return both players' terms from one forward."""
        s_real = self.score_image(batch.x)
        s_fake = self.score_image(self.G(batch.z))
        return {
            # L_D = -1/2 E_x log D(x) - 1/2 E_z log(1 - D(G(z)))
            "discriminator": {
                "real": 0.5 * called_real(s_real),
                "fake": 0.5 * called_fake(s_fake),
            },
            # L_G = -E_z log D(G(z)), the non-saturating form, weight 1
            "generator": {"adversarial": called_real(s_fake)},
        }

    def readouts(self) -> dict[str, Readout]:
        """The discriminator's features, which cost no training of their own."""
        return {"discriminator": Readout(features=lambda x: self.F(self._inner(x)))}


TITLE, COLOUR = "GAN", "#151515"
LABELS = {
    "real": "x called real",
    "fake": "G(z) called fake",
    "adversarial": "G(z) called real",
}
Family = GAN
