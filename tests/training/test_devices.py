"""A turn stays on its device: nothing else is mixed in, and no number is read back by Python.

Tensors without data stand for a GPU's. Reading one back (`.item()`, `if tensor`) raises, and so
does mixing one with a tensor of the CPU: what a GPU would make slow or refuse fails here too.
"""

import pytest
import torch
from torch import Tensor

from benchmarks.training.eager import EagerEngine
from benchmarks.training.stacked import StackedEngine
from tests.helpers import tiny_batch, tiny_game, tiny_run
from tests.zoo.test_presets import FAITHFUL, batch_of, faithful_game
from zoo.game import Batch, Game
from zoo.registry import FAMILIES

CPU, ELSEWHERE = torch.device("cpu"), torch.device("meta")
SETTINGS = tiny_run("gan").training
PAIR = SETTINGS.model_copy(update={"stacked": 2})
VARIANTS = [
    ("bigbigan", {"average": 0.9, "classes": 10}),
    ("bigbigan", {"downscale": 2, "stochastic": False}),
    ("gan", {"spectral": True}),
    ("aegan", {"blocks": True, "input_noise": 0.01}),
]


def elsewhere(batch: Batch) -> Batch:
    noise = {name: tensor.to(ELSEWHERE) for name, tensor in batch.noise.items()}
    return Batch(*(tensor.to(ELSEWHERE) for tensor in (batch.x, batch.y, batch.z)), noise)


def play(game: Game, engine: EagerEngine | StackedEngine, batch: Batch) -> list[Tensor]:
    """Play two steps and return what is left: parameters, terms and gradient norms."""
    left: list[Tensor] = []
    for step in range(2):
        for turn in game.turns:
            losses = engine.play(turn, [batch], step)
            left += [term for terms in losses.values() for term in terms.values()]
    return [*left, *engine.gradient_norms().values(), *game.state_dict().values()]


@pytest.mark.parametrize(("family", "options"), [*((f, {}) for f in FAMILIES), *VARIANTS])
def test_a_turn_stays_on_its_device(family: str, options: dict[str, object]) -> None:
    game = tiny_game(family, **options).train().requires_grad_(False)
    batch = elsewhere(tiny_batch(game))
    game.to(ELSEWHERE)
    found = play(game, EagerEngine(game, CPU, SETTINGS), batch)
    assert {tensor.device for tensor in found} == {ELSEWHERE}


def test_seeds_together_stay_on_their_device() -> None:
    game = tiny_game("bigan_qp").train().requires_grad_(False)
    batch = elsewhere(tiny_batch(game))
    game.to(ELSEWHERE)
    found = play(game, StackedEngine([game], [0], CPU, PAIR), batch)
    assert {tensor.device for tensor in found} == {ELSEWHERE}


@pytest.mark.parametrize("family", FAITHFUL)
def test_a_faithful_turn_stays_on_its_device(family: str) -> None:
    game = faithful_game(family).requires_grad_(False)
    batch = elsewhere(batch_of(game))
    game.to(ELSEWHERE)
    found = play(game, EagerEngine(game, CPU, SETTINGS), batch)
    assert {tensor.device for tensor in found} == {ELSEWHERE}


def test_reading_a_number_back_would_fail() -> None:
    x = torch.zeros(3, device=ELSEWHERE)
    with pytest.raises(RuntimeError):
        x.sum().item()
    with pytest.raises(RuntimeError):
        x + torch.zeros(3)
