"""The contract, over every family: who gets gradient from what, and what a game offers."""

import copy

import pytest
import torch

from benchmarks.training.eager import play_turn
from benchmarks.training.loop import build
from benchmarks.training.optimiser import PlayerOptimiser
from tests.helpers import BATCH, IMAGE, LATENT, tiny_batch, tiny_game, tiny_run, turn_losses
from zoo.game import Game
from zoo.registry import FAMILIES

CRITICS = {"F", "H", "J", "s_x", "s_z", "s_xz"}

# (family, turn, player, term) -> the networks its gradient reaches (facts of the papers' losses).
# "ge" terms must reach these and no other of G, E, mean, scale; "critic" terms these critics.
REACH: dict[tuple[str, str, str, str], set[str]] = {
    ("gan", "both", "discriminator", "real"): {"F", "s_x"},
    ("gan", "both", "discriminator", "fake"): {"F", "s_x"},
    ("gan", "both", "generator", "adversarial"): {"G"},
    ("gan_qp", "critic", "critic", "difference"): {"F", "s_x"},
    ("gan_qp", "critic", "critic", "potential"): {"F", "s_x"},
    ("gan_qp", "generator", "generator", "difference"): {"G"},
    ("wgan_gp", "critic", "critic", "difference"): {"F", "s_x"},
    ("wgan_gp", "critic", "critic", "penalty"): {"F", "s_x"},
    ("wgan_gp", "generator", "generator", "adversarial"): {"G"},
    ("autoencoder", "reconstruct", "autoencoder", "reconstruction"): {"G", "E", "mean"},
    ("vae", "reconstruct", "autoencoder", "reconstruction"): {"G", "E", "mean", "scale"},
    ("vae", "reconstruct", "autoencoder", "divergence"): {"E", "mean", "scale"},
    ("latent_regressor", "all", "discriminator", "real"): {"F", "s_x"},
    ("latent_regressor", "all", "discriminator", "fake"): {"F", "s_x"},
    ("latent_regressor", "all", "generator", "adversarial"): {"G"},
    ("latent_regressor", "all", "encoder", "latent_regression"): {"E", "mean"},
    ("joint_latent_regressor", "all", "discriminator", "real"): {"F", "s_x"},
    ("joint_latent_regressor", "all", "discriminator", "fake"): {"F", "s_x"},
    ("joint_latent_regressor", "all", "generator_encoder", "adversarial"): {"G"},
    ("joint_latent_regressor", "all", "generator_encoder", "latent_regression"): {
        "G",
        "E",
        "mean",
    },
    ("bigan", "all", "discriminator", "encoder_pair"): {"F", "H", "J", "s_xz"},
    ("bigan", "all", "discriminator", "generator_pair"): {"F", "H", "J", "s_xz"},
    ("bigan", "all", "generator_encoder", "encoder_pair"): {"E", "mean"},
    ("bigan", "all", "generator_encoder", "generator_pair"): {"G"},
    ("ali", "all", "discriminator", "encoder_pair"): {"F", "H", "J", "s_xz"},
    ("ali", "all", "discriminator", "generator_pair"): {"F", "H", "J", "s_xz"},
    ("ali", "all", "generator_encoder", "encoder_pair"): {"E", "mean", "scale"},
    ("ali", "all", "generator_encoder", "generator_pair"): {"G"},
    ("bigan_qp", "critic", "critic", "difference"): {"F", "H", "J", "s_xz"},
    ("bigan_qp", "critic", "critic", "potential"): {"F", "H", "J", "s_xz"},
    ("bigan_qp", "generator_encoder", "generator_encoder", "difference"): {"G", "E", "mean"},
    ("bigan_qp", "generator_encoder", "generator_encoder", "latent_guidance"): {"E", "mean"},
    ("bigan_qp", "generator_encoder", "generator_encoder", "image_guidance"): {"G"},
    ("aegan", "critics", "image_critic", "real"): {"F", "s_x"},
    ("aegan", "critics", "image_critic", "hat"): {"F", "s_x"},
    ("aegan", "critics", "image_critic", "tilde"): {"F", "s_x"},
    ("aegan", "critics", "latent_critic", "real"): {"H", "s_z"},
    ("aegan", "critics", "latent_critic", "hat"): {"H", "s_z"},
    ("aegan", "critics", "latent_critic", "tilde"): {"H", "s_z"},
    ("aegan", "generator_encoder", "generator_encoder", "image_sample"): {"G"},
    ("aegan", "generator_encoder", "generator_encoder", "image_reconstructed"): {"G", "E", "mean"},
    ("aegan", "generator_encoder", "generator_encoder", "latent_code"): {"E", "mean"},
    ("aegan", "generator_encoder", "generator_encoder", "latent_reconstructed"): {"G", "E", "mean"},
    ("aegan", "generator_encoder", "generator_encoder", "image_reconstruction"): {"G", "E", "mean"},
    ("aegan", "generator_encoder", "generator_encoder", "latent_reconstruction"): {
        "G",
        "E",
        "mean",
    },
    ("bigbigan", "discriminator", "discriminator", "s_x_encoder"): {"F", "s_x"},
    ("bigbigan", "discriminator", "discriminator", "s_x_generator"): {"F", "s_x"},
    ("bigbigan", "discriminator", "discriminator", "s_z_encoder"): {"H", "s_z"},
    ("bigbigan", "discriminator", "discriminator", "s_z_generator"): {"H", "s_z"},
    ("bigbigan", "discriminator", "discriminator", "s_xz_encoder"): {"F", "H", "J", "s_xz"},
    ("bigbigan", "discriminator", "discriminator", "s_xz_generator"): {"F", "H", "J", "s_xz"},
    ("bigbigan", "generator_encoder", "generator_encoder", "s_x_encoder"): set(),
    ("bigbigan", "generator_encoder", "generator_encoder", "s_x_generator"): {"G"},
    ("bigbigan", "generator_encoder", "generator_encoder", "s_z_encoder"): {"E", "mean", "scale"},
    ("bigbigan", "generator_encoder", "generator_encoder", "s_z_generator"): set(),
    ("bigbigan", "generator_encoder", "generator_encoder", "s_xz_encoder"): {"E", "mean", "scale"},
    ("bigbigan", "generator_encoder", "generator_encoder", "s_xz_generator"): {"G"},
}


