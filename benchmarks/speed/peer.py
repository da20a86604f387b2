"""BiGAN as it is usually written, to be compared with: nothing here is wrong, all of it is slow.

Alternating updates of the discriminator and of the generator with the encoder, each with its own
forward; `backward` into every network, also those that do not move; images transformed one by one.
The networks, losses, optimiser settings and batch are ours.
"""

import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset
from torchvision import transforms

from datasets.images import Split
from zoo.game import Game, Player


class ImageDataset(Dataset[tuple[Any, int]]):
    """One image at a time through a transform, as torchvision's datasets give them."""

    def __init__(self, split: Split) -> None:
        self.arrays: list[np.ndarray] = list(split.images.permute(0, 2, 3, 1).numpy())
        self.labels: list[int] = split.labels.tolist()
        self.transform = transforms.Compose(
            [transforms.ToTensor(), transforms.Normalize((0.5,), (0.5,))]
        )

    def __len__(self) -> int:
        return len(self.arrays)

    def __getitem__(self, index: int) -> tuple[Any, int]:
        return self.transform(self.arrays[index]), self.labels[index]


class PeerLoop:
    """The usual training loop of a BiGAN.

    Args:
        game: the networks, and the players' optimiser settings.
        split: training images.
        batch_size: images per update.
        latent_dim: dimensions of z.

    """

    def __init__(self, game: Game, split: Split, batch_size: int, latent_dim: int) -> None:
        self.game, self.batch_size, self.latent_dim = (
            game.train().requires_grad_(True),
            batch_size,
            latent_dim,
        )
        loader = DataLoader(ImageDataset(split), batch_size, shuffle=True, drop_last=True)
        self.batches: Iterator[Any] = itertools.chain.from_iterable(itertools.repeat(loader))
        self.loss = nn.BCEWithLogitsLoss()
        self.d_optimiser = self._adam(game.players["discriminator"])
        self.ge_optimiser = self._adam(game.players["generator_encoder"])
        self.last: tuple[float, float] = (0.0, 0.0)

    def step(self) -> None:
        """Update the discriminator, then the generator and the encoder."""
        x, _ = next(self.batches)
        z = torch.randn(self.batch_size, self.latent_dim)
        real, fake = torch.ones(self.batch_size), torch.zeros(self.batch_size)

        self.d_optimiser.zero_grad()
        d_loss = self._pair_loss(x, z, real, fake)
        d_loss.backward()  # type: ignore[no-untyped-call]  # untyped in PyTorch
        self.d_optimiser.step()

        self.ge_optimiser.zero_grad()
        ge_loss = self._pair_loss(x, z, fake, real)
        ge_loss.backward()  # type: ignore[no-untyped-call]  # untyped in PyTorch
        self.ge_optimiser.step()
        self.last = d_loss.item(), ge_loss.item()

    def _pair_loss(self, x: Tensor, z: Tensor, encoder: Tensor, generator: Tensor) -> Tensor:
        game = self.game
        encoder_loss = self.loss(game.score_pair(x, game.infer(x)), encoder)
        generator_loss = self.loss(game.score_pair(game.G(z), z), generator)
        total: Tensor = 0.5 * (encoder_loss + generator_loss)
        return total

    def _adam(self, player: Player) -> torch.optim.Adam:
        networks = self.game.networks
        parameters = [p for name in player.networks for p in networks[name].parameters()]
        lr = player.lr_of(player.networks[0])
        return torch.optim.Adam(parameters, lr, player.betas, player.eps, player.l2)
