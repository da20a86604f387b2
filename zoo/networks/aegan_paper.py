"""The convolutions of Lazarou 2020 (AEGAN) for 28 x 28 images, as in the author's code.

Layers and sizes are those of its settings for 28 x 28; their batch norm is replaced by what the
author's last version has everywhere, layer norm over the channels of each pixel. Kernels are 4 x 4
with Keras's "same" padding; weights start at N(0, 0.02^2), those of the latent critic and of G's
second path at Glorot's uniform, biases at zero. The `width` setting is the paper's 64: the channels
of the first layers.

G's first layer norm, too, is over the channels of each position: whether the author normalises
before or after the reshape is not known here.

Noise on the inputs of E and of the critics is the family's (`aegan`), since random numbers have
streams of their own. The author's multiplicative noise inside the networks (Gaussian dropout at
rate 0.005) is left out.
"""

from collections.abc import Sequence
from itertools import pairwise
from math import ceil

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

KERNEL = 4
STRIDES = (2, 2, 2, 1)
IMAGE_SLOPE, LATENT_SLOPE = 0.02, 0.02
STD = 0.02
DENSE_LAYERS, DENSE_WIDTH = 16, 16


class ChannelNorm(nn.Module):
    """Layer norm over the channel axis alone, each position by itself (Keras's default)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(channels, eps=1e-3)

    def forward(self, x: Tensor) -> Tensor:
        """Normalise (N, C, H, W) over C."""
        normed: Tensor = self.norm(x.movedim(1, -1))
        return normed.movedim(-1, 1)


class Generator(nn.Module):
    """z -> x, with a second path from z concatenated before every convolution."""

    def __init__(self, latent_dim: int, width: int, image_shape: tuple[int, int, int]) -> None:
        super().__init__()
        channels, *size = image_shape
        start = [ceil(n / 4) for n in size]  # doubled twice, and cropped if 4 does not divide it
        self.start = nn.Sequential(
            dense(latent_dim, width * start[0] * start[1]),
            nn.Unflatten(1, (width, *start)),
            ChannelNorm(width),
            nn.ReLU(),
        )
        self.style = nn.Sequential(glorot(latent_dim, width), nn.LayerNorm(width, eps=1e-3))
        widths = (width, 2 * width, width, width)
        self.convolutions = nn.ModuleList(
            nn.Sequential(conv(w + width, v, 1, size), ChannelNorm(v), nn.ReLU())
            for w, v in pairwise(widths)
        )
        self.image = nn.Sequential(conv(2 * width, channels, 1, size), nn.Tanh())
        self.size = tuple(size)

    def forward(self, z: Tensor) -> Tensor:
        """Map (N, d) to (N, C, H, W)."""
        style: Tensor = torch.relu(self.style(z))
        x: Tensor = self.start(z)
        for layer, scale in zip([*self.convolutions, self.image], (2, 2, 1, 1), strict=True):
            x = interpolate(x, scale_factor=scale) if scale > 1 else x
            x = layer(torch.cat([x, style[:, :, None, None].expand(-1, -1, *x.shape[2:])], dim=1))
        height, breadth = self.size
        return x[:, :, :height, :breadth]


class LatentTrunk(nn.Module):
    """z -> features: densely connected layers, each of which sees everything before it."""

    def __init__(self, latent_dim: int, outputs: int) -> None:
        super().__init__()
        seen = [latent_dim + i * DENSE_WIDTH for i in range(DENSE_LAYERS + 1)]
        self.layers = nn.ModuleList(
            nn.Sequential(
                glorot(inputs, DENSE_WIDTH),
                nn.LayerNorm(DENSE_WIDTH, eps=1e-3),
                nn.LeakyReLU(LATENT_SLOPE),
            )
            for inputs in seen[:-1]
        )
        self.last = nn.Sequential(glorot(seen[-1], outputs), nn.LeakyReLU(LATENT_SLOPE))

    def forward(self, z: Tensor) -> Tensor:
        """Map (N, d) to (N, w)."""
        for layer in self.layers:
            z = torch.cat([z, layer(z)], dim=1)
        features: Tensor = self.last(z)
        return features


def network(name: str, image_shape: tuple[int, int, int], latent_dim: int, width: int) -> nn.Module:
    """Build one of the networks.

    Args:
        name: G, E, mean, scale (E's heads), F, s_x, H or s_z.
        image_shape: (channels, height, width) of x.
        latent_dim: dimensions of z.
        width: channels of the first layers; H has twice as many units at its end.

    Raises:
        ValueError: no such network.

    """
    match name:
        case "G":
            return Generator(latent_dim, width, image_shape)
        case "E":
            return trunk(image_shape, width, nn.ReLU())
        case "F":
            return trunk(image_shape, width, nn.LeakyReLU(IMAGE_SLOPE))
        case "H":
            return LatentTrunk(latent_dim, 2 * width)
        case "mean" | "scale":
            return dense(features(image_shape, width), latent_dim)
        case "s_x":
            return dense(features(image_shape, width), 1)
        case "s_z":
            return glorot(2 * width, 1)
    raise ValueError(f"AEGAN's body has no network called {name!r}")


def trunk(image_shape: tuple[int, int, int], width: int, activation: nn.Module) -> nn.Sequential:
    """Return the four convolutions of E and of the image critic, flattened at the end."""
    layers: list[nn.Module] = []
    inputs, *size = image_shape
    for stride, outputs in zip(STRIDES, (width, width, 2 * width, 2 * width), strict=True):
        layers += [conv(inputs, outputs, stride, size), ChannelNorm(outputs), activation]
        inputs, size = outputs, [ceil(n / stride) for n in size]
    return nn.Sequential(*layers, nn.Flatten())


def features(image_shape: tuple[int, int, int], width: int) -> int:
    """Return how many numbers the trunk ends in."""
    height, breadth = image_shape[1:]
    for stride in STRIDES:
        height, breadth = ceil(height / stride), ceil(breadth / stride)
    return 2 * width * height * breadth


def conv(inputs: int, outputs: int, stride: int, size: Sequence[int]) -> nn.Sequential:
    """Return a 4 x 4 convolution whose output is its input's size / stride, rounded up.

    The padding is Keras's: as even as possible, the odd row and column below and on the right.
    """
    layer = nn.Conv2d(inputs, outputs, KERNEL, stride)
    nn.init.normal_(layer.weight, std=STD)
    nn.init.zeros_(layer.bias)  # type: ignore[arg-type]  # it has one
    height, breadth = (max((ceil(n / stride) - 1) * stride + KERNEL - n, 0) for n in size)
    left, above = breadth // 2, height // 2
    return nn.Sequential(nn.ZeroPad2d((left, breadth - left, above, height - above)), layer)


def dense(inputs: int, outputs: int) -> nn.Linear:
    """Return a linear layer with weights from N(0, 0.02^2)."""
    layer = nn.Linear(inputs, outputs)
    nn.init.normal_(layer.weight, std=STD)
    nn.init.zeros_(layer.bias)
    return layer


def glorot(inputs: int, outputs: int) -> nn.Linear:
    """Return a linear layer with Glorot's uniform weights."""
    layer = nn.Linear(inputs, outputs)
    nn.init.xavier_uniform_(layer.weight)
    nn.init.zeros_(layer.bias)
    return layer
