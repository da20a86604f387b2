"""Spectral norm that also works when several networks are stacked and run at once."""

import torch
from torch import Tensor, nn
from torch.nn.functional import normalize
from torch.nn.utils.parametrize import register_parametrization

FIRST_ITERATIONS = 15


class SpectralNorm(nn.Module):
    """W -> W / sigma(W), sigma by one step of the power method for each training forward.

    Miyato et al. 2018, "Spectral Normalization for Generative Adversarial Networks",
    https://arxiv.org/abs/1802.05957, algorithm 1. The same numbers, to the bit, as PyTorch's
    parametrisation, whose `out=` arguments cannot be mapped over seeds. The weight of a convolution
    is the matrix of its output channels.
    """

    u: Tensor
    v: Tensor

    def __init__(self, weight: Tensor) -> None:
        super().__init__()
        matrix = weight.detach().flatten(1)
        for name, length in zip(("u", "v"), matrix.shape, strict=True):
            self.register_buffer(name, normalize(torch.randn(length), dim=0, eps=1e-12))
        for _ in range(FIRST_ITERATIONS):
            self._iterate(matrix)

    def forward(self, weight: Tensor) -> Tensor:
        """Return the weight over its largest singular value, as far as u and v know it."""
        matrix = weight.flatten(1)
        if self.training:
            self._iterate(matrix)
        # Copies: a backward through this forward needs u and v as they are now.
        u, v = self.u.clone(), self.v.clone()
        return weight / torch.dot(u, torch.mv(matrix, v))

    @torch.no_grad()
    def _iterate(self, matrix: Tensor) -> None:
        self.u.copy_(normalize(torch.mv(matrix, self.v), dim=0, eps=1e-12))
        self.v.copy_(normalize(torch.mv(matrix.T, self.u), dim=0, eps=1e-12))


def spectral_norm(network: nn.Module) -> None:
    """Put spectral norm on every linear layer and convolution of a network."""
    for layer in list(network.modules()):
        if isinstance(layer, (nn.Linear, nn.Conv2d)):
            register_parametrization(layer, "weight", SpectralNorm(layer.weight))
