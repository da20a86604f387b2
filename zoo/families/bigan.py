"""BiGAN: one discriminator tells encoder pairs (x, E(x)) from generator pairs (G(z), z).

Donahue, Krähenbühl & Darrell 2017, "Adversarial Feature Learning",
https://arxiv.org/abs/1605.09782.

    min_{G,E} max_D V(D, E, G) = E_x [log D(x, E(x))] + E_z [log(1 - D(G(z), z))]

As the authors trained it: G and E lower the same loss with the labels swapped (not -V, whose
gradient vanishes when D wins), and all networks move at once from one minibatch.

The faithful preset is the authors' MNIST setting: networks, prior, image range, decay of the
learning rate over the second half.

Deviations of the controlled tier: the shared networks (with biases and affine batch norm, so that
the weight decay acts on them too; z not injected), a Gaussian prior and a linear encoder output
instead of U(-1, 1) and a squashed one, images in [-1, 1] instead of [0, 1], a constant learning
rate without the decay over the second half.
"""

from zoo.game import Batch, Builder, Game, Losses, Player, Turn
from zoo.losses import called_fake, called_real
from zoo.priors import Prior
from zoo.schedules import second_half_decay


class BiGAN(Game):
    """G and E together against a joint discriminator D(x, z) = sigmoid(s_xz(J(F(x), H(z)))).

    Args:
        build: makes the networks.
        prior: p(z).
        decay_over: updates of the run over whose second half the learning rates fall; 0: constant.

    """

    def __init__(self, build: Builder, prior: Prior, decay_over: int = 0) -> None:
        critic, schedule = build.joint_critic, second_half_decay(decay_over)
        super().__init__(build("G", "E", "mean", *critic), prior)
        self.players = {
            "discriminator": Player(critic, lr=2e-4, l2=2.5e-5, schedule=schedule),
            "generator_encoder": Player(("G", "E", "mean"), lr=2e-4, l2=2.5e-5, schedule=schedule),
        }
        # Simultaneous "for efficiency" (section 3.4): D, G and E move on the same minibatch.
        self.turns = (Turn("all", ("discriminator", "generator_encoder")),)

    def losses(self, turn: str, batch: Batch, step: int) -> Losses:
        """Return both players' terms from one forward."""
        x, z = batch.x, batch.z
        s_encoder = self.score_pair(x, self.infer(x))  # D(x, E(x)) before the sigmoid
        s_generator = self.score_pair(self.G(z), z)  # D(G(z), z) before the sigmoid
        return {
            # L_D = -1/2 V(D, E, G)
            "discriminator": {
                "encoder_pair": 0.5 * called_real(s_encoder),
                "generator_pair": 0.5 * called_fake(s_generator),
            },
            # L_G = L_E: the labels swapped. E learns from the first term only, G from the second.
            "generator_encoder": {
                "encoder_pair": 0.5 * called_fake(s_encoder),
                "generator_pair": 0.5 * called_real(s_generator),
            },
        }


TITLE, COLOUR = "BiGAN", "#1D7AFF"
LABELS = {
    "encoder_pair": "pairs (x, E(x))",
    "generator_pair": "pairs (G(z), z)",
}
Family = BiGAN
