"""Permutation-invariant networks: two hidden layers each, width as a setting.

The controlled tier's default. Batch norm in G and E only: a critic with batch norm sees real and
fake batches under different statistics, which leaks the label. A linear layer before batch norm has
no bias. First weights are PyTorch's defaults, the same for every family.
"""

from math import prod

from torch import Tensor, cat, nn

SLOPE = 0.2


class JointTrunk(nn.Module):
    """(F(x), H(z)) -> features, the trunk of the joint critic."""

    def __init__(self, in_features: int, width: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(in_features, width), nn.LeakyReLU(SLOPE))

    def forward(self, f: Tensor, h: Tensor) -> Tensor:
        """Map F(x) of shape (N, w) and H(z) of shape (N, w / 2) to (N, w)."""
        features: Tensor = self.layers(cat([f, h], dim=1))
        return features


def network(name: str, image_shape: tuple[int, int, int], latent_dim: int, width: int) -> nn.Module:
    """Build one of the shared networks.

    Args:
        name: G, E, mean, scale (E's heads), F, s_x, H, s_z, J or s_xz.
        image_shape: (channels, height, width) of x.
        latent_dim: dimensions of z.
        width: hidden units; H has half as many.

    Raises:
        ValueError: no such network.

    """
    pixels, half = prod(image_shape), width // 2
    match name:
        case "G":
            return nn.Sequential(
                *_batch_normed(latent_dim, width, nn.ReLU()),
                *_batch_normed(width, width, nn.ReLU()),
                *(nn.Linear(width, pixels), nn.Tanh(), nn.Unflatten(1, image_shape)),
            )
        case "E":
            return nn.Sequential(
                *(nn.Flatten(), *_plain(pixels, width)),
                *_batch_normed(width, width, nn.LeakyReLU(SLOPE)),
            )
        case "F":
            return nn.Sequential(nn.Flatten(), *_plain(pixels, width), *_plain(width, width))
        case "H":
            return nn.Sequential(*_plain(latent_dim, half), *_plain(half, half))
        case "J":
            return JointTrunk(width + half, width)
        case "mean" | "scale":
            return nn.Linear(width, latent_dim)
        case "s_x" | "s_xz":
            return nn.Linear(width, 1)
        case "s_z":
            return nn.Linear(half, 1)
    raise ValueError(f"the MLP body has no network called {name!r}")


def _plain(inputs: int, outputs: int) -> list[nn.Module]:
    return [nn.Linear(inputs, outputs), nn.LeakyReLU(SLOPE)]


def _batch_normed(inputs: int, outputs: int, activation: nn.Module) -> list[nn.Module]:
    return [nn.Linear(inputs, outputs, bias=False), nn.BatchNorm1d(outputs), activation]
