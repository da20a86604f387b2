"""ALI: BiGAN's game with an encoder that draws z from q(z|x).

Dumoulin et al. 2017, "Adversarially Learned Inference", https://arxiv.org/abs/1606.00704.

    min_{G,E} max_D V(D, G) = E_{q(x,z)} [log D(x, z)] + E_{p(x,z)} [log(1 - D(x, z))]

    q(x, z) = q(x) q(z|x),  z^ = mu(x) + sigma(x) * noise,  sigma = exp(log sigma)
    p(x, z) = p(z) p(x|z),  x~ = G(z), deterministic as in the authors' image runs

As the authors trained it: G and E lower the same loss with the labels swapped, all networks move at
once from one minibatch, and the discriminator sees both kinds of pairs in one concatenated batch.
The losses are sums where BiGAN's are half-sums. There is no reconstruction term and no divergence.

Adam is 1e-4 with betas 0.5 and 0.999: the beta2 = 1e-3 printed in the paper is 1 - beta2, by the
convention of the library of that time.

Deviations of the controlled tier: the shared networks and batch instead of convolutions with a
maxout discriminator, dropout, and an output bias at the data's log-odds; images in [-1, 1] instead
of [0, 1]. Without batch norm in the discriminator the concatenation changes no number; it is kept
for networks where it does.
"""

from torch import Tensor, cat

from zoo.game import Batch, Builder, Losses, Player, StochasticEncoder, Turn
from zoo.losses import called_fake, called_real
from zoo.priors import Prior


class ALI(StochasticEncoder):
    """G and E together against a joint discriminator D(x, z) = sigmoid(s_xz(J(F(x), H(z))))."""

    def __init__(self, build: Builder, prior: Prior) -> None:
        super().__init__(build("G", "E", "mean", "scale", *build.joint_critic), prior)
        self.noise = {"encoder": (prior.dim,)}
        self.players = {
            "discriminator": Player(build.joint_critic, lr=1e-4),
            "generator_encoder": Player(("G", "E", "mean", "scale"), lr=1e-4),
        }
        # Simultaneous: one gradient computation for D, G and E.
        self.turns = (Turn("all", ("discriminator", "generator_encoder")),)

    def scale_of(self, raw: Tensor) -> Tensor:
        """The scale head says log sigma."""
        return raw.exp()

    def losses(self, turn: str, batch: Batch, step: int) -> Losses:
        """Return both players' terms from one forward."""
        x, z = batch.x, batch.z
        z_hat, x_til = self.draw(x, batch.noise["encoder"]), self.G(z)
        scores = self.score_pair(cat([x, x_til]), cat([z_hat, z]))
        s_encoder, s_generator = scores.chunk(2)  # D(x, z^) and D(x~, z) before the sigmoid
        return {
            # L_D = -V(D, G)
            "discriminator": {
                "encoder_pair": called_real(s_encoder),
                "generator_pair": called_fake(s_generator),
            },
            # L_G: the labels swapped. E learns from the first term only, G from the second.
            "generator_encoder": {
                "encoder_pair": called_fake(s_encoder),
                "generator_pair": called_real(s_generator),
            },
        }


TITLE, COLOUR = "ALI", "#332288"
LABELS = {
    "encoder_pair": "pairs (x, E(x))",
    "generator_pair": "pairs (G(z), z)",
}
Family = ALI
