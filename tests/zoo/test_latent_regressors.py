"""The latent regressors: a GAN that knows nothing of E, and one whose G serves it too."""

import copy
import math
from collections.abc import Mapping

import pytest
import torch

from benchmarks.training.eager import play_turn
from benchmarks.training.optimiser import PlayerOptimiser
from tests.helpers import tiny_batch, tiny_game
from tests.zoo.by_hand import gradient, hand_game, hand_losses, values
from zoo.game import Game
from zoo.priors import Uniform

FAMILIES = ("latent_regressor", "joint_latent_regressor")

# s(x) = [1.5, 0], G(z) = 2 z = [[1, 0], [0, -0.5]], so s(G(z)) = [1, -0.5]
REAL = (math.log1p(math.exp(-1.5)) + math.log(2)) / 2
FAKE = (math.log1p(math.exp(1)) + math.log1p(math.exp(-0.5))) / 2
FOOLED = (math.log1p(math.exp(-1)) + math.log1p(math.exp(0.5))) / 2
# E(G(z)) = z / 2, so z - E(G(z)) = z / 2 = [[0.25, 0], [0, -0.125]], over four numbers
REGRESSION = (0.0625 + 0.015625) / 4


def test_latent_regressor_by_hand() -> None:
    found = hand_losses(hand_game("latent_regressor"), "all")
    assert values(found["discriminator"]) == pytest.approx({"real": REAL / 2, "fake": FAKE / 2})
    assert values(found["generator"]) == pytest.approx({"adversarial": FOOLED})
    assert values(found["encoder"]) == pytest.approx({"latent_regression": REGRESSION})


def test_joint_latent_regressor_by_hand() -> None:
    found = hand_losses(hand_game("joint_latent_regressor"), "all")
    assert values(found["discriminator"]) == pytest.approx({"real": REAL / 2, "fake": FAKE / 2})
    assert values(found["generator_encoder"]) == pytest.approx(
        {"adversarial": FOOLED, "latent_regression": 0.25 * REGRESSION}
    )


@pytest.mark.parametrize(
    ("family", "player", "weight", "learners"),
    [
        ("latent_regressor", "encoder", 1, ("mean",)),
        ("joint_latent_regressor", "generator_encoder", 0.25, ("mean", "G")),
    ],
)
def test_regression_pulls_towards_z(
    family: str, player: str, weight: float, learners: tuple[str, ...]
) -> None:
    game = hand_game(family)
    loss = hand_losses(game, "all")[player]["latent_regression"]
    # d/dw mean (z - w z / 2)^2 = -mean(z - z / 2) z = -(0.125 + 0.03125) / 4, the same for E and G
    for network in learners:
        assert gradient(game, loss, network) == pytest.approx(-weight * 0.15625 / 4)


def played(game: Game, steps: int = 6) -> dict[str, Mapping[str, torch.Tensor]]:
    """Return the networks' states after some steps, each on its own batch."""
    game.requires_grad_(False)
    optimisers = {name: PlayerOptimiser(game, player) for name, player in game.players.items()}
    for step in range(steps):
        batch = tiny_batch(game, seed=step)
        for turn in game.turns:
            autocast = torch.autocast("cpu", enabled=False)
            play_turn(game, turn, batch, step, optimisers, autocast)
    return {name: copy.deepcopy(net.state_dict()) for name, net in game.networks.items()}


def equal(a: Mapping[str, torch.Tensor], b: Mapping[str, torch.Tensor]) -> bool:
    return all(torch.equal(a[name], b[name]) for name in a)


def test_latent_regressor_is_the_gan_to_the_bit() -> None:
    first = played(tiny_game("latent_regressor"), steps=0)
    gan, regressor = played(tiny_game("gan")), played(tiny_game("latent_regressor"))
    assert all(equal(gan[name], regressor[name]) for name in ("G", "F", "s_x"))
    assert not equal(first["E"], regressor["E"])


