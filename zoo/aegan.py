"""AEGAN: two GANs and two autoencoders on the same G and E, and no joint critic.

Lazarou 2020, "Autoencoding Generative Adversarial Networks", https://arxiv.org/abs/2004.05472.

    x^ = G(z),  z^ = E(x),  x~ = G(E(x)),  z~ = E(G(z))

    L_GE = 10 |x - x~| + 5 (z - z~)^2 - log Dx(x^) - log Dx(x~) - log Dz(z^) - log Dz(z~)

Norms are means over batch and dimensions, as in the author's code (the paper's text writes norms);
nothing is stopped in L_GE. Labels of the critics are smoothed to 0.95 and 0.05. The author's four
minibatch steps per critic in the order real, x^, real, x~ give real images twice the weight of
either kind of fake.

Deviations of the controlled tier: the shared networks, prior and batch (the author's are
convolutions with layer norm over channels, input noise and dropout, z 16, batch 32); one critic
step per generator-encoder step with those weights 2 : 1 : 1 instead of the author's blocks of four;
and the critics' fakes are made in training mode. The author makes them in inference mode, which
there switches noise and dropout off; here it would switch batch norm to running statistics of mixed
batches, and the critics would judge other fakes than G and E are judged by.
"""

from torch import Tensor

from zoo.game import Batch, Builder, Clip, Game, Losses, Player, Turn
from zoo.losses import bce, called_real, mean_absolute, mean_square
from zoo.priors import Prior

REAL, FAKE = 0.95, 0.05


class AEGAN(Game):
    """G and E against two critics: Dx = sigmoid(s_x(F(x))) and Dz = sigmoid(s_z(H(z))).

    Args:
        build: makes the networks.
        prior: p(z).
        image_weight: on the image reconstruction.
        latent_weight: on the latent reconstruction.

    """

    def __init__(
        self,
        build: Builder,
        prior: Prior,
        image_weight: float = 10.0,
        latent_weight: float = 5.0,
    ) -> None:
        super().__init__(build("G", "E", "mean", "F", "s_x", "H", "s_z"), prior)
        self.image_weight, self.latent_weight = image_weight, latent_weight
        clip = Clip(norm=1.0, of="tensor")
        self.players = {
            "image_critic": Player(("F", "s_x"), lr=5e-4, eps=1e-7, clip=clip),
            "latent_critic": Player(("H", "s_z"), lr=5e-4, eps=1e-7, clip=clip),
            "generator_encoder": Player(("G", "E", "mean"), lr=2e-4, eps=1e-7, clip=clip),
        }
        self.turns = (
            Turn("critics", ("image_critic", "latent_critic")),
            Turn("generator_encoder", ("generator_encoder",)),
        )

    def losses(self, turn: str, batch: Batch, step: int) -> Losses:
        """Return the moving players' terms."""
        x, z = batch.x, batch.z
        x_hat, z_hat = self.G(z), self.infer(x)
        x_til, z_til = self.G(z_hat), self.infer(x_hat)
        if turn == "critics":
            return {
                "image_critic": _smoothed(*map(self.score_image, (x, x_hat, x_til))),
                "latent_critic": _smoothed(*map(self.score_latent, (z, z_hat, z_til))),
            }
        return {
            "generator_encoder": {
                "image_reconstruction": self.image_weight * mean_absolute(x, x_til),
                "latent_reconstruction": self.latent_weight * mean_square(z, z_til),
                "image_sample": called_real(self.score_image(x_hat)),
                "image_reconstructed": called_real(self.score_image(x_til)),
                "latent_code": called_real(self.score_latent(z_hat)),
                "latent_reconstructed": called_real(self.score_latent(z_til)),
            }
        }


def _smoothed(s_real: Tensor, s_hat: Tensor, s_til: Tensor) -> dict[str, Tensor]:
    """Return L_D = 1/2 real + 1/4 hat + 1/4 tilde with smoothed labels."""
    return {
        "real": 0.5 * bce(s_real, REAL),
        "hat": 0.25 * bce(s_hat, FAKE),
        "tilde": 0.25 * bce(s_til, FAKE),
    }


Family = AEGAN
