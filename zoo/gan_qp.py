"""GAN-QP: a GAN with a quadratic potential instead of a Lipschitz constraint.

Su 2018, "GAN-QP: A Novel GAN Framework without Gradient Vanishing and Lipschitz Constraint",
https://arxiv.org/abs/1811.07296:

    T  = argmax E[ dT - dT^2 / (2 lambda d(x, G(z))) ]
    G  = argmin E[ dT ]
    dT = T(x) - T(G(z))

The paper's critic compares two images, dT = T(x_r, x_f) - T(x_f, x_r); its author found no clear
gain in that and trained the critic of one image above. As in the author's code, the i-th real image
is paired with the i-th fake, each pair has a distance d of its own (the mean absolute difference or
the root mean square, images in [-1, 1]), and Adam's epsilon is Keras's 1e-7. G is not given the
quadratic term, which would train it on d itself.

Deviations of the controlled tier: the shared networks, prior and batch instead of convolutions with
z 128 and batch 64; so no batch norm in the critic, which has biases. The L1 distance is the
default, being the one of BiGAN-QP.
"""

from torch import Tensor

from zoo.game import Batch, Builder, Game, Losses, Player, Turn
from zoo.losses import mean_absolute_each, quadratic_potential
from zoo.priors import Prior


def root_mean_square_each(a: Tensor, b: Tensor) -> Tensor:
    """Return the root mean square difference over each sample's dimensions, shape (N,)."""
    return (a - b).square().flatten(1).mean(1).sqrt()


DISTANCES = {"l1": mean_absolute_each, "l2": root_mean_square_each}


class GANQP(Game):
    """G against an image critic T(x) = s_x(F(x)).

    Args:
        build: makes the networks.
        prior: p(z).
        strength: lambda of the quadratic potential; 2 lambda = 20 in the penalty.
        distance: d, "l1" or "l2".

    """

    def __init__(
        self, build: Builder, prior: Prior, strength: float = 10.0, distance: str = "l1"
    ) -> None:
        if distance not in DISTANCES:
            raise ValueError(f"distance must be one of {', '.join(DISTANCES)}, got {distance!r}")
        super().__init__(build("G", "F", "s_x"), prior)
        self.strength, self.distance = strength, DISTANCES[distance]
        self.players = {
            "critic": Player(("F", "s_x"), lr=2e-4, eps=1e-7),
            "generator": Player(("G",), lr=2e-4, eps=1e-7),
        }
        # Two critic steps to one of G, each on fresh x and z.
        self.turns = (Turn("critic", ("critic",), repeats=2), Turn("generator", ("generator",)))

    def losses(self, turn: str, batch: Batch, step: int) -> Losses:
        """Return the moving player's terms."""
        x, x_hat = batch.x, self.G(batch.z)
        difference = self.score_image(x) - self.score_image(x_hat)  # dT_i
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


Family = GANQP
