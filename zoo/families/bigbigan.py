"""BigBiGAN (small): BiGAN's joint score plus unary scores of x and z, each with its own hinge.

Donahue & Simonyan 2019, "Large Scale Adversarial Representation Learning",
https://arxiv.org/abs/1907.02544, section 2.

    s_x = a . F(x),  s_z = b . H(z),  s_xz = c . J(F(x), H(z)),  h(t) = max(0, 1 - t)

    l_EG(x, z, y) = y (s_x + s_z + s_xz)                         minimised by E and G
    l_D(x, z, y)  = h(y s_x) + h(y s_z) + h(y s_xz)              minimised by F, H, J, a, b, c

with y = +1 for (x, z^ ~ E(x)) and y = -1 for (x^ = G(z), z). The encoder is stochastic:
z^ = mean + softplus(raw scale) * noise. Spectral norm on every layer of the critics.

Small: the shared networks, prior and batch of this benchmark, not a BigGAN and a ResNet-50; their
first weights, spectral norm on the critics only, and one learning rate of 2e-4 with Adam betas 0.5
and 0.999, as small re-implementations use, instead of the paper's large-batch settings. Without
unary terms and with a deterministic encoder this is BiGAN with a hinge loss.

Variants in files of their own: G at a lower resolution than E, and a class condition.
"""

from torch import Tensor
from torch.nn.functional import softplus

from zoo.game import Batch, Builder, Losses, Player, StochasticEncoder, Turn
from zoo.losses import hinge
from zoo.priors import Prior


class BigBiGAN(StochasticEncoder):
    """G and E together against three scores.

    Args:
        build: makes the networks.
        prior: p(z).
        unary_x: use s_x.
        unary_z: use s_z.
        stochastic: draw z^ from q(z|x), else take its mean.
        encoder_lr_factor: E's learning rate over G's ("up E LR" in the paper is 10).
        spectral: spectral norm on the critics.
        average: decay of the average of G's and E's weights, a row of its own; 0 keeps none.

    Raises:
        ValueError: `average` is out of range.

    """

    def __init__(
        self,
        build: Builder,
        prior: Prior,
        unary_x: bool = True,
        unary_z: bool = True,
        stochastic: bool = True,
        encoder_lr_factor: float = 1.0,
        spectral: bool = True,
        average: float = 0.0,
    ) -> None:
        if not 0 <= average < 1:
            raise ValueError(f"average must be in [0, 1), got {average}")
        encoder = ("E", "mean", "scale") if stochastic else ("E", "mean")
        critic = ("F", "H", "J", "s_xz", *(["s_x"] * unary_x), *(["s_z"] * unary_z))
        super().__init__(build("G", *encoder) | build(*critic, spectral=critic * spectral), prior)
        self.unary_x, self.unary_z, self.stochastic = unary_x, unary_z, stochastic
        self.noise = {"encoder": (prior.dim,)} if stochastic else {}
        lr = {"G": 2e-4} | dict.fromkeys(encoder, 2e-4 * encoder_lr_factor)
        self.players = {
            "discriminator": Player(critic, lr=2e-4),
            "generator_encoder": Player(("G", *encoder), lr=lr, average=average or None),
        }
        # Two discriminator steps to one of G and E, each on fresh x and z.
        self.turns = (
            Turn("discriminator", ("discriminator",), repeats=2),
            Turn("generator_encoder", ("generator_encoder",)),
        )

    def scale_of(self, raw: Tensor) -> Tensor:
        """Softplus keeps the scale positive."""
        return softplus(raw)

    def losses(self, turn: str, batch: Batch, step: int) -> Losses:
        """Return the moving player's terms."""
        x, c, z = batch.x, batch.y, batch.z
        z_hat = self.draw(x, batch.noise["encoder"]) if self.stochastic else self.infer(x)
        s_xz, s_x, s_z = self.scores(self.seen(x), z_hat, c)
        t_xz, t_x, t_z = self.scores(self.sample(z, c), z, c)
        scores = {
            "s_xz_encoder": (s_xz, +1),
            "s_x_encoder": (s_x, +1),
            "s_z_encoder": (s_z, +1),
            "s_xz_generator": (t_xz, -1),
            "s_x_generator": (t_x, -1),
            "s_z_generator": (t_z, -1),
        }
        # L_D: separate hinges; a hinge of the summed scores is another, worse loss.
        # L_EG: s_x(x) and s_z(z) are part of the sum, though neither E nor G can move them.
        loss = hinge if turn == "discriminator" else _signed
        return {turn: {name: loss(s, y) for name, (s, y) in scores.items() if s is not None}}

    def scores(
        self, x: Tensor, z: Tensor, c: Tensor
    ) -> tuple[Tensor, Tensor | None, Tensor | None]:
        """Return s_xz, s_x and s_z of pairs, each (N,), None if unused; c are the classes."""
        f, h = self.F(x), self.H(z)
        s_xz = self.s_xz(self.J(f, h)).squeeze(1)
        s_x = self.score_features(f, c) if self.unary_x else None
        s_z = self.s_z(h).squeeze(1) if self.unary_z else None
        return s_xz, s_x, s_z

    # What variants change.

    def sample(self, z: Tensor, c: Tensor) -> Tensor:
        """G(z): (N, d) -> (N, C, H, W)."""
        x: Tensor = self.G(z)
        return x

    def seen(self, x: Tensor) -> Tensor:
        """What the critics see of a real image: (N, C, H, W)."""
        return x

    def score_features(self, f: Tensor, c: Tensor) -> Tensor:
        """Return a . F(x): (N, w) -> (N,)."""
        s: Tensor = self.s_x(f).squeeze(1)
        return s

    def generate(self, z: Tensor) -> Tensor:
        """G(z), which every body that has all networks makes in [-1, 1]."""
        x: Tensor = self.G(self._checked(z))
        return x


def _signed(s: Tensor, y: int) -> Tensor:
    """Return the mean of y s."""
    return y * s.mean()


VARIANTS = {"downscale": "bigbigan_low_resolution", "classes": "bigbigan_classes"}
TITLE, COLOUR = "BigBiGAN", "#DE7300"
LABELS = {
    "s_xz_encoder": "pair score of (x, E(x))",
    "s_x_encoder": "image score of x",
    "s_z_encoder": "latent score of E(x)",
    "s_xz_generator": "minus the pair score of (G(z), z)",
    "s_x_generator": "minus the image score of G(z)",
    "s_z_generator": "minus the latent score of z",
}
Family = BigBiGAN
