"""The ResNet body with self-attention in G and F, on maps of half the image's sides."""

from torch import nn

from zoo.networks import resnet


def network(name: str, image_shape: tuple[int, int, int], latent_dim: int, width: int) -> nn.Module:
    """Build one of the shared networks; arguments and errors as for the ResNet body."""
    return resnet.network(name, image_shape, latent_dim, width, attention=True)
