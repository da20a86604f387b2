"""WGAN-GP: the penalty by another route, what it moves, and where it has no meaning."""

import math
from statistics import NormalDist

import pytest
import torch
from torch import Tensor

from benchmarks.training.loop import build
from benchmarks.training.stacked import StackedEngine
from tests.helpers import tiny_batch, tiny_game, tiny_run
from tests.zoo.by_hand import X, Z, gradient, hand_game, values
from zoo.game import Batch, Game

ROOT_2 = math.sqrt(2)  # the norm of f's gradient: f(x) = w (x_1 + x_2)


def hand_losses(game: Game, turn: str) -> dict[str, dict[str, Tensor]]:
    noise = {"mixing": torch.tensor([[0.3], [-1.2]])}
    return game.losses(turn, Batch(X, torch.zeros(2), Z, noise), 0)


def test_critic_by_hand() -> None:
    # f(x) = [1.5, 0], f(G(z)) = [1, -0.5]
    found = hand_losses(hand_game("wgan_gp"), "critic")["critic"]
    expected = {"difference": 0.25 - 0.75, "penalty": 10 * (ROOT_2 - 1) ** 2}
    assert values(found) == pytest.approx(expected)
    weak = hand_losses(hand_game("wgan_gp", penalty=0.5), "critic")["critic"]
    assert weak["penalty"].item() == pytest.approx(0.5 * (ROOT_2 - 1) ** 2)


def test_generator_by_hand() -> None:
    game = hand_game("wgan_gp")
    found = hand_losses(game, "generator")["generator"]
    assert values(found) == pytest.approx({"adversarial": -0.25})
    assert gradient(game, found["adversarial"], "G") == pytest.approx(-0.25)  # f(G(z)) is to rise


@pytest.mark.parametrize("w", [1.0, 0.5])
@pytest.mark.parametrize("network", ["F", "s_x"])
def test_gradients_steeper_and_flatter_than_one_are_pulled_to_it(w: float, network: str) -> None:
    game = hand_game("wgan_gp")
    with torch.no_grad():
        game.networks[network].w.fill_(w)
    found = gradient(game, hand_losses(game, "critic")["critic"]["penalty"], network)
    # d/dw 10 (w sqrt 2 - 1)^2: w falls where the norm is 1.41, rises where it is 0.71
    assert found == pytest.approx(20 * (w * ROOT_2 - 1) * ROOT_2, rel=1e-5)
    assert (found > 0) == (w * ROOT_2 > 1)


@pytest.mark.parametrize("body", ["mlp", "conv"])
def test_critic_and_its_weights_gradient_by_a_loop(body: str) -> None:
    """Image by image with `torch.autograd.grad`, in double precision."""
    game = tiny_game("wgan_gp", body=body, penalty=7.0).eval().double()
    b = tiny_batch(game)
    b = Batch(b.x.double(), b.y, b.z.double(), {"mixing": b.noise["mixing"].double()})
    n = game.networks

    def f(image: Tensor) -> Tensor:
        return n["s_x"](n["F"](image[None]))[0, 0]

    x_hat, expected = n["G"](b.z).detach(), torch.zeros((), dtype=torch.float64)
    for real, fake, drawn in zip(b.x, x_hat, b.noise["mixing"], strict=True):
        share = NormalDist().cdf(drawn.item())
        mixed = (share * real + (1 - share) * fake).requires_grad_()
        (slope,) = torch.autograd.grad(f(mixed), mixed, create_graph=True)
        excess = slope.square().sum().sqrt() - 1
        expected = expected + (f(fake) - f(real) + 7 * excess**2) / len(b.x)
    found = sum(game.losses("critic", b, 0)["critic"].values())
    assert isinstance(found, Tensor)
    assert found.item() == pytest.approx(expected.item(), rel=1e-10)
    weights = [p for name in ("F", "s_x") for p in n[name].parameters()]
    # A bias of the last layer shifts all scores alike: zero, or no gradient at all in the loop.
    ours, theirs = (
        torch.autograd.grad(loss, weights, materialize_grads=True) for loss in (found, expected)
    )
    for one, other in zip(ours, theirs, strict=True):
        assert torch.allclose(one, other, rtol=1e-9, atol=1e-12)


def test_generator_by_a_loop() -> None:
    game = tiny_game("wgan_gp").eval()
    b, n = tiny_batch(game), game.networks
    each = [n["s_x"](n["F"](n["G"](z[None]))).item() for z in b.z]
    found = game.losses("generator", b, 0)["generator"]
    assert values(found) == pytest.approx({"adversarial": -sum(each) / len(each)}, rel=1e-5)


def test_images_are_mixed_uniformly_and_each_as_a_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    game = hand_game("wgan_gp")
    seen: list[Tensor] = []
    monkeypatch.setattr(game, "_slope", lambda x: (seen.append(x), torch.ones(len(x)))[1])
    count, generator = 20_000, torch.Generator().manual_seed(0)
    noise = {name: torch.randn(count, *shape, generator=generator)
             for name, shape in game.noise.items()}  # fmt: skip
    ones, zeros = torch.ones(count, 1, 1, 2), torch.zeros(count, 2)
    game.losses("critic", Batch(ones, zeros, zeros, noise), 0)  # x = 1, G(z) = 0
    first, second = seen[0].reshape(count, 2).unbind(1)
    assert torch.equal(first, second)
    steps = torch.linspace(0.1, 0.9, 9)
    assert torch.quantile(first, steps).tolist() == pytest.approx(steps.tolist(), abs=0.015)
    assert 0 < first.min() < 0.001
    assert 0.999 < first.max() < 1


def test_a_flat_critic_costs_lambda_and_stays_finite_in_both_engines() -> None:
    """Where the gradient is zero its norm has none; a critic may start there."""
    run = tiny_run("wgan_gp")
    games = [build(run.model_copy(update={"seed": seed})).train() for seed in range(2)]
    for game in games:
        torch.nn.init.zeros_(game.networks["s_x"].weight)
    batches = [tiny_batch(game) for game in games]
    terms = games[0].losses("critic", batches[0], 0)["critic"]
    assert terms["penalty"].item() == pytest.approx(10)
    weights = list(games[0].networks["F"].parameters())
    grads = torch.autograd.grad(terms["penalty"], weights, allow_unused=True)
    assert all(grad is None or bool((grad == 0).all()) for grad in grads)
    settings = run.training.model_copy(update={"stacked": 2})
    frozen = [game.requires_grad_(False) for game in games]
    engine = StackedEngine(frozen, [0, 1], torch.device("cpu"), settings)
    losses = engine.play(frozen[0].turns[0], batches, 0)
    assert losses["critic"]["penalty"].tolist() == pytest.approx([10, 10])
    assert all(bool(p.isfinite().all()) for game in games for p in game.parameters())


def test_a_critic_with_batch_norm_is_refused() -> None:
    """Under batch norm the score of one image depends on the others."""
    with pytest.raises(ValueError, match="a critic with batch norm does not have"):
        tiny_game("wgan_gp", body="bigan_paper")