def test_joint_latent_regressor_is_the_gan_only_without_its_weight() -> None:
    gan = played(tiny_game("gan"))
    off = played(tiny_game("joint_latent_regressor", latent_weight=0.0))
    on = played(tiny_game("joint_latent_regressor"))
    assert all(equal(gan[name], off[name]) for name in ("G", "F", "s_x"))
    assert not equal(gan["G"], on["G"])


@pytest.mark.parametrize("family", FAMILIES)
def test_encoder_sees_generated_images_only(family: str) -> None:
    game = tiny_game(family)
    seen = []
    game.networks["E"].register_forward_hook(lambda module, inputs, output: seen.append(*inputs))
    images = []
    game.networks["G"].register_forward_hook(lambda module, inputs, output: images.append(output))
    batch = tiny_batch(game)
    game.losses("all", batch, 0)
    assert len(seen) == len(images) == 1
    assert seen[0] is images[0]


# With the uniform prior the cost is the cross-entropy of u = (z + 1) / 2 and sigmoid(E(G(z))):
# E(G(z)) = z / 2 before squashing, for z of 0.5, 0, 0 and -0.25.
def cross_entropy(raw: float, u: float) -> float:
    p = 1 / (1 + math.exp(-raw))
    return -u * math.log(p) - (1 - u) * math.log(1 - p)


CROSS_ENTROPY = sum(cross_entropy(z / 2, (z + 1) / 2) for z in (0.5, 0, 0, -0.25)) / 4


@pytest.mark.parametrize(
    ("family", "player", "weight"),
    [("latent_regressor", "encoder", 1), ("joint_latent_regressor", "generator_encoder", 0.25)],
)
def test_uniform_prior_means_cross_entropy(family: str, player: str, weight: float) -> None:
    game = hand_game(family, Uniform(2))
    found = hand_losses(game, "all")[player]["latent_regression"]
    assert found.item() == pytest.approx(weight * CROSS_ENTROPY)
    # d/dw = mean over the four of (sigmoid(z / 2) - u) z / 2
    slope = sum((1 / (1 + math.exp(-z / 2)) - (z + 1) / 2) * z / 2 for z in (0.5, 0, 0, -0.25)) / 4
    assert gradient(game, found, "mean") == pytest.approx(weight * slope)


def test_cross_entropy_starts_at_ln2_and_ends_at_half_a_nat() -> None:
    z = Uniform(50).sample(20_000, torch.Generator().manual_seed(0))
    assert Uniform(50).regression(z, torch.zeros_like(z)).item() == pytest.approx(math.log(2))
    perfect = 2 * torch.atanh(z.clamp(-1 + 1e-6, 1 - 1e-6))
    assert Uniform(50).squash(perfect).sub(z).abs().max() < 1e-4
    assert Uniform(50).regression(z, perfect).item() == pytest.approx(0.5, abs=0.002)


@pytest.mark.parametrize("family", FAMILIES)
def test_zero_head_says_zero(family: str) -> None:
    batch = tiny_batch(tiny_game(family))
    assert tiny_game(family, zero_head=True).encode(batch.x).abs().max() == 0
    assert tiny_game(family).encode(batch.x).abs().max() > 0


def test_regressor_after_a_finished_gan() -> None:
    """Four updates of the GAN alone, then E alone: G never moves again."""
    first = played(tiny_game("latent_regressor"), steps=0)
    gan = played(tiny_game("gan"), steps=4)
    half = played(tiny_game("latent_regressor", gan_steps=4), steps=4)
    whole = played(tiny_game("latent_regressor", gan_steps=4), steps=6)
    for name in ("G", "F", "s_x"):
        weights = {k: v for k, v in whole[name].items() if k.endswith(("weight", "bias"))}
        assert equal(gan[name], half[name])
        assert equal(weights, gan[name]), name
    assert torch.equal(half["mean"]["weight"], first["mean"]["weight"])
    assert not torch.equal(whole["mean"]["weight"], first["mean"]["weight"])
