"""Tiny games and runs for the tests."""

from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor

from benchmarks.planning.config import NetworkSettings, Run, TrainingSettings
from benchmarks.training.loop import build
from zoo.game import Batch, Game

IMAGE = (1, 8, 8)
LATENT, BATCH = 4, 8


def tiny_run(
    game: str,
    seed: int = 0,
    steps: int = 4,
    body: str = "mlp",
    prior: Literal["normal", "uniform"] = "normal",
    **options: Any,
) -> Run:
    """Return a run on digits with networks of width 16."""
    return Run(
        row=Path(game).stem,
        family=game,
        options=options,
        tier="controlled",
        dataset="digits",
        seed=seed,
        networks=NetworkSettings(body=body, width=16, latent_dim=LATENT, prior=prior),
        training=TrainingSettings(steps=steps, batch_size=BATCH, precision="fp32", threads=1),
    )


def tiny_game(game: str, seed: int = 0, **options: Any) -> Game:
    """Return a tiny game with its first weights; options as in `tiny_run`."""
    return build(tiny_run(game, seed, **options))


def tiny_batch(game: Game, seed: int = 0) -> Batch:
    """Return a random batch in the game's range."""
    g = torch.Generator().manual_seed(seed)
    x = torch.rand(BATCH, *IMAGE, generator=g) * 2 - 1
    y = torch.randint(10, (BATCH,), generator=g)
    z = torch.randn(BATCH, LATENT if game.prior is not None else 0, generator=g)
    noise = {name: torch.randn(BATCH, *shape, generator=g) for name, shape in game.noise.items()}
    return Batch(x, y, z, noise)


def turn_losses(game: Game, turn: str, seed: int = 0) -> dict[str, dict[str, Tensor]]:
    """Return a turn's losses on a random batch."""
    return game.losses(turn, tiny_batch(game, seed), 0)
