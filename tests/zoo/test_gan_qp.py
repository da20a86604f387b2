"""GAN-QP: one distance per pair, the difference alone for G."""

import math

import pytest
import torch

from tests.helpers import tiny_batch, tiny_game
from tests.zoo.by_hand import gradient, hand_game, hand_losses, values

# T(x) = [1.5, 0], T(G(z)) = [1, -0.5], so dT = [0.5, 0.5]
# x - G(z) = [[0, 0.5], [-1, 1.5]]
DISTANCES = {"l1": (0.25, 1.25), "l2": (math.sqrt(0.125), math.sqrt(1.625))}


@pytest.mark.parametrize("distance", DISTANCES)
def test_critic_by_hand(distance: str) -> None:
    found = hand_losses(hand_game("gan_qp", distance=distance), "critic")
    potential = sum(0.5 * 0.5**2 / (10 * d) for d in DISTANCES[distance]) / 2
    assert values(found["critic"]) == pytest.approx({"difference": -0.5, "potential": potential})


def test_l1_is_the_default_and_strength_divides() -> None:
    # 0.5 * 0.25 / 2.5 and 0.5 * 0.25 / 12.5; one d for the whole batch would give 0.01667
    assert hand_losses(hand_game("gan_qp"), "critic")["critic"]["potential"].item() == (
        pytest.approx(0.03)
    )
    half = hand_losses(hand_game("gan_qp", strength=20.0), "critic")
    assert half["critic"]["potential"].item() == pytest.approx(0.015)


def test_generator_by_hand() -> None:
    game = hand_game("gan_qp")
    found = hand_losses(game, "generator")["generator"]
    assert values(found) == pytest.approx({"difference": 0.5})  # no quadratic term
    # d/dw mean(T(x) - w sum 2z) = -mean(1, -0.5)
    assert gradient(game, found["difference"], "G") == pytest.approx(-0.25)


@pytest.mark.parametrize("distance", DISTANCES)
def test_totals_by_a_loop(distance: str) -> None:
    game = tiny_game("gan_qp", distance=distance).eval()
    b, n = tiny_batch(game), game.networks
    x_hat, each = n["G"](b.z), []
    for i in range(len(b.x)):
        difference = (n["s_x"](n["F"](b.x[i : i + 1])) - n["s_x"](n["F"](x_hat[i : i + 1]))).item()
        gap = b.x[i] - x_hat[i]
        d = gap.abs().mean() if distance == "l1" else torch.linalg.vector_norm(gap) / 8  # 64 pixels
        each.append(-difference + 0.5 * difference**2 / (10 * d.item()))
    found = sum(values(game.losses("critic", b, 0)["critic"]).values())
    assert found == pytest.approx(sum(each) / len(each), rel=1e-5)


def test_unknown_distance_is_refused() -> None:
    with pytest.raises(ValueError, match="l1, l2"):
        tiny_game("gan_qp", distance="l3")
