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
step per generator-encoder step with those weights 2 : 1 : 1 instead of the author's order
(`aegan_blocks`); and the critics' fakes are made in training mode. The author makes them in
inference mode, which there switches noise and dropout off; here it would switch batch norm to
running statistics of mixed batches, and the critics would judge other fakes than G and E are.
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
        input_noise: standard deviation of what is added to the inputs of E and both critics, afresh
            at each of them. The critics' fakes are made without it.
        half_life: steps in which both reconstruction weights halve; 0: they stay.

    """

    def __init__(
        self,
        build: Builder,
        prior: Prior,
        image_weight: float = 10.0,
        latent_weight: float = 5.0,
        input_noise: float = 0.0,
        half_life: int = 0,
    ) -> None:
        if input_noise < 0 or half_life < 0:
            raise ValueError(f"input_noise {input_noise} and half_life {half_life} must be >= 0")
        super().__init__(build("G", "E", "mean", "F", "s_x", "H", "s_z"), prior)
        self.image_weight, self.latent_weight = image_weight, latent_weight
        self.input_noise, self.half_life = input_noise, half_life
        if input_noise:
            self.noise = {"image": (4, *build.image_shape), "latent": (3, prior.dim)}
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
        if turn == "critics":
            return self._critics(batch)
        return {"generator_encoder": self._generator_encoder(batch, step)}

    def _critics(self, batch: Batch) -> Losses:
        x, z = batch.x, batch.z
        x_hat, z_hat = self.G(z), self.infer(x)
        x_til, z_til = self.G(z_hat), self.infer(x_hat)
        x, x_hat, x_til = (
            self.noisy(v, batch, "image", i) for i, v in enumerate((x, x_hat, x_til))
        )
        z, z_hat, z_til = (
            self.noisy(v, batch, "latent", i) for i, v in enumerate((z, z_hat, z_til))
        )
        s_x, s_x_hat, s_x_til = map(self.score_image, (x, x_hat, x_til))
        s_z, s_z_hat, s_z_til = map(self.score_latent, (z, z_hat, z_til))
        return {
            # L_Dx = 1/2 real + 1/4 hat + 1/4 tilde, with smoothed labels
            "image_critic": {
                "real": 0.5 * bce(s_x, REAL),
                "hat": 0.25 * bce(s_x_hat, FAKE),
                "tilde": 0.25 * bce(s_x_til, FAKE),
            },
            # L_Dz: the same of latents
            "latent_critic": {
                "real": 0.5 * bce(s_z, REAL),
                "hat": 0.25 * bce(s_z_hat, FAKE),
                "tilde": 0.25 * bce(s_z_til, FAKE),
            },
        }

    def _generator_encoder(self, batch: Batch, step: int) -> dict[str, Tensor]:
        x, z = batch.x, batch.z
        x_hat, z_hat = self.G(z), self.infer(self.noisy(x, batch, "image", 0))
        x_til, z_til = self.G(z_hat), self.infer(self.noisy(x_hat, batch, "image", 1))
        left = 0.5 ** (step / self.half_life) if self.half_life else 1.0
        s_x_hat = self.score_image(self.noisy(x_hat, batch, "image", 2))
        s_x_til = self.score_image(self.noisy(x_til, batch, "image", 3))
        s_z_hat = self.score_latent(self.noisy(z_hat, batch, "latent", 0))
        s_z_til = self.score_latent(self.noisy(z_til, batch, "latent", 1))
        return {
            "image_reconstruction": left * self.image_weight * mean_absolute(x, x_til),
            "latent_reconstruction": left * self.latent_weight * mean_square(z, z_til),
            "image_sample": called_real(s_x_hat),  # - log Dx(x^)
            "image_reconstructed": called_real(s_x_til),  # - log Dx(x~)
            "latent_code": called_real(s_z_hat),  # - log Dz(z^)
            "latent_reconstructed": called_real(s_z_til),  # - log Dz(z~)
        }

    def noisy(self, value: Tensor, batch: Batch, kind: str, which: int) -> Tensor:
        """Add the input noise, if there is any, to images or latents; `which` draw of the batch."""
        if self.input_noise == 0:
            return value
        return value + self.input_noise * batch.noise[kind][:, which]


VARIANTS = {"blocks": "aegan_blocks"}
TITLE, COLOUR = "AEGAN", "#00706C"
LABELS = {
    "real": "x called real",
    "image_critic/hat": "G(z) called fake",
    "image_critic/tilde": "G(E(x)) called fake",
    "latent_critic/real": "z called a prior draw",
    "latent_critic/hat": "E(x) called no prior draw",
    "latent_critic/tilde": "E(G(z)) called no prior draw",
    "image_reconstruction": "x against G(E(x))",
    "latent_reconstruction": "z against E(G(z))",
    "image_sample": "G(z) called real",
    "image_reconstructed": "G(E(x)) called real",
    "latent_code": "E(x) called a prior draw",
    "latent_reconstructed": "E(G(z)) called a prior draw",
}
Family = AEGAN
