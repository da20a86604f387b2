"""Every example of docs/game.md trains, in both engines, and does what the page says."""

import re
from pathlib import Path
from typing import Any

import pytest
import torch

from benchmarks.training.eager import EagerEngine
from benchmarks.training.stacked import StackedEngine
from tests.helpers import BATCH, IMAGE, LATENT, tiny_batch, tiny_run
from zoo.game import Game
from zoo.networks import Builder
from zoo.priors import Normal

PAGE = Path(__file__).parents[2] / "docs" / "game.md"
CPU, STEPS = torch.device("cpu"), 3
SETTINGS = tiny_run("gan").training


def classes() -> dict[str, Any]:
    """Run the page's code blocks from top to bottom; return the games they define."""
    found: dict[str, Any] = {"__name__": "game_page"}
    for block in re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL):
        exec(compile(block, PAGE, "exec"), found)
    return {name: kind for name, kind in found.items()
            if isinstance(kind, type) and issubclass(kind, Game) and kind is not Game}  # fmt: skip


CLASSES = classes()


def game_of(name: str) -> Game:
    build = Builder("mlp", IMAGE, LATENT, 16, lambda network: 0)
    game: Game = CLASSES[name](build, Normal(LATENT))
    return game.train().requires_grad_(False)


def trained(game: Game, engine: EagerEngine | StackedEngine) -> dict[str, float]:
    """Return the terms of the last step."""
    seed, terms = 0, {}
    for step in range(STEPS):
        for turn in game.turns:
            for _ in range(turn.repeats):
                seed += 1
                batch = tiny_batch(game, seed)
                assert len(batch.x) == BATCH
                losses = engine.play(turn, [batch], step)
                terms |= {f"{p}/{n}": v.item() for p, t in losses.items() for n, v in t.items()}
    return terms


def test_the_page_has_an_example_of_each() -> None:
    assert list(CLASSES) == ["Base", "FiveToOne", "Clipped", "Averaged", "Rates", "Noisy", "R1"]


@pytest.mark.parametrize("name", CLASSES)
def test_an_example_is_the_same_in_both_engines(name: str) -> None:
    eager, stacked = game_of(name), game_of(name)
    pair = SETTINGS.model_copy(update={"stacked": 2})
    one = trained(eager, EagerEngine(eager, CPU, SETTINGS))
    other = trained(stacked, StackedEngine([stacked], [0], CPU, pair))
    assert one == pytest.approx(other, rel=1e-3, abs=1e-5)
    if name not in ("Base", "Averaged", "Clipped"):  # whose first losses are Base's
        base = game_of("Base")
        assert trained(base, EagerEngine(base, CPU, SETTINGS)) != one


def test_the_penalty_by_hand() -> None:
    """Against autograd with requires_grad_, the eager form that the page names."""
    game = game_of("R1")
    batch = tiny_batch(game)
    x = batch.x.clone().requires_grad_()
    (slope,) = torch.autograd.grad(game.score_image(x).sum(), x)
    expected = sum(5.0 * image.square().sum().item() for image in slope) / BATCH
    found = game.losses("critic", batch, 0)["critic"]["penalty"]
    assert found.item() == pytest.approx(expected, rel=1e-5)
