"""The networks of Dumoulin et al. 2017 (ALI) for 25 Gaussians in the plane (the authors' code).

G has four hidden layers and E two, each a linear map without bias, batch norm and ReLU; the last
layers are linear. The discriminator is three maxout layers of five pieces on (x, z) side by side,
half as wide, without batch norm, and a GAN's is the same without z. Weights start at N(0, 0.02^2),
biases at zero. The `width` setting is the paper's 400. Points are in their own coordinates.

Two deviations. The authors' E is a map of (x, noise) to z; here noise enters as it does in the
family, z^ = mu(x) + sigma(x) noise, the form of the authors' image networks. Their E therefore has
two inputs more, and one head less. And batch norm's epsilon is PyTorch's.
"""

from math import prod

from torch import Tensor, cat, nn

PIECES = 5
STD = 0.02
JOINT_CRITIC = ("D",)
IMAGE_RANGE = (-5.0, 5.0)


class Maxout(nn.Module):
    """The largest of five linear maps, unit by unit (Goodfellow et al. 2013)."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.linear, self.shape = linear(inputs, PIECES * outputs), (PIECES, outputs)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, inputs) to (N, outputs)."""
        largest: Tensor = self.linear(x).unflatten(1, self.shape).amax(1)
        return largest


class JointDiscriminator(nn.Module):
    """D(x, z) before the sigmoid."""

    def __init__(self, pixels: int, latent_dim: int, units: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(*_maxouts(pixels + latent_dim, units), linear(units, 1))

    def forward(self, x: Tensor, z: Tensor) -> Tensor:
        """Map (N, C, H, W) and (N, d) to scores (N, 1)."""
        s: Tensor = self.layers(cat([x.flatten(1), z], dim=1))
        return s


def network(name: str, image_shape: tuple[int, int, int], latent_dim: int, width: int) -> nn.Module:
    """Build one of the networks.

    Args:
        name: G, E, mean, scale (E's heads), D, F, s_x, H or s_z.
        image_shape: (channels, height, width) of x.
        latent_dim: dimensions of z.
        width: hidden units of G and E; critics have half as many.

    Raises:
        ValueError: no such network.

    """
    pixels, units = prod(image_shape), width // 2
    match name:
        case "G":
            return nn.Sequential(
                *_hidden(latent_dim, width, layers=4),
                linear(width, pixels),
                nn.Unflatten(1, image_shape),
            )
        case "E":
            return nn.Sequential(nn.Flatten(), *_hidden(pixels, width, layers=2))
        case "mean" | "scale":
            return linear(width, latent_dim)
        case "D":
            return JointDiscriminator(pixels, latent_dim, units)
        case "F":
            return nn.Sequential(nn.Flatten(), *_maxouts(pixels, units))
        case "H":
            return nn.Sequential(*_maxouts(latent_dim, units))
        case "s_x" | "s_z":
            return linear(units, 1)
    raise ValueError(f"the body of ALI's toy has no network called {name!r}")


def linear(inputs: int, outputs: int, bias: bool = True) -> nn.Linear:
    """Return a linear layer, its weights from N(0, 0.02^2), its bias, if any, zero."""
    layer = nn.Linear(inputs, outputs, bias)
    nn.init.normal_(layer.weight, std=STD)
    if bias:
        nn.init.zeros_(layer.bias)
    return layer


def _hidden(inputs: int, width: int, layers: int) -> list[nn.Module]:
    modules: list[nn.Module] = []
    for layer in range(layers):
        weights = linear(width if layer else inputs, width, bias=False)
        modules += [weights, nn.BatchNorm1d(width), nn.ReLU()]
    return modules


def _maxouts(inputs: int, units: int) -> list[nn.Module]:
    return [Maxout(inputs, units), Maxout(units, units), Maxout(units, units)]
