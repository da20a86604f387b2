"""Losses against numbers worked out by hand, and each family's total against its equation."""

import math

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from tests.helpers import tiny_batch, tiny_game
from zoo import losses

REAL = torch.tensor([2.0, -1.0, 0.5])
FAKE = torch.tensor([-1.5, 0.25, 1.0])


def log_sigmoid(s: float) -> float:
    """Return log sigmoid(s) by its definition."""
    return math.log(1 / (1 + math.exp(-s)))


def mean(values: list[float]) -> float:
    return sum(values) / len(values)


def test_half_sum_discriminator_loss_by_hand() -> None:
    total = 0.5 * losses.called_real(REAL) + 0.5 * losses.called_fake(FAKE)
    assert total.item() == pytest.approx(0.709147, abs=1e-6)
    definition = -0.5 * mean([log_sigmoid(s) for s in REAL.tolist()])
    definition -= 0.5 * mean([math.log(1 - 1 / (1 + math.exp(-s))) for s in FAKE.tolist()])
    assert total.item() == pytest.approx(definition, abs=1e-6)


def test_half_sum_generator_encoder_loss_by_hand() -> None:
    total = 0.5 * losses.called_fake(REAL) + 0.5 * losses.called_real(FAKE)
    assert total.item() == pytest.approx(1.000814, abs=1e-6)


def test_smoothed_cross_entropy_is_pytorchs() -> None:
    expected = F.binary_cross_entropy_with_logits(REAL, torch.full((3,), 0.95))
    assert losses.bce(REAL, 0.95).item() == pytest.approx(expected.item(), abs=1e-6)


def test_hinge_by_hand() -> None:
    assert losses.hinge(REAL, +1).item() == pytest.approx((0 + 2 + 0.5) / 3)
    assert losses.hinge(FAKE, -1).item() == pytest.approx((0 + 1.25 + 2) / 3)


def test_quadratic_potential_by_hand() -> None:
    d = torch.tensor([1.0, 0.5])
    # 0.5 D^2 / (10 d): (0.5 * 4 / 10 + 0.5 * 9 / 5) / 2
    assert losses.quadratic_potential(torch.tensor([2.0, -3.0]), d, 10.0).item() == pytest.approx(
        (0.2 + 0.9) / 2
    )


def test_an_identical_pair_costs_nothing_and_moves_nothing() -> None:
    """0/0 is taken as its limit 0; the other pair of the batch is as it would be alone."""
    difference = torch.tensor([0.0, 2.0], requires_grad=True)
    distance = torch.tensor([0.0, 0.5], requires_grad=True)
    potential = losses.quadratic_potential(difference, distance, 10.0)
    assert potential.item() == pytest.approx(4.0 / (2 * 10.0 * 0.5) / 2)
    by_difference, by_distance = torch.autograd.grad(potential, [difference, distance])
    assert by_difference.tolist() == pytest.approx([0.0, 2.0 / (10.0 * 0.5) / 2])
    assert by_distance.tolist() == pytest.approx([0.0, -4.0 / (2 * 10.0 * 0.25) / 2])


def test_quadratic_potential_refuses_a_broadcast() -> None:
    with pytest.raises(ValueError, match="two vectors"):
        losses.quadratic_potential(torch.zeros(4, 1), torch.ones(4), 10.0)


def test_distances_by_hand() -> None:
    a, b = torch.tensor([[0.0, 2.0], [1.0, 1.0]]), torch.tensor([[1.0, 0.0], [1.0, 1.0]])
    assert losses.mean_absolute(a, b).item() == pytest.approx(3 / 4)
    assert losses.mean_square(a, b).item() == pytest.approx(5 / 4)
    assert losses.mean_absolute_each(a, b).tolist() == [1.5, 0.0]


def total(terms: dict[str, Tensor]) -> float:
    return sum(t.item() for t in terms.values())


def scores(game, x: Tensor, z: Tensor) -> dict[str, Tensor]:
    """Return the three scores, written out without the game's own methods."""
    n = game.networks
    f, h = n["F"](x), n["H"](z) if "H" in n else None
    out = {}
    if "s_x" in n:
        out["x"] = n["s_x"](f)[:, 0]
    if "s_z" in n:
        out["z"] = n["s_z"](h)[:, 0]
    if "s_xz" in n:
        out["xz"] = n["s_xz"](n["J"](f, h))[:, 0]
    return out


def bce(s: Tensor, target: float) -> float:
    return F.binary_cross_entropy_with_logits(s, torch.full_like(s, target)).item()


# Evaluation mode makes a forward repeatable (batch norm, power iteration), so that an equation can
# be written out a second time from the networks alone and compared with the family's terms.


def test_bigan_totals() -> None:
    game = tiny_game("bigan").eval()
    b = tiny_batch(game)
    found = game.losses("all", b, 0)
    n = game.networks
    e = scores(game, b.x, n["mean"](n["E"](b.x)))["xz"]
    g = scores(game, n["G"](b.z), b.z)["xz"]
    assert total(found["discriminator"]) == pytest.approx(0.5 * bce(e, 1) + 0.5 * bce(g, 0))
    assert total(found["generator_encoder"]) == pytest.approx(0.5 * bce(e, 0) + 0.5 * bce(g, 1))


