"""Small convolutional networks for images of about 28 or 32 pixels: two convolutions of stride 2.

G mirrors E: two linear layers, then two transposed convolutions. H, J and the heads are the MLP
body's. `width` is the units of the linear layers; the convolutions have width / 16 and width / 8
channels (64 and 128 at width 1024). Batch norm in G and E only and first weights are PyTorch's
defaults, for the reasons the MLP body gives.
"""

from itertools import pairwise
from math import prod

from torch import nn

from zoo.networks import mlp
from zoo.networks._layers import halvings
from zoo.networks.mlp import SLOPE


def network(name: str, image_shape: tuple[int, int, int], latent_dim: int, width: int) -> nn.Module:
    """Build one of the shared networks.

    Args:
        name: G, E, mean, scale (E's heads), F, s_x, H, s_z, J or s_xz.
        image_shape: (channels, height, width) of x. Sides that can be halved only once take one
            convolution of stride 2.
        latent_dim: dimensions of z.
        width: units of the linear layers.

    Raises:
        ValueError: no such network, or an image with odd sides.

    """
    match name:
        case "G":
            return _generator(image_shape, latent_dim, width)
        case "E":
            return _trunk(image_shape, width, normed=True)
        case "F":
            return _trunk(image_shape, width, normed=False)
    return mlp.network(name, image_shape, latent_dim, width)


def _trunk(image_shape: tuple[int, int, int], width: int, normed: bool) -> nn.Module:
    channels = _channels(image_shape, width)
    layers: list[nn.Module] = []
    for depth, (inputs, outputs) in enumerate(pairwise(channels)):
        norm = normed and depth > 0  # no norm on the first layer, which sees pixels
        layers.append(nn.Conv2d(inputs, outputs, 4, stride=2, padding=1, bias=not norm))
        layers += [nn.BatchNorm2d(outputs)] if norm else []
        layers.append(nn.LeakyReLU(SLOPE))
    layers += [nn.Flatten(), nn.Linear(prod(_smallest(image_shape, channels)), width, not normed)]
    layers += [nn.BatchNorm1d(width)] if normed else []
    return nn.Sequential(*layers, nn.LeakyReLU(SLOPE))


def _generator(image_shape: tuple[int, int, int], latent_dim: int, width: int) -> nn.Module:
    channels = _channels(image_shape, width)
    smallest = _smallest(image_shape, channels)
    layers: list[nn.Module] = [
        *(nn.Linear(latent_dim, width, bias=False), nn.BatchNorm1d(width), nn.ReLU()),
        *(nn.Linear(width, prod(smallest), bias=False), nn.Unflatten(1, smallest)),
    ]
    for depth, (inputs, outputs) in enumerate(pairwise(channels[::-1]), start=2):
        last = depth == len(channels)  # the others are followed by a norm
        layers += [nn.BatchNorm2d(inputs), nn.ReLU()]
        layers.append(nn.ConvTranspose2d(inputs, outputs, 4, stride=2, padding=1, bias=last))
    return nn.Sequential(*layers, nn.Tanh())


def _channels(image_shape: tuple[int, int, int], width: int) -> list[int]:
    """Return the channels from the image to the smallest map."""
    hidden = [max(1, width // 16), max(1, width // 8)]
    times = min(len(hidden), halvings(image_shape, smallest=1))
    return [image_shape[0], *hidden[-times:]]


def _smallest(image_shape: tuple[int, int, int], channels: list[int]) -> tuple[int, int, int]:
    """Return the shape of the map after all convolutions of stride 2."""
    times = len(channels) - 1
    return channels[-1], image_shape[1] >> times, image_shape[2] >> times
