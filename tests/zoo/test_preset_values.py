"""What a faithful run must come to: the settings of the papers and of their authors' code."""

import pytest

from benchmarks.planning import suites
from benchmarks.planning.config import Run
from benchmarks.planning.resolve import resolve_row
from benchmarks.training.loop import build
from zoo.build import options_of
from zoo.game import Clip
from zoo.registry import presets

# body, width, latent dimensions, prior, batch size
BIGAN_TABLE = ("bigan_paper", 1024, 50, "uniform", 128)
NETWORKS = {
    **dict.fromkeys(("bigan", "gan", "autoencoder"), BIGAN_TABLE),
    **dict.fromkeys(("latent_regressor", "joint_latent_regressor"), BIGAN_TABLE),
    "ali": ("ali_toy_paper", 400, 2, "normal", 100),
    "aegan": ("aegan_paper", 64, 16, "normal", 32),
    "gan_qp": ("qp", 1024, 128, "normal", 64),
    "bigan_qp": ("qp", 1024, 128, "normal", 64),
    "bigbigan": ("resnet_attention", 64, 100, "normal", 256),
}
# All options of a run of 400 updates, the family's own defaults among them.
OPTIONS = {
    "bigan": "decay_over=400",
    "gan": "decay_over=400 spectral=False",
    "latent_regressor": "decay_over=400 zero_head=True gan_steps=0",
    "joint_latent_regressor": "decay_over=400 zero_head=True latent_weight=0.25",
    "autoencoder": "decay_over=400 error=l2",
    "ali": "",
    "aegan": "image_weight=10.0 latent_weight=5.0 input_noise=0.01 blocks=True half_life=0",
    "gan_qp": "strength=10.0 distance=l1 compares=False spectral=False",
    "bigan_qp": "strength=10.0 latent_weight=2.0 image_weight=3.0 guidance=half-stopped "
    "compares=False",
    "bigbigan": "unary_x=True unary_z=True stochastic=True encoder_lr_factor=1.0 spectral=True "
    "average=0.999 downscale=1 classes=0",
}
# Player: learning rate, Adam's eps (1e-7 is Keras's), coupled L2, clip of each tensor, average,
# networks. Betas are 0.5 and 0.999 everywhere; ALI's script says 0.8 in a library whose convention
# changed, which leaves 0.2 and 0.8 open, so that its preset has the paper's own 0.5.
PLAYERS = {
    "bigan discriminator": (2e-4, 1e-8, 2.5e-5, None, None, "D"),
    "bigan generator_encoder": (2e-4, 1e-8, 2.5e-5, None, None, "G E mean"),
    "gan discriminator": (2e-4, 1e-8, 2.5e-5, None, None, "F s_x"),
    "gan generator": (2e-4, 1e-8, 2.5e-5, None, None, "G"),
    "latent_regressor discriminator": (2e-4, 1e-8, 2.5e-5, None, None, "F s_x"),
    "latent_regressor generator": (2e-4, 1e-8, 2.5e-5, None, None, "G"),
    "latent_regressor encoder": (2e-4, 1e-8, 2.5e-5, None, None, "E mean"),
    "joint_latent_regressor discriminator": (2e-4, 1e-8, 2.5e-5, None, None, "F s_x"),
    "joint_latent_regressor generator_encoder": (2e-4, 1e-8, 2.5e-5, None, None, "G E mean"),
    "autoencoder autoencoder": (2e-4, 1e-8, 2.5e-5, None, None, "G E mean"),
    "ali discriminator": (1e-4, 1e-8, 0, None, None, "D"),
    "ali generator_encoder": (1e-4, 1e-8, 0, None, None, "G E mean scale"),
    "aegan image_critic": (5e-4, 1e-7, 0, 1.0, None, "F s_x"),
    "aegan latent_critic": (5e-4, 1e-7, 0, 1.0, None, "H s_z"),
    "aegan generator_encoder": (2e-4, 1e-7, 0, 1.0, None, "G E mean"),
    "gan_qp critic": (2e-4, 1e-7, 0, None, None, "F s_x"),
    "gan_qp generator": (2e-4, 1e-7, 0, None, None, "G"),
    "bigan_qp critic": (2e-4, 1e-7, 0, None, None, "F H J s_xz"),
    "bigan_qp generator_encoder": (2e-4, 1e-7, 0, None, None, "G E mean"),
    "bigbigan discriminator": (2e-4, 1e-8, 0, None, None, "F H J s_xz s_x s_z"),
    "bigbigan generator_encoder": (2e-4, 1e-8, 0, None, 0.999, "G E mean scale"),
}
# Turns with how often each is played in a row.
TURNS = {
    **dict.fromkeys(("bigan", "latent_regressor", "joint_latent_regressor", "ali"), "all 1"),
    "gan": "both 1",
    "autoencoder": "reconstruct 1",
    "aegan": "real 1, hat 1, real 1, tilde 1, generator_encoder 4",
    "gan_qp": "critic 2, generator 1",
    "bigan_qp": "critic 2, generator_encoder 1",
    "bigbigan": "discriminator 2, generator_encoder 1",
}


def faithful_run(family: str) -> Run:
    """Return a run of a family's preset as a suite plans it."""
    settings = [f"rows.{family}.preset=faithful", "training.steps=400"]
    suite = suites.override(suites.load_suite("digits"), settings, families=[family])
    return resolve_row(suite, family).run(0)


def test_every_preset_has_its_values_here() -> None:
    names = {name.split()[0] for name in PLAYERS}
    assert set(presets()) == set(NETWORKS) == set(OPTIONS) == set(TURNS) == names


@pytest.mark.parametrize("family", NETWORKS)
def test_a_run_has_the_papers_settings(family: str) -> None:
    run = faithful_run(family)
    assert (*run.networks.model_dump().values(), run.training.batch_size) == NETWORKS[family]
    options = options_of(family) | run.options
    assert {f"{name}={value}" for name, value in options.items()} == set(OPTIONS[family].split())


@pytest.mark.parametrize("family", NETWORKS)
def test_a_run_has_the_papers_players_and_turns(family: str) -> None:
    game = build(faithful_run(family))
    assert {f"{family} {name}" for name in game.players} == {
        name for name in PLAYERS if name.split()[0] == family
    }
    for name, player in game.players.items():
        lr, eps, l2, clip, average, networks = PLAYERS[f"{family} {name}"]
        assert player.networks == tuple(networks.split())
        assert {player.lr_of(network) for network in player.networks} == {lr}
        assert (player.betas, player.eps, player.l2) == ((0.5, 0.999), eps, l2)
        assert player.clip == (clip and Clip(norm=clip, of="tensor"))
        assert player.average == average
        # Donahue et al.: 200 epochs of 400 without decay, then down to a hundredth
        last = 0.01 if NETWORKS[family] is BIGAN_TABLE else 1
        factors = [player.schedule(step) for step in (0, 199, 399)]
        assert factors == pytest.approx([1, 1, last])
    assert ", ".join(f"{turn.name} {turn.repeats}" for turn in game.turns) == TURNS[family]
