"""AEGAN's variants: the author's blocks, noise on the inputs, fading reconstruction."""

import math

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from tests.helpers import BATCH, IMAGE, LATENT, tiny_batch, tiny_game
from tests.zoo.by_hand import gradient, hand_game, hand_losses, values

BOTH = ("image_critic", "latent_critic")


def log_loss(score: float, target: float) -> float:
    """Return the cross-entropy of a score before its sigmoid, by its definition."""
    p = 1 / (1 + math.exp(-score))
    return -target * math.log(p) - (1 - target) * math.log(1 - p)


# Scores by hand: x = [[1, .5], [-1, 1]], x^ = 2 z = [[1, 0], [0, -.5]], x~ = 2 x / 4 = x / 2;
# z = [[.5, 0], [0, -.25]], z^ = x / 4, z~ = x^ / 4 = z / 2. A score is the sum of the two numbers.
IMAGE_SCORES = {"real": (1.5, 0.0), "hat": (1.0, -0.5), "tilde": (0.75, 0.0)}
LATENT_SCORES = {"real": (0.5, -0.25), "hat": (0.375, 0.0), "tilde": (0.25, -0.125)}


@pytest.mark.parametrize("kind", IMAGE_SCORES)
def test_each_minibatch_of_a_block_by_hand(kind: str) -> None:
    found = hand_losses(hand_game("aegan", blocks=True), kind)
    target = 0.95 if kind == "real" else 0.05
    for player, scores in zip(BOTH, (IMAGE_SCORES, LATENT_SCORES), strict=True):
        expected = sum(log_loss(s, target) for s in scores[kind]) / 2
        assert values(found[player]) == pytest.approx({kind: expected})


def test_a_block_has_the_authors_order() -> None:
    turns = [(t.name, t.players, t.repeats) for t in tiny_game("aegan", blocks=True).turns]
    critics = [(name, BOTH, 1) for name in ("real", "hat", "real", "tilde")]
    assert turns == [*critics, ("generator_encoder", ("generator_encoder",), 4)]


def test_a_blocks_four_steps_sum_to_four_times_one_step() -> None:
    one, block = hand_game("aegan"), hand_game("aegan", blocks=True)
    together = hand_losses(one, "critics")
    for player in BOTH:
        steps = [
            hand_losses(block, turn.name)[player]
            for turn in block.turns
            if turn.name != "generator_encoder"
        ]
        total = sum(sum(values(terms).values()) for terms in steps)
        assert total == pytest.approx(4 * sum(values(together[player]).values()))


def test_critics_gradients_stay_their_own_in_a_block() -> None:
    game = hand_game("aegan", blocks=True)
    for kind in IMAGE_SCORES:
        found = hand_losses(game, kind)
        image, latent = found["image_critic"][kind], found["latent_critic"][kind]
        assert gradient(game, image, "s_z") == gradient(game, latent, "s_x") == 0
        assert gradient(game, image, "s_x") != 0
        assert gradient(game, latent, "s_z") != 0


def test_reconstruction_fades() -> None:
    """After two half-lives both weights are a quarter; the rest of the loss stays."""
    plain, fading = tiny_game("aegan").eval(), tiny_game("aegan", half_life=50).eval()
    batch = tiny_batch(plain)
    expected = values(plain.losses("generator_encoder", batch, 100)["generator_encoder"])
    for name in ("image_reconstruction", "latent_reconstruction"):
        expected[name] /= 4
    for step in (100, torch.tensor(100)):
        found = values(fading.losses("generator_encoder", batch, step)["generator_encoder"])
        assert found == pytest.approx(expected)
    start = values(fading.losses("generator_encoder", batch, 0)["generator_encoder"])
    assert start["image_reconstruction"] == pytest.approx(4 * expected["image_reconstruction"])


def bce(s: Tensor, target: float) -> float:
    return F.binary_cross_entropy_with_logits(s, torch.full_like(s, target)).item()


def noisy_game(**options: object):
    game = tiny_game("aegan", input_noise=0.5, **options).eval()
    batch = tiny_batch(game)
    assert batch.noise["image"].shape == (BATCH, 4, *IMAGE)
    assert batch.noise["latent"].shape == (BATCH, 3, LATENT)
    n = game.networks
    return (
        game,
        batch,
        lambda x: n["mean"](n["E"](x)),
        lambda x, i: n["s_x"](n["F"](x + 0.5 * batch.noise["image"][:, i]))[:, 0],
        lambda z, i: n["s_z"](n["H"](z + 0.5 * batch.noise["latent"][:, i]))[:, 0],
    )


def test_noise_on_the_critics_inputs() -> None:
    """The fakes are made without noise, each critic sees every input with its own."""
    game, b, encode, s_x, s_z = noisy_game()
    found = game.losses("critics", b, 0)
    images = (b.x, game.G(b.z), game.G(encode(b.x)))
    latents = (b.z, encode(b.x), encode(game.G(b.z)))
    for player, score, inputs in ((BOTH[0], s_x, images), (BOTH[1], s_z, latents)):
        weights, targets = (0.5, 0.25, 0.25), (0.95, 0.05, 0.05)
        expected = [
            w * bce(score(v, i), t)
            for i, (v, w, t) in enumerate(zip(inputs, weights, targets, strict=True))
        ]
        assert list(values(found[player]).values()) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("kind", ["real", "hat", "tilde"])
def test_noise_in_a_block(kind: str) -> None:
    game, b, encode, s_x, s_z = noisy_game(blocks=True)
    x, z = {
        "real": (b.x, b.z),
        "hat": (game.G(b.z), encode(b.x)),
        "tilde": (game.G(encode(b.x)), encode(game.G(b.z))),
    }[kind]
    target = 0.95 if kind == "real" else 0.05
    found = game.losses(kind, b, 0)
    assert values(found[BOTH[0]])[kind] == pytest.approx(bce(s_x(x, 0), target), rel=1e-5)
    assert values(found[BOTH[1]])[kind] == pytest.approx(bce(s_z(z, 0), target), rel=1e-5)


def test_noise_in_the_generator_encoder_step() -> None:
    """E and the critics see noise; the reconstructions are judged against clean images."""
    game, b, encode, s_x, s_z = noisy_game()
    noise = 0.5 * b.noise["image"]
    x_hat, z_hat = game.G(b.z), encode(b.x + noise[:, 0])
    x_til, z_til = game.G(z_hat), encode(x_hat + noise[:, 1])
    expected = {
        "image_reconstruction": 10 * F.l1_loss(x_til, b.x).item(),
        "latent_reconstruction": 5 * F.mse_loss(z_til, b.z).item(),
        "image_sample": bce(s_x(x_hat, 2), 1),
        "image_reconstructed": bce(s_x(x_til, 3), 1),
        "latent_code": bce(s_z(z_hat, 0), 1),
        "latent_reconstructed": bce(s_z(z_til, 1), 1),
    }
    found = game.losses("generator_encoder", b, 0)["generator_encoder"]
    assert values(found) == pytest.approx(expected, rel=1e-5)


def test_no_noise_no_draws() -> None:
    assert tiny_game("aegan").noise == {}


@pytest.mark.parametrize("option", ["input_noise", "half_life"])
def test_negative_settings_are_refused(option: str) -> None:
    with pytest.raises(ValueError, match=option):
        tiny_game("aegan", **{option: -1})
