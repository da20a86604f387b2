"""What several bodies are made of."""

from torch import Tensor, cat, nn


def halvings(image_shape: tuple[int, int, int], smallest: int) -> int:
    """Return how often an image's sides can be halved and stay whole and at least `smallest`."""
    _, height, width = image_shape
    times = 0
    while height % 2 == width % 2 == 0 and min(height, width) >= 2 * smallest:
        height, width, times = height // 2, width // 2, times + 1
    return times


class Joint(nn.Module):
    """(F(x), H(z)) -> features: layers on both, side by side."""

    def __init__(self, layers: nn.Module) -> None:
        super().__init__()
        self.layers = layers

    def forward(self, f: Tensor, h: Tensor) -> Tensor:
        """Map F(x) of shape (N, a) and H(z) of shape (N, b) to the layers' (N, c)."""
        features: Tensor = self.layers(cat([f, h], dim=1))
        return features