def test_gan_totals() -> None:
    game = tiny_game("gan").eval()
    b = tiny_batch(game)
    found = game.losses("both", b, 0)
    real = scores(game, b.x, b.z)["x"]
    fake = scores(game, game.networks["G"](b.z), b.z)["x"]
    assert total(found["discriminator"]) == pytest.approx(0.5 * bce(real, 1) + 0.5 * bce(fake, 0))
    assert total(found["generator"]) == pytest.approx(bce(fake, 1))  # weight 1, not a half


def test_bigan_qp_totals() -> None:
    game = tiny_game("bigan_qp").eval()
    b = tiny_batch(game)
    n = game.networks
    z_hat, x_hat = n["mean"](n["E"](b.x)), n["G"](b.z)
    difference = scores(game, b.x, z_hat)["xz"] - scores(game, x_hat, b.z)["xz"]
    each = []
    for i in range(len(difference)):  # one d per pair, by a loop
        d_i = (b.x[i] - x_hat[i]).abs().mean() + (z_hat[i] - b.z[i]).abs().mean()
        each.append((-difference[i] + 0.5 * difference[i] ** 2 / (10 * d_i)).item())
    assert total(game.losses("critic", b, 0)["critic"]) == pytest.approx(mean(each), rel=1e-5)
    guided = difference.mean().item()
    guided += 2 * F.mse_loss(n["mean"](n["E"](x_hat)), b.z).item()
    guided += 3 * F.mse_loss(n["G"](z_hat), b.x).item()
    found = game.losses("generator_encoder", b, 0)["generator_encoder"]
    assert total(found) == pytest.approx(guided, rel=1e-5)


def test_aegan_totals() -> None:
    game = tiny_game("aegan").eval()
    b = tiny_batch(game)
    n = game.networks

    def encode(x: Tensor) -> Tensor:
        return n["mean"](n["E"](x))

    x_hat, z_hat = n["G"](b.z), encode(b.x)
    x_til, z_til = n["G"](z_hat), encode(x_hat)
    s_x = [n["s_x"](n["F"](v))[:, 0] for v in (b.x, x_hat, x_til)]
    s_z = [n["s_z"](n["H"](v))[:, 0] for v in (b.z, z_hat, z_til)]
    found = game.losses("critics", b, 0)
    for player, (real, hat, til) in (("image_critic", s_x), ("latent_critic", s_z)):
        # four minibatch steps real, hat, real, tilde as one mean: real counts twice
        expected = (2 * bce(real, 0.95) + bce(hat, 0.05) + bce(til, 0.05)) / 4
        assert total(found[player]) == pytest.approx(expected, rel=1e-5)
    expected = 10 * F.l1_loss(x_til, b.x).item() + 5 * F.mse_loss(z_til, b.z).item()
    expected += sum(bce(s, 1) for s in (s_x[1], s_x[2], s_z[1], s_z[2]))
    found = game.losses("generator_encoder", b, 0)
    assert total(found["generator_encoder"]) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("unary_x", [True, False])
@pytest.mark.parametrize("unary_z", [True, False])
@pytest.mark.parametrize("stochastic", [True, False])
def test_bigbigan_totals(unary_x: bool, unary_z: bool, stochastic: bool) -> None:
    game = tiny_game("bigbigan", unary_x=unary_x, unary_z=unary_z, stochastic=stochastic).eval()
    b = tiny_batch(game)
    n = game.networks
    z_hat = n["mean"](n["E"](b.x))
    if stochastic:
        z_hat = z_hat + F.softplus(n["scale"](n["E"](b.x))) * b.noise["encoder"]
    e, g = scores(game, b.x, z_hat), scores(game, n["G"](b.z), b.z)
    assert set(e) == {"xz"} | ({"x"} if unary_x else set()) | ({"z"} if unary_z else set())
    critic = sum((1 - s).clamp(min=0).mean().item() for s in e.values())
    critic += sum((1 + s).clamp(min=0).mean().item() for s in g.values())
    found = game.losses("discriminator", b, 0)["discriminator"]
    assert total(found) == pytest.approx(critic, rel=1e-5)
    linear = sum(s.mean().item() for s in e.values()) - sum(s.mean().item() for s in g.values())
    found = game.losses("generator_encoder", b, 0)["generator_encoder"]
    assert total(found) == pytest.approx(linear, rel=1e-4, abs=1e-6)


@pytest.mark.parametrize(("error", "power"), [("l2", 2), ("l1", 1)])
def test_autoencoder_totals(error: str, power: int) -> None:
    game = tiny_game("autoencoder", error=error).eval()
    b = tiny_batch(game)
    gap = (b.x - game.reconstruct(b.x)).abs() ** power
    expected = gap.flatten(1).sum(1).mean().item()  # mean over the batch of the sum over pixels
    assert total(game.losses("reconstruct", b, 0)["autoencoder"]) == pytest.approx(
        expected, rel=1e-5
    )


def test_autoencoder_refuses_an_unknown_error() -> None:
    with pytest.raises(ValueError, match="l2, l1"):
        tiny_game("autoencoder", error="l3")
