"""BiGAN-QP: a joint critic with a quadratic potential instead of a Lipschitz constraint.

Su 2018, "GAN-QP: A Novel GAN Framework without Gradient Vanishing and Lipschitz Constraint",
https://arxiv.org/abs/1811.07296, bidirectional form (https://kexue.fm/archives/6214):

    T    = argmax E[ dT - dT^2 / (2 lambda d(x, E(x); G(z), z)) ]
    G, E = argmin E[ dT + b1 ||z - E(G_ng(z))||^2 + b2 ||x - G(E_ng(x))||^2 ]
    dT   = T(x, E(x)) - T(G(z), z)

where "ng" stops the gradient: half of the guidance, since the two full terms couple G and E too
strongly, as the author says; `guidance` has the full terms and none of them as variants. With
`compares` the critic sees two pairs, as the theory of GAN-QP has it for two images: dT = T(x, E(x);
G(z), z) - T(G(z), z; x, E(x)). As in the author's code, d is the mean absolute distance of the
images plus that of the latents, one value per pair, images in [-1, 1]; norms in the guidance are
means. Adam's epsilon is Keras's 1e-7.

Deviations of the controlled tier: the shared networks, prior and batch instead of convolutions with
z 128 and batch 64. The weights b1 = 2 and b2 = 3 are the author's for 128 x 128 images.
"""

from torch import Tensor, cat

from zoo.game import Batch, Builder, Game, Losses, Player, Turn
from zoo.losses import mean_absolute_each, mean_square, quadratic_potential
from zoo.priors import Prior

GUIDANCE = ("half-stopped", "coupled", "none")


class BiGANQP(Game):
    """G and E together against a joint critic T(x, z) = s_xz(J(F(x), H(z))), or of two pairs.

    Args:
        build: makes the networks.
        prior: p(z).
        strength: lambda of the quadratic potential; 2 lambda = 20 in the penalty.
        latent_weight: b1, on the latent guidance.
        image_weight: b2, on the image guidance.
        guidance: "half-stopped", "coupled" (nothing stopped) or "none".
        compares: the critic sees two pairs, joined along channels and dimensions; then no pair has
            a score of its own.

    """

    def __init__(
        self,
        build: Builder,
        prior: Prior,
        strength: float = 10.0,
        latent_weight: float = 2.0,
        image_weight: float = 3.0,
        guidance: str = "half-stopped",
        compares: bool = False,
    ) -> None:
        if guidance not in GUIDANCE:
            raise ValueError(f"guidance must be one of {', '.join(GUIDANCE)}, got {guidance!r}")
        critic = build.joint_critic
        build_critic = build.of_two() if compares else build
        super().__init__(build("G", "E", "mean") | build_critic(*critic), prior)
        self.strength, self.guidance, self.compares = strength, guidance, compares
        self.latent_weight, self.image_weight = latent_weight, image_weight
        self.players = {
            "critic": Player(critic, lr=2e-4, eps=1e-7),
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
        difference = self._difference((x, z_hat), (x_hat, z))
        if turn == "critic":
            return {"critic": self._critic(x, z, z_hat, x_hat, difference)}
        terms = {"difference": difference.mean()}
        if self.guidance != "none":
            terms |= self._guidance(x, z, z_hat, x_hat)
        return {"generator_encoder": terms}

    def _difference(self, real: tuple[Tensor, Tensor], fake: tuple[Tensor, Tensor]) -> Tensor:
        """Return dT_i of pairs (x, z), the i-th real paired with the i-th fake, (N,)."""
        if self.compares:
            real_first = [cat([r, f], dim=1) for r, f in zip(real, fake, strict=True)]
            fake_first = [cat([f, r], dim=1) for r, f in zip(real, fake, strict=True)]
            return self.score_pair(*real_first) - self.score_pair(*fake_first)
        return self.score_pair(*real) - self.score_pair(*fake)

    def _guidance(self, x: Tensor, z: Tensor, z_hat: Tensor, x_hat: Tensor) -> dict[str, Tensor]:
        if self.guidance == "half-stopped":
            z_hat, x_hat = z_hat.detach(), x_hat.detach()  # the equation's own stop-gradients
        return {
            # b1 ||z - E(G_ng(z))||^2, stopped: trains E alone
            "latent_guidance": self.latent_weight * mean_square(z, self.infer(x_hat)),
            # b2 ||x - G(E_ng(x))||^2, stopped: trains G alone
            "image_guidance": self.image_weight * mean_square(x, self.G(z_hat)),
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

    @property
    def capabilities(self) -> frozenset[str]:
        """A critic that compares two pairs has no score of one."""
        return super().capabilities - ({"score"} if self.compares else set())


TITLE, COLOUR = "BiGAN-QP", "#BE2600"
LABELS = {
    "critic/difference": "score of fake minus score of real",
    "potential": "quadratic potential",
    "difference": "score of real minus score of fake",
    "latent_guidance": "z against E(G(z))",
    "image_guidance": "x against G(E(x))",
}
Family = BiGANQP
