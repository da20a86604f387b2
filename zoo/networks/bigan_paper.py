"""The permutation-invariant networks of Donahue et al. 2017 (the authors' code).

Two hidden layers each (1,024 units in the paper). No bias anywhere; batch norm without gain and
shift, in the discriminator too. z enters D and G by a linear map of its own that is added to the
second hidden layer before its batch norm; D(x, z) is one network, not trunks that meet. First
weights are N(0, 0.02^2), zero in the discriminators' output layers, so that every loss starts at
its value for a coin. Images are in [0, 1].

As a "GAN" of the paper's table uses them, F and s_x are D without its z.
"""

from math import prod

from torch import Tensor, nn

SLOPE = 0.2
EPS = 1e-8
STD = 0.02
JOINT_CRITIC = ("D",)
IMAGE_RANGE = (0.0, 1.0)


class Generator(nn.Module):
    """z -> x in [0, 1], with z again at the second hidden layer."""

    def __init__(self, latent_dim: int, width: int, image_shape: tuple[int, int, int]) -> None:
        super().__init__()
        self.first = nn.Sequential(linear(latent_dim, width), batch_norm(width), nn.ReLU())
        self.hidden, self.skip = linear(width, width), linear(latent_dim, width)
        self.image = nn.Sequential(
            batch_norm(width),
            nn.ReLU(),
            linear(width, prod(image_shape)),
            nn.Sigmoid(),
            nn.Unflatten(1, image_shape),
        )

    def forward(self, z: Tensor) -> Tensor:
        """Map (N, d) to (N, C, H, W)."""
        x: Tensor = self.image(self.hidden(self.first(z)) + self.skip(z))
        return x


class JointDiscriminator(nn.Module):
    """D(x, z) before the sigmoid; z at the second hidden layer alone."""

    def __init__(self, pixels: int, latent_dim: int, width: int) -> None:
        super().__init__()
        self.first = nn.Sequential(nn.Flatten(), linear(pixels, width), nn.LeakyReLU(SLOPE))
        self.hidden, self.of_z = linear(width, width), linear(latent_dim, width)
        self.score = nn.Sequential(batch_norm(width), nn.LeakyReLU(SLOPE), zero_linear(width))

    def forward(self, x: Tensor, z: Tensor) -> Tensor:
        """Map (N, C, H, W) and (N, d) to scores (N, 1)."""
        s: Tensor = self.score(self.hidden(self.first(x)) + self.of_z(z))
        return s


def network(name: str, image_shape: tuple[int, int, int], latent_dim: int, width: int) -> nn.Module:
    """Build one of the networks.

    Args:
        name: G, E, mean, scale (E's heads), D, F or s_x.
        image_shape: (channels, height, width) of x.
        latent_dim: dimensions of z.
        width: hidden units.

    Raises:
        ValueError: no such network.

    """
    pixels = prod(image_shape)
    match name:
        case "G":
            return Generator(latent_dim, width, image_shape)
        case "D":
            return JointDiscriminator(pixels, latent_dim, width)
        case "E" | "F":
            return nn.Sequential(
                nn.Flatten(),
                linear(pixels, width),
                nn.LeakyReLU(SLOPE),
                linear(width, width),
                batch_norm(width),
                nn.LeakyReLU(SLOPE),
            )
        case "mean" | "scale":
            return linear(width, latent_dim)
        case "s_x":
            return zero_linear(width)
    raise ValueError(f"the BiGAN paper's body has no network called {name!r}")


def linear(inputs: int, outputs: int) -> nn.Linear:
    """Return a linear layer without bias, its weights from N(0, 0.02^2)."""
    layer = nn.Linear(inputs, outputs, bias=False)
    nn.init.normal_(layer.weight, std=STD)
    return layer


def zero_linear(inputs: int) -> nn.Linear:
    """Return a discriminator's output layer: no bias, all weights zero."""
    layer = nn.Linear(inputs, 1, bias=False)
    nn.init.zeros_(layer.weight)
    return layer


def batch_norm(width: int) -> nn.BatchNorm1d:
    """Return batch norm without gain and shift."""
    return nn.BatchNorm1d(width, eps=EPS, affine=False)
