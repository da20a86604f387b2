"""BiGAN-QP: a joint critic with a quadratic potential instead of a Lipschitz constraint.

Su 2018, "GAN-QP: A Novel GAN Framework without Gradient Vanishing and Lipschitz Constraint",
https://arxiv.org/abs/1811.07296, bidirectional form (https://kexue.fm/archives/6214):

    T    = argmax E[ dT - dT^2 / (2 lambda d(x, E(x); G(z), z)) ]
    G, E = argmin E[ dT + b1 ||z - E(G_ng(z))||^2 + b2 ||x - G(E_ng(x))||^2 ]
    dT   = T(x, E(x)) - T(G(z), z)

where "ng" stops the gradient: half of the guidance, since the two full terms couple G and E too
strongly. As in the author's code, d is the mean absolute distance of the images plus that of the
latents, one value per pair, images in [-1, 1]; norms in the guidance are means. Adam's epsilon is
Keras's 1e-7.

Deviations of the controlled tier: the shared networks, prior and batch instead of convolutions with
z 128 and batch 64. The weights b1 = 2 and b2 = 3 are the author's for 128 x 128 images.
"""

from torch import Tensor

from zoo.game import Batch, Builder, Game, Losses, Player, Turn
from zoo.losses import mean_absolute_each, mean_square, quadratic_potential
from zoo.priors import Prior


class BiGANQP(Game):
    """G and E together against a joint critic T(x, z) = s_xz(J(F(x), H(z))).

    Args:
        build: makes the networks.
        prior: p(z).
        strength: lambda of the quadratic potential; 2 lambda = 20 in the penalty.
        latent_weight: b1, on the latent guidance.
        image_weight: b2, on the image guidance.

    """

    def __init__(
        self,
        build: Builder,
        prior: Prior,
        strength: float = 10.0,
        latent_weight: float = 2.0,
        image_weight: float = 3.0,
    ) -> None:
        super().__init__(build("G", "E", "mean", "F", "H", "J", "s_xz"), prior)
        self.strength = strength
        self.latent_weight, self.image_weight = latent_weight, image_weight
        self.players = {
            "critic": Player(("F", "H", "J", "s_xz"), lr=2e-4, eps=1e-7),
            "generator_encoder": Player(("G", "E", "mean"), lr=2e-4, eps=1e-7),
        }
        # Two critic steps to one of G and E, each on fresh x and z.
        self.turns = (
            Turn("critic", ("critic",), repeats=2),
            Turn("generator_encoder", ("generator_encoder",)),
        )

    def losses(self, turn: str, batch: Batch, step: int) -> Losses:
        """Return the moving player's terms."""
        x, z = batch.x, batch.z
        z_hat, x_hat = self.infer(x), self.G(z)  # E(x), G(z)
        # dT_i = T(x_i, E(x_i)) - T(G(z_i), z_i), the i-th real paired with the i-th fake
        difference = self.score_pair(x, z_hat) - self.score_pair(x_hat, z)
        if turn == "critic":
            return {"critic": self._critic(x, z, z_hat, x_hat, difference)}
        return {
            "generator_encoder": {
                "difference": difference.mean(),
                # b1 ||z - E(G_ng(z))||^2 trains E alone; G_ng is the equation's own stop-gradient
                "latent_guidance": self.latent_weight * mean_square(z, self.infer(x_hat.detach())),
                # b2 ||x - G(E_ng(x))||^2 trains G alone
                "image_guidance": self.image_weight * mean_square(x, self.G(z_hat.detach())),
            }
        }

    def _critic(
        self, x: Tensor, z: Tensor, z_hat: Tensor, x_hat: Tensor, difference: Tensor
    ) -> dict[str, Tensor]:
        # d_i = mean |x_i - G(z_i)| + mean |E(x_i) - z_i|
        distance = mean_absolute_each(x, x_hat) + mean_absolute_each(z_hat, z)
        return {
            "difference": -difference.mean(),
            "potential": quadratic_potential(difference, distance, self.strength),
        }


Family = BiGANQP