def reached(game: Game, turn: str, player: str, term: str) -> set[str]:
    """Return which of the player's own networks receive a non-zero gradient from one term."""
    loss = turn_losses(game, turn)[player][term]
    found = set()
    for name in game.players[player].networks:
        parameters = list(game.networks[name].parameters())
        grads = (
            torch.autograd.grad(loss, parameters, allow_unused=True, retain_graph=True)
            if loss.requires_grad
            else []
        )
        if any(g is not None and bool(g.abs().sum() > 0) for g in grads):
            found.add(name)
    return found


@pytest.mark.parametrize("key", REACH, ids="-".join)
def test_gradient_reaches_exactly(key: tuple[str, str, str, str]) -> None:
    family, turn, player, term = key
    assert reached(tiny_game(family), turn, player, term) == REACH[key]


@pytest.mark.parametrize("family", FAMILIES)
def test_every_term_is_in_the_map(family: str) -> None:
    game = tiny_game(family)
    found = {
        (family, turn.name, player, term)
        for turn in game.turns
        for player, terms in turn_losses(game, turn.name).items()
        for term in terms
    }
    assert found == {key for key in REACH if key[0] == family}


@pytest.mark.parametrize("family", FAMILIES)
def test_a_turn_moves_its_players_and_nothing_else(family: str) -> None:
    game = tiny_game(family).requires_grad_(False)
    optimisers = {name: PlayerOptimiser(game, player) for name, player in game.players.items()}
    for turn in game.turns:
        before = {name: copy.deepcopy(n.state_dict()) for name, n in game.networks.items()}
        play_turn(game, turn, tiny_batch(game), 0, optimisers, torch.autocast("cpu", enabled=False))
        movers = {n for player in turn.players for n in game.players[player].networks}
        for name, network in game.networks.items():
            moved = any(
                not torch.equal(p, before[name][key]) for key, p in network.named_parameters()
            )
            assert moved == (name in movers), name


@pytest.mark.parametrize("family", FAMILIES)
def test_players_own_disjoint_networks_and_turns_name_them(family: str) -> None:
    game = tiny_game(family)
    owned = [name for player in game.players.values() for name in player.networks]
    assert sorted(owned) == sorted(game.networks)
    assert {p for turn in game.turns for p in turn.players} == set(game.players)


@pytest.mark.parametrize("family", FAMILIES)
def test_same_seed_same_first_generator_and_encoder(family: str) -> None:
    reference, game = tiny_game("bigan"), tiny_game(family)
    for name in {"G", "E", "mean"} & game.networks.keys():
        for ours, theirs in zip(
            game.networks[name].parameters(), reference.networks[name].parameters(), strict=True
        ):
            assert torch.equal(ours, theirs)


