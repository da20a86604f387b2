"""Residual networks after BigGAN, for images of 28, 32 or 64 pixels.

Brock et al. 2019, "Large Scale GAN Training for High Fidelity Natural Image Synthesis",
https://arxiv.org/abs/1809.11096; E's and the critics' residual MLPs after Donahue & Simonyan 2019,
https://arxiv.org/abs/1907.02544.

G doubles a map of 4 x 4 (7 x 7 for 28 pixels) once per residual block; F and E mirror it, then
have one more block, and F sums while E averages over positions. `width` is the base number of
channels: the largest map has `width`, and every halving doubles them. The MLPs have 4 width units.

z is hierarchical: it makes the smallest map and the gain and shift of every batch norm in G's
blocks. All blocks get the whole of z, as in BigGAN's deep variant, so that any latent size will do;
gain and shift start at 1 and 0. Orthogonal first weights, biases 0. Batch norm in G and E only.
"""

from itertools import pairwise
from math import prod

from torch import Tensor, nn
from torch.nn.functional import interpolate, relu

from zoo.networks._layers import Joint, Residual, SelfAttention, halvings
from zoo.networks.mlp import SLOPE

SMALLEST = 4
UNITS = 4
"""Units of the MLPs over the base number of channels."""
E_BLOCKS, CRITIC_BLOCKS = 2, 3
"""Residual blocks of the MLPs."""


def network(
    name: str,
    image_shape: tuple[int, int, int],
    latent_dim: int,
    width: int,
    attention: bool = False,
) -> nn.Module:
    """Build one of the shared networks.

    Args:
        name: G, E, mean, scale (E's heads), F, s_x, H, s_z, J or s_xz.
        image_shape: (channels, height, width) of x.
        latent_dim: dimensions of z.
        width: channels of the largest map.
        attention: self-attention in G and F, on maps of half the image's sides.

    Raises:
        ValueError: no such network, or an image with odd sides.

    """
    top, units = _channels(image_shape, width)[-1], UNITS * width
    match name:
        case "G":
            found: nn.Module = Generator(image_shape, latent_dim, width, attention)
        case "E":
            averaged = (nn.BatchNorm2d(top), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten())
            blocks = _blocks(image_shape, width, normed=True)
            found = nn.Sequential(*blocks, *averaged, *_mlp(top, units, E_BLOCKS, normed=True))
        case "F":
            blocks = _blocks(image_shape, width, normed=False, attention=attention)
            found = nn.Sequential(*blocks, nn.ReLU(), Sum())
        case "H":
            found = nn.Sequential(*_mlp(latent_dim, units, CRITIC_BLOCKS))
        case "J":
            found = Joint(nn.Sequential(*_mlp(top + units, units, CRITIC_BLOCKS)))
        case "mean" | "scale":
            found = nn.Linear(units, latent_dim)
        case "s_x":
            found = nn.Linear(top, 1)
        case "s_z" | "s_xz":
            found = nn.Linear(units, 1)
        case _:
            raise ValueError(f"the ResNet body has no network called {name!r}")
    return found.apply(_initialise)


class Generator(nn.Module):
    """z -> x, every block conditioned on z."""

    def __init__(
        self, image_shape: tuple[int, int, int], latent_dim: int, width: int, attention: bool
    ) -> None:
        super().__init__()
        channels = _channels(image_shape, width)[::-1]
        times = len(channels)
        smallest = (channels[0], image_shape[1] >> times, image_shape[2] >> times)
        self.start = nn.Sequential(nn.Linear(latent_dim, prod(smallest)), nn.Unflatten(1, smallest))
        self.blocks = nn.ModuleList(
            UpBlock(inputs, outputs, latent_dim)
            for inputs, outputs in pairwise([channels[0], *channels])
        )
        last_inputs = channels[max(0, times - 2)]
        self.attend = SelfAttention(last_inputs) if attention else nn.Identity()
        self.end = nn.Sequential(
            *(nn.BatchNorm2d(width), nn.ReLU()),
            *(nn.Conv2d(width, image_shape[0], 3, padding=1), nn.Tanh()),
        )

    def forward(self, z: Tensor) -> Tensor:
        """Map (N, d) to images (N, C, H, W) in [-1, 1]."""
        x = self.start(z)
        for block in self.blocks[:-1]:
            x = block(x, z)
        x = self.blocks[-1](self.attend(x), z)
        images: Tensor = self.end(x)
        return images


