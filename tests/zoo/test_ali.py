"""ALI: sum losses, swapped labels, one concatenated batch, an encoder that draws."""

import math

import pytest
import torch

from tests.helpers import BATCH, tiny_batch, tiny_game
from tests.zoo.by_hand import gradient, hand_game, hand_losses, values


def softplus(s: float) -> float:
    return math.log1p(math.exp(s))


def test_losses_by_hand() -> None:
    found = hand_losses(hand_game("ali"), "all")
    # z^ = x / 4 + 2 noise = [[1.25, 0.125], [-0.75, 0.25]]; s(x, z^) = sum x + sum z^
    # s(G(z), z) = 3 sum z
    encoder, generator = (1.5 + 1.375, 0 - 0.5), (1.5, -0.75)
    assert values(found["discriminator"]) == pytest.approx(
        {
            "encoder_pair": sum(softplus(-s) for s in encoder) / 2,  # a mean of two, no half
            "generator_pair": sum(softplus(s) for s in generator) / 2,
        }
    )
    assert values(found["generator_encoder"]) == pytest.approx(
        {
            "encoder_pair": sum(softplus(s) for s in encoder) / 2,
            "generator_pair": sum(softplus(-s) for s in generator) / 2,
        }
    )


def test_the_scale_learns_through_the_noise() -> None:
    game = hand_game("ali")
    loss = hand_losses(game, "all")["generator_encoder"]["encoder_pair"]
    # s_i holds exp(w log 2) noise_i, so ds_i/dw = 2 log 2 noise_i; softplus' = sigmoid
    slopes = [
        1 / (1 + math.exp(-s)) * 2 * math.log(2) * n for s, n in ((2.875, 0.5), (-0.5, -0.25))
    ]
    assert gradient(game, loss, "scale") == pytest.approx(sum(slopes) / 2)


def test_without_noise_the_losses_are_twice_bigans() -> None:
    ali, bigan = tiny_game("ali").eval(), tiny_game("bigan").eval()
    batch = tiny_batch(ali)
    found = ali.losses("all", batch._replace(noise={"encoder": torch.zeros(BATCH, 4)}), 0)
    expected = bigan.losses("all", batch, 0)
    for player, terms in expected.items():
        twice = {name: 2 * value for name, value in values(terms).items()}
        assert values(found[player]) == pytest.approx(twice, rel=1e-5)


def test_discriminator_sees_both_pairs_in_one_batch() -> None:
    game, sizes = tiny_game("ali"), []
    for name in ("F", "H", "J", "s_xz"):
        game.networks[name].register_forward_hook(
            lambda module, inputs, output: sizes.append(len(output))
        )
    game.losses("all", tiny_batch(game), 0)
    assert sizes == [2 * BATCH] * 4


def test_encode_draws_with_the_exponential_scale() -> None:
    game, x = tiny_game("ali").eval(), tiny_batch(tiny_game("ali")).x
    draw = game.encode(x, True, torch.Generator().manual_seed(0))
    raw = game.networks["scale"](game.networks["E"](x))
    noise = torch.randn(raw.shape, generator=torch.Generator().manual_seed(0))
    assert torch.allclose(draw, game.encode(x) + raw.exp() * noise, atol=1e-6)
