"""GAN-QP: a GAN with a quadratic potential instead of a Lipschitz constraint.

Su 2018, "GAN-QP: A Novel GAN Framework without Gradient Vanishing and Lipschitz Constraint",
https://arxiv.org/abs/1811.07296:

    T  = argmax E[ dT - dT^2 / (2 lambda d(x, G(z))) ]
    G  = argmin E[ dT ]
    dT = T(x) - T(G(z))

The paper's critic compares two images, dT = T(x_r, x_f) - T(x_f, x_r); its author found no clear
gain in that and trained the critic of one image above. Both are here. As in the author's code, the
i-th real image is paired with the i-th fake, each pair has a distance d of its own (the mean
absolute difference or the root mean square, images in [-1, 1]), and Adam's epsilon is Keras's 1e-7.
G is not given the quadratic term, which would train it on d itself.

Deviations of the controlled tier: the shared networks, prior and batch instead of convolutions with
z 128 and batch 64; so no batch norm in the critic, which has biases. The L1 distance is the
default, being the one of BiGAN-QP.
"""

from torch import Tensor, cat

from zoo.game import Batch, Builder, Game, Losses, Player, Turn
from zoo.losses import mean_absolute_each, quadratic_potential
from zoo.priors import Prior


def root_mean_square_each(a: Tensor, b: Tensor) -> Tensor:
    """Return the root mean square difference over each sample's dimensions, shape (N,)."""
    return (a - b).square().flatten(1).mean(1).sqrt()


DISTANCES = {"l1": mean_absolute_each, "l2": root_mean_square_each}


class GANQP(Game):
    """G against an image critic T(x) = s_x(F(x)), or of two images joined along channels.

    Args:
        build: makes the networks.
        prior: p(z).
        strength: lambda of the quadratic potential; 2 lambda = 20 in the penalty.
        distance: d, "l1" or "l2".
        compares: the critic is T(x_r, x_f), the paper's form; then no image has a score of its own.
        spectral: spectral norm on the critic.

    """

    def __init__(
        self,
        build: Builder,
        prior: Prior,
        strength: float = 10.0,
        distance: str = "l1",
        compares: bool = False,
        spectral: bool = False,
    ) -> None:
        if distance not in DISTANCES:
            raise ValueError(f"distance must be one of {', '.join(DISTANCES)}, got {distance!r}")
        critic = ("F", "s_x")
        build_critic = build.of_two() if compares else build
        networks = build_critic(*critic, spectral=critic if spectral else ())
        super().__init__(build("G") | networks, prior)
        self.strength, self.distance, self.compares = strength, DISTANCES[distance], compares
        self.players = {
            "critic": Player(critic, lr=2e-4, eps=1e-7),
            "generator": Player(("G",), lr=2e-4, eps=1e-7),
        }
        # Two critic steps to one of G, each on fresh x and z.
        self.turns = (Turn("critic", ("critic",), repeats=2), Turn("generator", ("generator",)))

    def losses(self, turn: str, batch: Batch, step: int) -> Losses:
        """Return the moving player's terms."""
        x, x_hat = batch.x, self.G(batch.z)
        difference = self._difference(x, x_hat)
        if turn == "generator":
            # T(x) is part of the sum, though G cannot move it
            return {"generator": {"difference": difference.mean()}}
        return {
            "critic": {
                "difference": -difference.mean(),
                "potential": quadratic_potential(
                    difference, self.distance(x, x_hat), self.strength
                ),
            }
        }

    def _difference(self, real: Tensor, fake: Tensor) -> Tensor:
        """Return dT_i, the i-th real image paired with the i-th fake, (N,)."""
        if self.compares:
            orders = cat([real, fake], dim=1), cat([fake, real], dim=1)
            return self.score_image(orders[0]) - self.score_image(orders[1])
        return self.score_image(real) - self.score_image(fake)

    @property
    def capabilities(self) -> frozenset[str]:
        """A critic that compares two images has no score of one."""
        return super().capabilities - ({"score"} if self.compares else set())


TITLE, COLOUR = "GAN-QP", "#C2559A"
LABELS = {
    "critic/difference": "score of fake minus score of real",
    "potential": "quadratic potential",
    "difference": "score of real minus score of fake",
}
Family = GANQP
