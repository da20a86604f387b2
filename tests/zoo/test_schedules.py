"""Learning rates over a run, against the authors' formula by epochs."""

import pytest
import torch

from tests.helpers import tiny_game
from zoo.schedules import constant, in_turn, second_half_decay


def by_epoch(epoch: int) -> float:
    """Return the factor of an epoch of the authors' 400: 200 constant, 200 down to 0.01."""
    factor = 1.0
    if epoch >= 200:
        for _ in range(epoch - 199):
            factor *= 0.01 ** (1 / 200)
    return factor


@pytest.mark.parametrize("epoch", [0, 199, 200, 201, 300, 399])
@pytest.mark.parametrize("updates", [1, 469])
def test_decay_is_the_authors(epoch: int, updates: int) -> None:
    schedule = second_half_decay(400 * updates)
    for step in (epoch * updates, (epoch + 1) * updates - 1):
        assert schedule(step) == pytest.approx(by_epoch(epoch), rel=1e-9)
    assert schedule(torch.tensor(epoch * updates)).item() == pytest.approx(by_epoch(epoch))


def test_no_steps_no_decay() -> None:
    assert second_half_decay(0) is constant
    with pytest.raises(ValueError, match="-1"):
        second_half_decay(-1)


def test_parts_of_a_run_decay_by_themselves() -> None:
    first, second = in_turn(400, 1200)
    assert [first(step) for step in (0, 199, 399)] == pytest.approx([1, 1, 0.01])
    assert [first(step) for step in (400, 1199)] == [0, 0]
    assert [second(step) for step in (0, 399)] == [0, 0]
    assert [second(step) for step in (400, 799, 1199)] == pytest.approx([1, 1, 0.01])
    assert second(800) == pytest.approx(by_epoch(200))


def test_parts_without_decay() -> None:
    first, second = in_turn(3, 0)
    assert [first(step) for step in range(5)] == [1, 1, 1, 0, 0]
    assert [second(step) for step in range(5)] == [0, 0, 0, 1, 1]
    assert in_turn(0, 0) == (constant, constant)


@pytest.mark.parametrize(("first", "over"), [(-1, 0), (400, 400), (500, 400)])
def test_parts_that_do_not_fit(first: int, over: int) -> None:
    with pytest.raises(ValueError, match="part"):
        in_turn(first, over)


@pytest.mark.parametrize(
    "family", ["bigan", "gan", "latent_regressor", "joint_latent_regressor", "autoencoder"]
)
def test_every_player_decays(family: str) -> None:
    for player in tiny_game(family, decay_over=800).players.values():
        assert [player.schedule(step) for step in (0, 399, 799)] == pytest.approx([1, 1, 0.01])
    for player in tiny_game(family).players.values():
        assert player.schedule(10**6) == 1
