"""What several bodies are made of."""

import torch
from torch import Tensor, cat, nn


def halvings(image_shape: tuple[int, int, int], smallest: int) -> int:
    """Return how often an image is halved: once, then while its sides stay at least `smallest`.

    Raises:
        ValueError: the image has odd sides.

    """
    _, height, width = image_shape
    if height % 2 or width % 2:
        raise ValueError(f"this body halves images, so their sides must be even: {height}x{width}")
    times = 1
    while (height >> times) % 2 == (width >> times) % 2 == 0:
        if min(height, width) >> times < 2 * smallest:
            break
        times += 1
    return times


class Joint(nn.Module):
    """(F(x), H(z)) -> features: layers on both, side by side, F(x) mapped by `project` before."""

    def __init__(self, layers: nn.Module, project: nn.Module | None = None) -> None:
        super().__init__()
        self.project, self.layers = project or nn.Identity(), layers

    def forward(self, f: Tensor, h: Tensor) -> Tensor:
        """Map F(x) of shape (N, a) and H(z) of shape (N, b) to the layers' (N, c)."""
        features: Tensor = self.layers(cat([self.project(f), h], dim=1))
        return features


class Residual(nn.Module):
    """layers(x) + skip(x)."""

    def __init__(self, layers: nn.Module, skip: nn.Module) -> None:
        super().__init__()
        self.layers, self.skip = layers, skip

    def forward(self, x: Tensor) -> Tensor:
        """Map x to a sum of two tensors of one shape."""
        total: Tensor = self.layers(x) + self.skip(x)
        return total


class SelfAttention(nn.Module):
    """x + gamma * attention of every position to all others, gamma from 0.

    Zhang et al. 2019, "Self-Attention Generative Adversarial Networks",
    https://arxiv.org/abs/1805.08318, with keys and values max-pooled by two as in BigGAN.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        inner, values = max(1, channels // 8), max(1, channels // 2)
        self.query = nn.Conv2d(channels, inner, 1, bias=False)
        self.key = nn.Sequential(nn.Conv2d(channels, inner, 1, bias=False), nn.MaxPool2d(2))
        self.value = nn.Sequential(nn.Conv2d(channels, values, 1, bias=False), nn.MaxPool2d(2))
        self.out = nn.Conv2d(values, channels, 1, bias=False)
        self.gamma = nn.Parameter(torch.zeros(()))

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C, H, W) to the same shape; H and W at least 2."""
        query, key, value = (part(x).flatten(2) for part in (self.query, self.key, self.value))
        weights = (query.transpose(1, 2) @ key).softmax(dim=2)  # (N, HW, HW / 4)
        mixed = (value @ weights.transpose(1, 2)).unflatten(2, x.shape[2:])
        attended: Tensor = x + self.gamma * self.out(mixed)
        return attended