@pytest.mark.parametrize("family", FAMILIES)
def test_another_seed_gives_other_weights(family: str) -> None:
    assert not torch.equal(
        next(tiny_game(family, 0).parameters()), next(tiny_game(family, 1).parameters())
    )


def test_building_leaves_the_global_stream_alone() -> None:
    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    build(tiny_run("bigbigan"))
    assert torch.equal(torch.rand(1), expected)


@pytest.mark.parametrize("family", FAMILIES)
def test_what_a_game_offers_has_the_right_shape_and_range(family: str) -> None:
    game = tiny_game(family).eval()
    x = torch.rand(BATCH, *IMAGE) * 2 - 1
    z = torch.randn(BATCH, LATENT)
    able = game.capabilities
    if "sample_prior" in able:
        assert game.sample_prior(5, torch.Generator().manual_seed(0)).shape == (5, LATENT)
    if "generate" in able:
        assert game.generate(z).shape == x.shape
        assert game.generate(100 * z).abs().max() <= 1
    if "encode" in able:
        assert game.encode(x).shape == z.shape
        assert game.features(x).shape[0] == BATCH
    if "reconstruct" in able:
        assert torch.equal(game.reconstruct(x), game.generate(game.encode(x)))
    if "score" in able:
        assert game.score(x, z).shape == (BATCH,)


def test_capabilities_of_each_family() -> None:
    everything = {"sample_prior", "generate", "encode", "features", "reconstruct", "score"}
    for family in FAMILIES:
        missing = {
            "gan": {"encode", "features", "reconstruct"},
            "gan_qp": {"encode", "features", "reconstruct"},
            "wgan_gp": {"encode", "features", "reconstruct"},
            "autoencoder": {"sample_prior", "score"},
            "vae": {"score"},
        }.get(family, set())
        assert tiny_game(family).capabilities == everything - missing, family


def test_sampling_a_game_without_prior_says_so() -> None:
    with pytest.raises(ValueError, match="no prior"):
        tiny_game("autoencoder").sample_prior(1, torch.Generator())


def test_stochastic_encoder_draws_only_when_asked() -> None:
    game, x = tiny_game("bigbigan").eval(), torch.rand(BATCH, *IMAGE) * 2 - 1
    assert torch.equal(game.encode(x), game.encode(x))
    g = torch.Generator().manual_seed(0)
    first, second = game.encode(x, True, g), game.encode(x, True, g)
    assert not torch.equal(first, second)
    raw = game.networks["scale"](game.networks["E"](x))
    g = torch.Generator().manual_seed(0)
    noise = torch.randn(x.shape[0], LATENT, generator=g)
    assert torch.allclose(first, game.encode(x) + torch.log1p(raw.exp()) * noise, atol=1e-6)


def test_games_copy_and_reload() -> None:
    for family in FAMILIES:
        game, other = tiny_game(family, 0), tiny_game(family, 1)
        other.load_state_dict(copy.deepcopy(game.state_dict()))
        for a, b in zip(game.state_dict().values(), other.state_dict().values(), strict=True):
            assert torch.equal(a, b)


@pytest.mark.parametrize(
    ("family", "method", "message"),
    [
        ("gan", "encode", "GAN has no encoder .network mean.; it can: generate, sample_prior, sc"),
        ("gan", "features", "GAN has no encoder"),
        ("gan_qp", "reconstruct", "GANQP has no encoder"),
        ("autoencoder", "score", None),
    ],
)
def test_what_a_game_cannot_do_says_what_is_missing(
    family: str, method: str, message: str | None
) -> None:
    game = tiny_game(family).eval()
    x = torch.zeros(2, *IMAGE)
    if message is None:
        assert method not in game.capabilities
        return
    with pytest.raises(AttributeError, match=message):
        getattr(game, method)(x)


@pytest.mark.parametrize("family", FAMILIES)
def test_images_and_latents_of_another_shape_are_refused(family: str) -> None:
    game = tiny_game(family).eval()
    if "generate" in game.capabilities:
        with pytest.raises(ValueError, match=r"latents must be \(N, 4\), got \(2, 5\)"):
            game.generate(torch.zeros(2, LATENT + 1))
    if "encode" in game.capabilities:
        with pytest.raises(ValueError, match=r"images must be \(N, 1, 8, 8\), got \(2, 3, 32, 32"):
            game.encode(torch.zeros(2, 3, 32, 32))


def test_other_attributes_are_missed_as_usual() -> None:
    with pytest.raises(AttributeError, match="object has no attribute 'nonsense'"):
        _ = tiny_game("gan").nonsense
