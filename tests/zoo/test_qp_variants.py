"""BiGAN-QP's guidance, critics that compare, spectral norm: what differs and what does not."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from benchmarks.training.eager import play_turn
from benchmarks.training.optimiser import PlayerOptimiser
from tests.helpers import BATCH, IMAGE, LATENT, tiny_batch, tiny_game
from tests.zoo.by_hand import gradient, hand_game, hand_losses, values

# By hand: E(G(z)) = z / 2, so z - E(G(z)) = [[.25, 0], [0, -.125]]; G(E(x)) = x / 2, so the gap is
# [[.5, .25], [-.5, .5]]. Guidance: b1 = 2, b2 = 3.
LATENT_TERM = 2 * (0.0625 + 0.015625) / 4
IMAGE_TERM = 3 * (0.25 + 0.0625 + 0.25 + 0.25) / 4
# d/dw of b1 mean (z - w z / 2)^2 at 1 is -2 b1 mean (z / 2)^2, the same for E's and G's weight.
LATENT_SLOPE, IMAGE_SLOPE = -2 * LATENT_TERM, -2 * IMAGE_TERM


@pytest.mark.parametrize(
    ("guidance", "latent_reaches_g", "image_reaches_e"),
    [("half-stopped", 0, 0), ("coupled", LATENT_SLOPE, IMAGE_SLOPE)],
)
def test_guidance_by_hand(guidance: str, latent_reaches_g: float, image_reaches_e: float) -> None:
    game = hand_game("bigan_qp", guidance=guidance)
    found = hand_losses(game, "generator_encoder")["generator_encoder"]
    latent, image = found["latent_guidance"], found["image_guidance"]
    assert values(found)["latent_guidance"] == pytest.approx(LATENT_TERM)
    assert values(found)["image_guidance"] == pytest.approx(IMAGE_TERM)
    assert gradient(game, latent, "mean") == pytest.approx(LATENT_SLOPE)
    assert gradient(game, latent, "G") == pytest.approx(latent_reaches_g)
    assert gradient(game, image, "G") == pytest.approx(IMAGE_SLOPE)
    assert gradient(game, image, "mean") == pytest.approx(image_reaches_e)


def test_without_guidance_the_difference_is_all() -> None:
    plain, without = tiny_game("bigan_qp").eval(), tiny_game("bigan_qp", guidance="none").eval()
    batch = tiny_batch(plain)
    found = values(without.losses("generator_encoder", batch, 0)["generator_encoder"])
    whole = values(plain.losses("generator_encoder", batch, 0)["generator_encoder"])
    assert found == {"difference": whole["difference"]}
    assert values(without.losses("critic", batch, 0)["critic"]) == values(
        plain.losses("critic", batch, 0)["critic"]
    )


def test_unknown_guidance() -> None:
    with pytest.raises(ValueError, match="half-stopped, coupled, none"):
        tiny_game("bigan_qp", guidance="full")


def test_gan_qp_that_compares_by_a_loop() -> None:
    game = tiny_game("gan_qp", compares=True).eval()
    b, n = tiny_batch(game), game.networks
    x_hat, total, differences = game.G(b.z), 0.0, []
    for x, y in zip(b.x, x_hat, strict=True):
        # T(x_r, x_f) - T(x_f, x_r), the two images as the channels of one
        forward = n["s_x"](n["F"](torch.cat([x, y])[None])).item()
        backward = n["s_x"](n["F"](torch.cat([y, x])[None])).item()
        differences.append(forward - backward)
        total += -differences[-1] + differences[-1] ** 2 / (20 * (x - y).abs().mean().item())
    critic = values(game.losses("critic", b, 0)["critic"])
    assert sum(critic.values()) == pytest.approx(total / BATCH, rel=1e-4)
    generator = values(game.losses("generator", b, 0)["generator"])
    assert generator == pytest.approx({"difference": sum(differences) / BATCH}, rel=1e-4)


def test_bigan_qp_that_compares_by_a_loop() -> None:
    game = tiny_game("bigan_qp", compares=True).eval()
    b, n = tiny_batch(game), game.networks
    x_hat, z_hat, total = game.G(b.z), game.infer(b.x), 0.0

    def t(*pair: torch.Tensor) -> float:
        x, z = torch.cat(pair[::2])[None], torch.cat(pair[1::2])[None]
        return n["s_xz"](n["J"](n["F"](x), n["H"](z))).item()

    for x, z, y, w in zip(b.x, z_hat, x_hat, b.z, strict=True):
        difference = t(x, z, y, w) - t(y, w, x, z)
        distance = (x - y).abs().mean().item() + (z - w).abs().mean().item()
        total += -difference + difference**2 / (20 * distance)
    found = values(game.losses("critic", b, 0)["critic"])
    assert sum(found.values()) == pytest.approx(total / BATCH, rel=1e-4)


@pytest.mark.parametrize("family", ["gan_qp", "bigan_qp"])
def test_a_comparing_critic_is_antisymmetric_and_offers_no_score(family: str) -> None:
    game = tiny_game(family, compares=True).eval()
    assert "score" not in game.capabilities
    assert "score" in tiny_game(family).capabilities
    a, b = torch.rand(3, *IMAGE), torch.rand(3, *IMAGE)
    z, w = torch.rand(3, LATENT), torch.rand(3, LATENT)
    sides = (a, b) if family == "gan_qp" else ((a, z), (b, w))
    found = game._difference(*sides)
    assert torch.allclose(found, -game._difference(*reversed(sides)))
    assert found.abs().min() > 0


@pytest.mark.parametrize("family", ["gan_qp", "bigan_qp"])
def test_a_comparing_critic_leaves_generator_and_encoder_weights(family: str) -> None:
    one, two = tiny_game(family), tiny_game(family, compares=True)
    for name in {"G", "E", "mean"} & one.networks.keys():
        for a, b in zip(
            one.networks[name].parameters(), two.networks[name].parameters(), strict=True
        ):
            assert torch.equal(a, b)


@pytest.mark.parametrize("family", ["gan", "gan_qp"])
def test_spectral_norm_bounds_the_critic_and_leaves_g(family: str) -> None:
    game = tiny_game(family, spectral=True).train().requires_grad_(False)
    optimisers = {name: PlayerOptimiser(game, player) for name, player in game.players.items()}
    for step in range(100):
        for turn in game.turns:
            batch = tiny_batch(game, step)
            play_turn(game, turn, batch, step, optimisers, torch.autocast("cpu", enabled=False))
    for name in ("F", "s_x"):
        for layer in game.networks[name].modules():
            if isinstance(layer, nn.Linear):
                norm = torch.linalg.matrix_norm(layer.weight, 2).item()
                assert norm == pytest.approx(1, rel=0.05)
    assert not any(nn.utils.parametrize.is_parametrized(m) for m in game.networks["G"].modules())


def test_coupled_guidance_totals() -> None:
    game = tiny_game("bigan_qp", guidance="coupled").eval()
    b = tiny_batch(game)
    found = values(game.losses("generator_encoder", b, 0)["generator_encoder"])
    assert found["latent_guidance"] == pytest.approx(
        2 * F.mse_loss(game.infer(game.G(b.z)), b.z).item(), rel=1e-5
    )
    assert found["image_guidance"] == pytest.approx(
        3 * F.mse_loss(game.G(game.infer(b.x)), b.x).item(), rel=1e-5
    )
