"""Pictures of a trained game: samples of fixed draws, and images beside their reconstructions."""

from pathlib import Path

import torch
from torch import Tensor
from torchvision.utils import make_grid, save_image

from benchmarks.evaluation.scoring import prior_draws
from benchmarks.files import whole
from zoo.game import Game

ROWS, COLUMNS = 8, 8


@torch.no_grad()
def draw(game: Game, test: Tensor, folder: Path) -> None:
    """Write samples.png and reconstructions.png, as far as the game can.

    Args:
        game: a scoring copy.
        test: test images in [-1, 1] on the game's device; the first 32 are shown.
        folder: the run's folder.

    """
    able = game.capabilities
    if {"sample_prior", "generate"} <= able:
        z = prior_draws(game, ROWS * COLUMNS).to(test.device)
        _save(game.generate(z), folder / "samples.png")
    if "reconstruct" in able:
        x = test[: ROWS * COLUMNS // 2]
        pairs = torch.stack([x, game.reconstruct(x)], dim=1).flatten(0, 1)
        _save(pairs, folder / "reconstructions.png")


def _save(images: Tensor, path: Path) -> None:
    grid = make_grid(
        images.clamp(-1, 1), nrow=COLUMNS, padding=1, value_range=(-1, 1), normalize=True
    )
    with whole(path) as draft:
        save_image(grid, draft, format="png")
