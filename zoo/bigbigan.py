"""BigBiGAN (small): BiGAN's joint score plus unary scores of x and z, each with its own hinge.

Donahue & Simonyan 2019, "Large Scale Adversarial Representation Learning",
https://arxiv.org/abs/1907.02544, section 2.

    s_x = a . F(x),  s_z = b . H(z),  s_xz = c . J(F(x), H(z)),  h(t) = max(0, 1 - t)

    l_EG(x, z, y) = y (s_x + s_z + s_xz)                         minimised by E and G
    l_D(x, z, y)  = h(y s_x) + h(y s_z) + h(y s_xz)              minimised by F, H, J

with y = +1 for (x, z^ ~ E(x)) and y = -1 for (x^ = G(z), z). The encoder is stochastic:
z^ = mean + softplus(raw scale) * noise. Spectral norm on every layer of the critics.

Small: the shared networks, prior and batch of this benchmark, not a BigGAN and a ResNet-50; their
first weights, spectral norm on the critics only, and one learning rate of 2e-4 with Adam betas 0.5
and 0.999, as small re-implementations use, instead of the paper's large-batch settings. Without
unary terms and with a deterministic encoder this is BiGAN with a hinge loss.
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
    ) -> None:
        encoder = ("E", "mean", "scale") if stochastic else ("E", "mean")
        critic = ("F", "H", "J", "s_xz", *(["s_x"] * unary_x), *(["s_z"] * unary_z))
        super().__init__(build("G", *encoder, *critic, spectral=critic if spectral else ()), prior)
        self.unary_x, self.unary_z, self.stochastic = unary_x, unary_z, stochastic
        self.noise = {"encoder": (prior.dim,)} if stochastic else {}
        lr = {"G": 2e-4} | dict.fromkeys(encoder, 2e-4 * encoder_lr_factor)
        self.players = {
            "discriminator": Player(critic, lr=2e-4),
            "generator_encoder": Player(("G", *encoder), lr=lr),
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
        z_hat = (
            self.draw(batch.x, batch.noise["encoder"]) if self.stochastic else self.infer(batch.x)
        )
        encoder = self._scores(batch.x, z_hat)  # y = +1
        generator = self._scores(self.G(batch.z), batch.z)  # y = -1
        if turn == "discriminator":
            # L_D: three separate hinges; a hinge of the summed scores is another, worse loss
            terms = {f"{name}_encoder": hinge(s, +1) for name, s in encoder.items()}
            terms |= {f"{name}_generator": hinge(s, -1) for name, s in generator.items()}
            return {"discriminator": terms}
        # L_EG: s_x(x) and s_z(z) are part of the sum, though neither E nor G can move them
        terms = {f"{name}_encoder": s.mean() for name, s in encoder.items()}
        terms |= {f"{name}_generator": -s.mean() for name, s in generator.items()}
        return {"generator_encoder": terms}

    def _scores(self, x: Tensor, z: Tensor) -> dict[str, Tensor]:
        f, h = self.F(x), self.H(z)
        scores = {"s_xz": self.s_xz(self.J(f, h)).squeeze(1)}
        if self.unary_x:
            scores["s_x"] = self.s_x(f).squeeze(1)
        if self.unary_z:
            scores["s_z"] = self.s_z(h).squeeze(1)
        return scores


Family = BigBiGAN
