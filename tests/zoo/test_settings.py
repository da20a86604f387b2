"""Update orders, optimisers and networks as the papers' code has them."""

import pytest
import torch
from torch import nn

from tests.helpers import tiny_game
from zoo.build import options_of
from zoo.networks import Builder
from zoo.priors import Normal, Uniform
from zoo.registry import FAMILIES, default_of

# players and their Adam: learning rate, coupled L2, clip
PLAYERS = {
    "gan": {"discriminator": (2e-4, 2.5e-5, None), "generator": (2e-4, 2.5e-5, None)},
    "gan_qp": {"critic": (2e-4, 0, None), "generator": (2e-4, 0, None)},
    "wgan_gp": {"critic": (1e-4, 0, None), "generator": (1e-4, 0, None)},
    "autoencoder": {"autoencoder": (2e-4, 2.5e-5, None)},
    "vae": {"autoencoder": (2e-4, 2.5e-5, None)},
    "latent_regressor": {
        "discriminator": (2e-4, 2.5e-5, None),
        "generator": (2e-4, 2.5e-5, None),
        "encoder": (2e-4, 2.5e-5, None),
    },
    "joint_latent_regressor": {
        "discriminator": (2e-4, 2.5e-5, None),
        "generator_encoder": (2e-4, 2.5e-5, None),
    },
    "bigan": {"discriminator": (2e-4, 2.5e-5, None), "generator_encoder": (2e-4, 2.5e-5, None)},
    "ali": {"discriminator": (1e-4, 0, None), "generator_encoder": (1e-4, 0, None)},
    "bigan_qp": {"critic": (2e-4, 0, None), "generator_encoder": (2e-4, 0, None)},
    "aegan": {
        "image_critic": (5e-4, 0, "tensor"),
        "latent_critic": (5e-4, 0, "tensor"),
        "generator_encoder": (2e-4, 0, "tensor"),
    },
    "bigbigan": {"discriminator": (2e-4, 0, None), "generator_encoder": (2e-4, 0, None)},
}
TURNS = {
    "gan": [(("discriminator", "generator"), 1)],
    "gan_qp": [(("critic",), 2), (("generator",), 1)],
    "wgan_gp": [(("critic",), 5), (("generator",), 1)],
    "autoencoder": [(("autoencoder",), 1)],
    "vae": [(("autoencoder",), 1)],
    "latent_regressor": [(("discriminator", "generator", "encoder"), 1)],
    "joint_latent_regressor": [(("discriminator", "generator_encoder"), 1)],
    "bigan": [(("discriminator", "generator_encoder"), 1)],
    "ali": [(("discriminator", "generator_encoder"), 1)],
    "bigan_qp": [(("critic",), 2), (("generator_encoder",), 1)],
    "aegan": [
        (("image_critic", "latent_critic"), 1),
        (("generator_encoder",), 1),
    ],
    "bigbigan": [(("discriminator",), 2), (("generator_encoder",), 1)],
}


def test_what_has_settings_here_is_a_family() -> None:
    """A family of no paper may leave them out: its golden numbers hold what it has."""
    assert set(PLAYERS) == set(TURNS) <= set(FAMILIES)


@pytest.mark.parametrize("family", PLAYERS)
def test_optimisers(family: str) -> None:
    players = tiny_game(family).players
    assert set(players) == set(PLAYERS[family])
    for name, (lr, l2, clip) in PLAYERS[family].items():
        player = players[name]
        assert {player.lr_of(network) for network in player.networks} == {lr}
        eps = 1e-7 if family in ("gan_qp", "bigan_qp", "aegan") else 1e-8  # Keras's
        betas = (0.0, 0.9) if family == "wgan_gp" else (0.5, 0.999)
        assert (player.betas, player.eps, player.l2) == (betas, eps, l2)
        assert (player.clip and (player.clip.of, player.clip.norm)) == (clip and (clip, 1.0))


@pytest.mark.parametrize("family", TURNS)
def test_turns(family: str) -> None:
    turns = [(t.players, t.repeats) for t in tiny_game(family).turns]
    assert turns == TURNS[family]


def test_bigbigan_encoder_learning_rate_factor() -> None:
    player = tiny_game("bigbigan", encoder_lr_factor=10.0).players["generator_encoder"]
    assert player.lr_of("G") == pytest.approx(2e-4)
    assert [player.lr_of(n) for n in ("E", "mean", "scale")] == pytest.approx([2e-3] * 3)


def test_spectral_norm_is_on_bigbigans_critics_only() -> None:
    for family in PLAYERS:
        game = tiny_game(family)
        normed = {
            name
            for name, network in game.networks.items()
            if any(nn.utils.parametrize.is_parametrized(m) for m in network.modules())
        }
        critics = {"F", "H", "J", "s_x", "s_z", "s_xz"}
        assert normed == (critics if family == "bigbigan" else set())


def test_spectral_norm_bounds_the_weights() -> None:
    game = tiny_game("bigbigan").train()
    for _ in range(200):
        game.score(torch.randn(8, 1, 8, 8), torch.randn(8, 4))
    for name in ("F", "H", "J", "s_x"):
        for module in game.networks[name].modules():
            if isinstance(module, nn.Linear):
                assert torch.linalg.matrix_norm(module.weight, 2).item() == pytest.approx(
                    1, rel=0.02
                )


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("G", 1_907_472),
        ("E", 1_905_714 - 51_250),
        ("mean", 51_250),
        ("scale", 51_250),
        ("F", 1_853_440),
        ("s_x", 1_025),
        ("H", 288_768),
        ("s_z", 513),
        ("J", 1_574_913 - 1_025),
        ("s_xz", 1_025),
    ],
)
def test_parameter_counts_at_width_1024(name: str, parameters: int) -> None:
    network = Builder("mlp", (1, 28, 28), 50, 1024, lambda name: 0)(name)[name]
    assert sum(p.numel() for p in network.parameters()) == parameters


def test_no_batch_norm_in_critics() -> None:
    for family in PLAYERS:
        for name, network in tiny_game(family).networks.items():
            if name not in ("G", "E"):
                assert not any(isinstance(m, nn.BatchNorm1d) for m in network.modules())


def test_unknown_network_is_an_error() -> None:
    with pytest.raises(ValueError, match="no network called 'Q'"):
        Builder("mlp", (1, 8, 8), 4, 8, lambda name: 0)("Q")


def test_priors() -> None:
    g = torch.Generator().manual_seed(0)
    z = Normal(3).sample(20_000, g)
    assert z.mean().item() == pytest.approx(0, abs=0.02)
    assert z.var().item() == pytest.approx(1, abs=0.03)
    u = Uniform(3).sample(20_000, g)
    assert u.abs().max() <= 1
    assert u.var().item() == pytest.approx(1 / 3, abs=0.01)
    assert Normal(3).sample(5000, g, truncation=0.5).abs().max() <= 0.5
    with pytest.raises(ValueError, match="Gaussian"):
        Uniform(3).sample(1, g, truncation=0.5)
    with pytest.raises(ValueError, match="positive"):
        Normal(3).sample(1, g, truncation=0.0)


def test_defaults_are_read_without_building_anything() -> None:
    for family in FAMILIES:
        for option, default in options_of(family).items():
            assert default_of(family, option) == default
    with pytest.raises(KeyError, match="gan has no option 'variance'"):
        default_of("gan", "variance")
