"""The convolutional stack of GAN-QP and BiGAN-QP, by its rule, from 28 to 256 pixels.

Su 2018, "GAN-QP", https://arxiv.org/abs/1811.07296, and BiGAN-QP in the same repository,
https://github.com/bojone/gan-qp.

For images of n pixels: 5 x 5 convolutions of stride 2 down to a map of 4 x 4 (7 x 7 for 28 pixels),
the last with 8 n channels and each before it with half as many; G mirrors them. Batch norm in all
of them, critics too, except after a convolution of pixels. The critics have no biases. The joint
critic reads a linear map of F(x) to the size of z beside z itself, so H is the identity; s_z, which
neither family has, is the MLP of the joint critic on z alone. Glorot's uniform first weights,
biases 0.

`width` is the units of that MLP. The papers' is 1024; another width scales all channels with it.
Deviations: padding is symmetric where the authors' library pads one pixel more at the end; batch
norm's running averages move ten times as fast as there, and are recomputed before an evaluation.
"""

from itertools import pairwise
from math import prod

from torch import nn

from zoo.networks._layers import Joint, halvings
from zoo.networks.mlp import SLOPE

SMALLEST = 4
PAPERS_WIDTH = 1024
CHANNELS_PER_PIXEL = 8
EPS = 1e-3
"""Keras's default for batch norm."""


def network(name: str, image_shape: tuple[int, int, int], latent_dim: int, width: int) -> nn.Module:
    """Build one of the shared networks.

    Args:
        name: G, E, mean, scale (E's heads), F, s_x, H, s_z, J or s_xz.
        image_shape: (channels, height, width) of x.
        latent_dim: dimensions of z; 128 up to 128 pixels and 256 at 256 in the papers.
        width: units of the joint critic's MLP.

    Raises:
        ValueError: no such network, or an image with odd sides.

    """
    channels = _channels(image_shape, width)
    times = len(channels) - 1
    smallest = (channels[-1], image_shape[1] >> times, image_shape[2] >> times)
    features = prod(smallest)
    match name:
        case "G":
            found: nn.Module = _upwards(latent_dim, smallest, channels[::-1])
        case "E":
            found = _downwards(channels, bias=True)
        case "F":
            found = _downwards(channels, bias=False)
        case "mean" | "scale":
            found = nn.Linear(features, latent_dim)
        case "s_x":
            found = nn.Linear(features, 1, bias=False)
        case "H":
            found = nn.Identity()
        case "s_z":
            found = nn.Sequential(_mlp(latent_dim, width), nn.Linear(width, 1, bias=False))
        case "J":
            project = nn.Linear(features, latent_dim, bias=False)
            found = Joint(_mlp(2 * latent_dim, width), project)
        case "s_xz":
            found = nn.Linear(width, 1, bias=False)
        case _:
            raise ValueError(f"the QP body has no network called {name!r}")
    return found.apply(_initialise)


def _channels(image_shape: tuple[int, int, int], width: int) -> list[int]:
    """Return the channels from the image to the smallest map."""
    times = halvings(image_shape, SMALLEST)
    last = CHANNELS_PER_PIXEL * min(image_shape[1:]) * width // PAPERS_WIDTH
    return [image_shape[0], *(max(1, last >> (times - i)) for i in range(1, times + 1))]


def _downwards(channels: list[int], bias: bool) -> nn.Module:
    layers: list[nn.Module] = []
    for inputs, outputs in pairwise(channels):
        norm = [nn.BatchNorm2d(outputs, EPS)] if layers else []
        layers.append(nn.Conv2d(inputs, outputs, 5, stride=2, padding=2, bias=bias))
        layers += [*norm, nn.LeakyReLU(SLOPE)]
    return nn.Sequential(*layers, nn.Flatten())


def _upwards(latent_dim: int, smallest: tuple[int, int, int], channels: list[int]) -> nn.Module:
    units = prod(smallest)  # normalised each by itself: the author reshapes after the ReLU
    layers: list[nn.Module] = [nn.Linear(latent_dim, units), nn.BatchNorm1d(units, EPS), nn.ReLU()]
    layers.append(nn.Unflatten(1, smallest))
    for inputs, outputs in pairwise(channels):
        layers.append(nn.ConvTranspose2d(inputs, outputs, 5, stride=2, padding=2, output_padding=1))
        layers += [nn.BatchNorm2d(outputs, EPS), nn.ReLU()]
    return nn.Sequential(*layers[:-2], nn.Tanh())


def _mlp(inputs: int, width: int) -> nn.Module:
    return nn.Sequential(
        *(nn.Linear(inputs, width, bias=False), nn.LeakyReLU(SLOPE)),
        *(nn.Linear(width, width, bias=False), nn.LeakyReLU(SLOPE)),
    )


def _initialise(module: nn.Module) -> None:
    if isinstance(module, (nn.Linear, nn.Conv2d, nn.ConvTranspose2d)):
        nn.init.xavier_uniform_(module.weight)
        if module.bias is not None:
            nn.init.zeros_(module.bias)
