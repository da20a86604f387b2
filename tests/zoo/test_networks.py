"""The bodies: sizes, parameters worked out by hand, one step of every family with every body."""

from pathlib import Path

import pytest
import torch
from torch import nn

import zoo.networks
from benchmarks.harness.loop import play_turn
from benchmarks.harness.optimisers import PlayerOptimiser
from tests.helpers import BATCH, tiny_batch, tiny_game
from zoo.networks import Builder
from zoo.registry import FAMILIES

BODIES = sorted(path.stem for path in Path(zoo.networks.__path__[0]).glob("[a-z]*.py"))
NETWORKS = ("G", "E", "mean", "scale", "F", "s_x", "H", "s_z", "J", "s_xz")


def parameters(network: nn.Module) -> int:
    return sum(p.numel() for p in network.parameters())


def networks(
    body: str, shape: tuple[int, int, int], latent_dim: int, width: int
) -> dict[str, nn.Module]:
    return Builder(body, shape, latent_dim, width, lambda name: 0)(*NETWORKS)


def play(found: dict[str, nn.Module], shape: tuple[int, int, int], latent_dim: int) -> None:
    """Send images and latents through all networks."""
    x, z = torch.rand(2, *shape) * 2 - 1, torch.randn(2, latent_dim)
    made = found["G"](z)
    assert made.shape == x.shape
    assert made.abs().max() <= 1
    e = found["E"](x)
    assert found["mean"](e).shape == found["scale"](e).shape == z.shape
    f, h = found["F"](x), found["H"](z)
    assert found["s_x"](f).shape == found["s_z"](h).shape == (2, 1)
    assert found["s_xz"](found["J"](f, h)).shape == (2, 1)


@pytest.mark.parametrize("body", BODIES)
@pytest.mark.parametrize(
    "shape", [(1, 8, 8), (1, 28, 28), (1, 14, 14), (3, 32, 32), (3, 16, 16), (1, 4, 4)], ids=str
)
def test_networks_fit_together(body: str, shape: tuple[int, int, int]) -> None:
    play(networks(body, shape, 6, 16), shape, 6)


@pytest.mark.parametrize("body", BODIES)
def test_the_smallest_widths_that_a_suite_may_ask_for(body: str) -> None:
    play(networks(body, (1, 8, 8), 2, 2), (1, 8, 8), 2)


@pytest.mark.parametrize("body", BODIES)
def test_first_weights_depend_on_seed_and_name_alone(body: str) -> None:
    def build(*names: str, seed: int = 0) -> dict[str, nn.Module]:
        return Builder(body, (1, 8, 8), 4, 16, lambda name: seed + len(name))(*names)

    alone, together = build("E")["E"], build("G", "F", "E")["E"]
    for a, b in zip(alone.parameters(), together.parameters(), strict=True):
        assert torch.equal(a, b)
    other = list(build("E", seed=1)["E"].parameters())
    assert any(not torch.equal(a, b) for a, b in zip(alone.parameters(), other, strict=True))


@pytest.mark.parametrize("body", BODIES)
@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_takes_a_step_with_every_body(family: str, body: str) -> None:
    game = tiny_game(family, body=body).train().requires_grad_(False)
    optimisers = {name: PlayerOptimiser(game, player) for name, player in game.players.items()}
    before = {name: value.clone() for name, value in game.state_dict().items()}
    for turn in game.turns:
        plain = torch.autocast("cpu", enabled=False)
        losses = play_turn(game, turn, tiny_batch(game), 0, optimisers, plain)
        assert all(bool(t.isfinite()) for terms in losses.values() for t in terms.values())
    for name, network in game.networks.items():
        own = list(network.named_parameters())
        assert not own or any(not torch.equal(p, before[f"{name}.{key}"]) for key, p in own), name


@pytest.mark.parametrize("body", BODIES)
def test_shared_networks_are_the_same_in_every_family(body: str) -> None:
    for name in NETWORKS:
        found = [
            tiny_game(family, body=body).networks[name]
            for family in FAMILIES
            if name in tiny_game(family, body=body).networks
        ]
        assert len({parameters(network) for network in found}) == 1, name


@pytest.mark.parametrize("body", BODIES)
@pytest.mark.parametrize("family", FAMILIES)
def test_truncated_samples_become_images(family: str, body: str) -> None:
    game = tiny_game(family, body=body).eval()
    if "sample_prior" not in game.capabilities:
        pytest.skip(f"{family} has no prior")
    z = game.sample_prior(BATCH, torch.Generator().manual_seed(0), truncation=0.5)
    assert z.abs().max() <= 0.5
    assert game.generate(z).shape == (BATCH, 1, 8, 8)


# conv at width 1024 for 28 x 28 x 1 and 50 latents:
# G: 50*1024 + 2*1024, 1024*6272, 2*128, 128*64*16, 2*64, 64*16 + 1
# E: 64*16 + 64, 64*128*16, 2*128, 6272*1024, 2*1024; F: the same with biases for norms
@pytest.mark.parametrize(
    ("body", "name", "count"),
    [
        ("conv", "G", 6_608_257),
        ("conv", "E", 6_556_992),
        ("conv", "F", 1088 + 131_200 + 6_423_552),
    ],
)
def test_parameters_by_hand(body: str, name: str, count: int) -> None:
    assert parameters(networks(body, (1, 28, 28), 50, 1024)[name]) == count