class UpBlock(nn.Module):
    """A residual block of G that doubles the map."""

    def __init__(self, inputs: int, outputs: int, latent_dim: int) -> None:
        super().__init__()
        self.norm1 = ConditionalNorm(inputs, latent_dim)
        self.conv1 = nn.Conv2d(inputs, outputs, 3, padding=1, bias=False)
        self.norm2 = ConditionalNorm(outputs, latent_dim)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1)
        self.skip = nn.Conv2d(inputs, outputs, 1)

    def forward(self, x: Tensor, z: Tensor) -> Tensor:
        """Map (N, a, H, W) and (N, d) to (N, b, 2H, 2W)."""
        h = interpolate(relu(self.norm1(x, z)), scale_factor=2)
        h = self.conv2(relu(self.norm2(self.conv1(h), z)))
        total: Tensor = h + interpolate(self.skip(x), scale_factor=2)
        return total


class ConditionalNorm(nn.Module):
    """Batch norm whose gain, 1 + A z, and shift, B z, come from z."""

    def __init__(self, channels: int, latent_dim: int) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(channels, affine=False)
        self.gain = nn.Linear(latent_dim, channels, bias=False)
        self.shift = nn.Linear(latent_dim, channels, bias=False)

    def forward(self, x: Tensor, z: Tensor) -> Tensor:
        """Map (N, C, H, W) and (N, d) to the shape of x."""
        gain, shift = (layer(z)[:, :, None, None] for layer in (self.gain, self.shift))
        normed: Tensor = self.norm(x) * (1 + gain) + shift
        return normed


class Sum(nn.Module):
    """The sum over positions: (N, C, H, W) -> (N, C)."""

    def forward(self, x: Tensor) -> Tensor:
        """Sum over height and width."""
        return x.sum(dim=(2, 3))


def _channels(image_shape: tuple[int, int, int], width: int) -> list[int]:
    """Return the channels of the maps of F and E, from the largest map to the smallest."""
    return [width * 2**i for i in range(halvings(image_shape, SMALLEST))]


def _blocks(
    image_shape: tuple[int, int, int], width: int, normed: bool, attention: bool = False
) -> list[nn.Module]:
    """Return the blocks of E or F: each halves the map, then one keeps its size."""
    channels = _channels(image_shape, width)
    first = _block(image_shape[0], width, normed, down=True, first=True)
    attend = [SelfAttention(width)] if attention else []
    halving = [_block(inputs, outputs, normed, down=True) for inputs, outputs in pairwise(channels)]
    return [first, *attend, *halving, _block(channels[-1], channels[-1], normed, down=False)]


def _block(inputs: int, outputs: int, normed: bool, down: bool, first: bool = False) -> nn.Module:
    """Return a residual block of E or F; the first one sees pixels and activates nothing before."""
    norm = nn.BatchNorm2d if normed else nn.Identity
    pool = [nn.AvgPool2d(2)] if down else []
    layers = nn.Sequential(
        *([] if first else [norm(inputs), nn.ReLU()]),
        *(nn.Conv2d(inputs, outputs, 3, padding=1, bias=not normed), norm(outputs), nn.ReLU()),
        *(nn.Conv2d(outputs, outputs, 3, padding=1), *pool),
    )
    widen = [nn.Conv2d(inputs, outputs, 1)] if inputs != outputs else []
    return Residual(layers, nn.Sequential(*pool, *widen))


def _mlp(inputs: int, units: int, blocks: int, normed: bool = False) -> list[nn.Module]:
    """Return a linear layer, residual blocks of two more each, and an activation."""
    norm = nn.BatchNorm1d if normed else nn.Identity

    def layers() -> nn.Module:
        return nn.Sequential(
            *(norm(units), nn.LeakyReLU(SLOPE), nn.Linear(units, units, bias=not normed)),
            *(norm(units), nn.LeakyReLU(SLOPE), nn.Linear(units, units)),
        )

    residual = [Residual(layers(), nn.Identity()) for _ in range(blocks)]
    return [nn.Linear(inputs, units), *residual, norm(units), nn.LeakyReLU(SLOPE)]


def _initialise(module: nn.Module) -> None:
    """Set first weights; `apply` comes to a conditional norm after its own linear layers."""
    if isinstance(module, (nn.Linear, nn.Conv2d)):
        nn.init.orthogonal_(module.weight)
        if module.bias is not None:
            nn.init.zeros_(module.bias)
    elif isinstance(module, ConditionalNorm):
        nn.init.zeros_(module.gain.weight)
        nn.init.zeros_(module.shift.weight)
