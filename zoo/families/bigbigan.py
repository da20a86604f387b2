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

Variants: E may see images at a higher resolution than G's, and the critics these images average-
pooled (the authors' demo); G and s_x may know the class c (small re-implementations), by G(z, c)
and a projection v_c . F(x) added to s_x (Miyato & Koyama 2018).
"""

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d, interpolate, softplus

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
        downscale: E's resolution over that of G and the critics.
        classes: condition G and s_x on this many classes; 0 is unconditional.

    Raises:
        ValueError: an option is out of range, or `downscale` does not divide the images' sides.

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
        downscale: int = 1,
        classes: int = 0,
    ) -> None:
        if classes < 0 or (classes and not unary_x):
            raise ValueError("classes must be 0, or positive and with unary_x, which sees them")
        if not 0 <= average < 1:
            raise ValueError(f"average must be in [0, 1), got {average}")
        encoder = ("E", "mean", "scale") if stochastic else ("E", "mean")
        critic = ("F", "H", "J", "s_xz", *(["s_x"] * unary_x), *(["s_z"] * unary_z))
        smaller = build.varied(downscale) if downscale != 1 else build
        of_class = smaller.varied(more_latents=classes) if classes else smaller
        networks = of_class("G") | build(*encoder) | smaller(*critic, spectral=critic * spectral)
        if classes:
            networks["s_xc"] = build.head("s_xc", networks["s_x"], classes, spectral)
            critic = (*critic, "s_xc")
        super().__init__(networks, prior)
        self.unary_x, self.unary_z, self.stochastic = unary_x, unary_z, stochastic
        self.downscale, self.classes = downscale, classes
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
        encoder = self._scores(self._pooled(x), z_hat, c)  # y = +1
        generator = self._scores(self._sample(z, c), z, c)  # y = -1
        if turn == "discriminator":
            # L_D: three separate hinges; a hinge of the summed scores is another, worse loss
            terms = {f"{name}_encoder": hinge(s, +1) for name, s in encoder.items()}
            terms |= {f"{name}_generator": hinge(s, -1) for name, s in generator.items()}
            return {"discriminator": terms}
        # L_EG: s_x(x) and s_z(z) are part of the sum, though neither E nor G can move them
        terms = {f"{name}_encoder": s.mean() for name, s in encoder.items()}
        terms |= {f"{name}_generator": -s.mean() for name, s in generator.items()}
        return {"generator_encoder": terms}

    def _scores(self, x: Tensor, z: Tensor, c: Tensor) -> dict[str, Tensor]:
        f, h = self.F(x), self.H(z)
        scores = {"s_xz": self.s_xz(self.J(f, h)).squeeze(1)}
        if self.unary_x:
            scores["s_x"] = self.s_x(f).squeeze(1)
        if self.classes:
            s_xc = self.get_submodule("s_xc")(f)
            scores["s_x"] = scores["s_x"] + (s_xc * self._one_hot(c)).sum(1)
        if self.unary_z:
            scores["s_z"] = self.s_z(h).squeeze(1)
        return scores

    def _sample(self, z: Tensor, c: Tensor) -> Tensor:
        x: Tensor = self.G(torch.cat([z, self._one_hot(c)], 1) if self.classes else z)
        return x

    def _one_hot(self, c: Tensor) -> Tensor:
        return (c.unsqueeze(1) == torch.arange(self.classes, device=c.device)).float()

    def _pooled(self, x: Tensor) -> Tensor:
        return avg_pool2d(x, self.downscale) if self.downscale > 1 else x

    @property
    def capabilities(self) -> frozenset[str]:
        """What the base says, less what would need an image's class."""
        return super().capabilities - ({"reconstruct", "score"} if self.classes else set())

    def generate(self, z: Tensor) -> Tensor:
        """G(z) at E's resolution; with classes they take turns along the batch."""
        x = self._sample(z, torch.arange(len(z), device=z.device) % max(1, self.classes))
        return interpolate(x, scale_factor=self.downscale) if self.downscale > 1 else x

    def score(self, x: Tensor, z: Tensor) -> Tensor:
        """The sum of the scores of (x, z), the critics at their own resolution."""
        return super().score(self._pooled(x), z)


TITLE, COLOUR = "BigBiGAN", "#E69F00"
Family = BigBiGAN
