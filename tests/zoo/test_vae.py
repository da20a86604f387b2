"""VAE: the bound by hand and by PyTorch's own distributions."""

import math

import pytest
import torch
from torch.distributions import Normal as Gaussian
from torch.distributions import kl_divergence

from tests.helpers import tiny_batch, tiny_game
from tests.zoo.by_hand import gradient, hand_game, hand_losses, values
from zoo.priors import Uniform


def test_losses_by_hand() -> None:
    game = hand_game("vae", variance=0.5)
    found = hand_losses(game, "reconstruct")["autoencoder"]
    # mu = x / 4 = [[0.25, 0.125], [-0.25, 0.25]], sigma = 2
    # z = mu + 2 noise = [[1.25, 0.125], [-0.75, 0.25]]; x - 2 z = [[-1.5, 0.25], [0.5, 0.5]]
    squares = (2.25 + 0.0625, 0.25 + 0.25)
    each = [0.5 * (mu2 + 2 * (4 - 1 - math.log(4))) for mu2 in (0.078125, 0.125)]
    assert values(found) == pytest.approx(
        {"reconstruction": sum(squares) / 2 / (2 * 0.5), "divergence": sum(each) / 2}
    )
    # d KL / dw of the means is their square, of the log scales log 2 (sigma^2 - 1), twice
    assert gradient(game, found["divergence"], "mean") == pytest.approx((0.078125 + 0.125) / 2)
    assert gradient(game, found["divergence"], "scale") == pytest.approx(2 * 3 * math.log(2))


@pytest.mark.parametrize("variance", [0.05, 1.0])
def test_bound_is_pytorchs(variance: float) -> None:
    game = tiny_game("vae", variance=variance).eval()
    b, n = tiny_batch(game), game.networks
    hidden = n["E"](b.x)
    q = Gaussian(n["mean"](hidden), n["scale"](hidden).exp())
    z = q.loc + q.scale * b.noise["encoder"]
    likelihood = Gaussian(n["G"](z), math.sqrt(variance)).log_prob(b.x).flatten(1).sum(1)
    constant = 0.5 * 64 * math.log(2 * math.pi * variance)
    divergence = kl_divergence(q, Gaussian(0.0, 1.0)).sum(1)
    found = values(game.losses("reconstruct", b, 0)["autoencoder"])
    assert found["reconstruction"] == pytest.approx(-likelihood.mean().item() - constant, rel=1e-4)
    assert found["divergence"] == pytest.approx(divergence.mean().item(), rel=1e-4)


def test_default_variance() -> None:
    default, stated = hand_game("vae"), hand_game("vae", variance=0.05)
    found, expected = (
        values(hand_losses(g, "reconstruct")["autoencoder"]) for g in (default, stated)
    )
    assert found == expected


def test_training_draws_what_encode_draws() -> None:
    game = tiny_game("vae").eval()
    b = tiny_batch(game)
    g = torch.Generator().manual_seed(0)
    drawn = game.encode(b.x, True, torch.Generator().manual_seed(0))
    noise = torch.randn(drawn.shape, generator=g)
    found = values(
        game.losses("reconstruct", b._replace(noise={"encoder": noise}), 0)["autoencoder"]
    )
    gap = (b.x - game.generate(drawn)).square().flatten(1).sum(1).mean().item()
    assert found["reconstruction"] == pytest.approx(gap / 0.1, rel=1e-5)


def test_wrong_prior_and_variance_are_refused() -> None:
    with pytest.raises(ValueError, match="Gaussian prior"):
        hand_game("vae", prior=Uniform(2))
    for variance in (0.0, -1.0):
        with pytest.raises(ValueError, match="positive"):
            hand_game("vae", variance=variance)
