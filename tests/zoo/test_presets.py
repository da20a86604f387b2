"""The contract in each family's faithful preset, at a small width on tiny images."""

import copy
import math
from collections.abc import Mapping

import pytest
import torch
from torch import Tensor

from benchmarks.training.eager import play_turn
from benchmarks.training.optimiser import PlayerOptimiser
from tests.helpers import BATCH, IMAGE, LATENT, tiny_run
from tests.zoo.test_contract import REACH
from zoo.build import assemble
from zoo.game import Batch, Game
from zoo.registry import FAMILIES, presets, source

JOINT = {"F", "H", "J", "s_xz"}
UNBOUNDED = {"ali"}
"""Points, not images: G ends in a linear layer."""
FAITHFUL = [
    pytest.param(
        family,
        marks=pytest.mark.skipif(
            not (source("gan").parent / "networks" / f"{preset['networks']['body']}.py").exists(),
            reason=f"there is no body {preset['networks']['body']}",
        ),
    )
    for family, preset in presets().items()
]
# The author's blocks have one term of each critic per minibatch.
BLOCKS = {
    ("aegan", kind, f"{name}_critic", kind): reach
    for kind in ("real", "hat", "tilde")
    for name, reach in (("image", {"F", "s_x"}), ("latent", {"H", "s_z"}))
}


def faithful_game(family: str, fill: bool = True) -> Game:
    """Return a family's preset with few units, its zero first weights filled if they shall be."""
    preset = presets()[family]
    options = {k: 4 if v == "training.steps" else v for k, v in preset.get("options", {}).items()}
    networks = preset["networks"] | {"width": 16, "latent_dim": LATENT}
    game = assemble(
        family, options, **networks, image_shape=IMAGE, seed_of=lambda name: len(name)
    ).train()
    torch.manual_seed(0)
    with torch.no_grad():
        for parameter in game.parameters() if fill else ():
            if parameter.dim() > 1 and not parameter.any():  # a zero head hides what lies behind
                parameter.normal_(std=0.1)
    return game


def batch_of(game: Game, seed: int = 0) -> Batch:
    """Return a batch in the game's range and from its prior."""
    g = torch.Generator().manual_seed(seed)
    low, high = game.image_range
    x = torch.rand(BATCH, *IMAGE, generator=g) * (high - low) + low
    z = game.sample_prior(BATCH, g) if game.prior else torch.empty(BATCH, 0)
    noise = {name: torch.randn(BATCH, *shape, generator=g) for name, shape in game.noise.items()}
    return Batch(x, torch.randint(10, (BATCH,), generator=g), z, noise)


def reach_of(game: Game, family: str) -> dict[tuple[str, str, str, str], set[str]]:
    """Return the controlled tier's map in this game's networks and turns."""
    turns = {turn.name for turn in game.turns}
    whole = "D" in game.networks
    fixed = {name for name, network in game.networks.items() if not list(network.parameters())}
    return {
        key: {"D"} if whole and reach == JOINT else reach - fixed
        for key, reach in (REACH | BLOCKS).items()
        if key[0] == family and key[1] in turns
    }


def reached(game: Game, loss: Tensor, player: str) -> set[str]:
    """Return which of the player's networks receive a gradient from a term."""
    found = set()
    for name in game.players[player].networks:
        parameters = list(game.networks[name].parameters())
        if not parameters:
            continue
        grads = torch.autograd.grad(loss, parameters, allow_unused=True, retain_graph=True)
        if any(g is not None and bool(g.abs().sum() > 0) for g in grads):
            found.add(name)
    return found


@pytest.mark.parametrize("family", FAITHFUL)
def test_gradients_reach_exactly(family: str) -> None:
    game = faithful_game(family)
    found = {
        (family, turn.name, player, term): reached(game, loss, player)
        for turn in game.turns
        for player, terms in game.losses(turn.name, batch_of(game), 0).items()
        for term, loss in terms.items()
    }
    assert found == reach_of(game, family)


@pytest.mark.parametrize("family", FAITHFUL)
def test_a_turn_moves_its_players_and_nothing_else(family: str) -> None:
    game = faithful_game(family).requires_grad_(False)
    optimisers = {name: PlayerOptimiser(game, player) for name, player in game.players.items()}
    for turn in game.turns:
        before: Mapping[str, Mapping[str, Tensor]] = {
            name: copy.deepcopy(n.state_dict()) for name, n in game.networks.items()
        }
        play_turn(game, turn, batch_of(game), 0, optimisers, torch.autocast("cpu", enabled=False))
        movers = {n for player in turn.players for n in game.players[player].networks}
        for name, network in game.networks.items():
            moved = any(not torch.equal(p, before[name][k]) for k, p in network.named_parameters())
            assert moved == (name in movers and bool(list(network.parameters()))), name


@pytest.mark.parametrize("family", FAITHFUL)
def test_players_own_all_networks_once(family: str) -> None:
    game = faithful_game(family)
    owned = [name for player in game.players.values() for name in player.networks]
    assert sorted(owned) == sorted(game.networks)


@pytest.mark.parametrize("family", FAITHFUL)
def test_what_a_game_offers(family: str) -> None:
    game = faithful_game(family).eval()
    g = torch.Generator().manual_seed(0)
    x, able = torch.rand(BATCH, *IMAGE, generator=g) * 2 - 1, game.capabilities
    z = game.sample_prior(BATCH, g) if "sample_prior" in able else game.encode(x)
    assert game.generate(z).shape == x.shape
    if family not in UNBOUNDED:
        assert game.generate(100 * z).abs().max() <= 1
    if "encode" in able:
        assert game.encode(x).shape == z.shape == (BATCH, LATENT)
        assert torch.equal(game.reconstruct(x), game.generate(game.encode(x)))
    if "score" in able:
        assert game.score(x, z).shape == (BATCH,)


def test_the_same_first_networks_in_every_row_of_a_table() -> None:
    """The six rows of the BiGAN paper share G, E and the discriminator of images."""
    families = [f for f, p in presets().items() if p["networks"]["body"] == "bigan_paper"]
    assert len(families) == 5
    assert len({str(presets()[f]["networks"]) for f in families}) == 1
    games = [faithful_game(f) for f in families]
    for name in ("G", "E", "F"):
        having = [g.networks[name] for g in games if name in g.networks]
        for other in having[1:]:
            for a, b in zip(having[0].parameters(), other.parameters(), strict=True):
                assert torch.equal(a, b)


@pytest.mark.parametrize("family", ["latent_regressor", "joint_latent_regressor"])
def test_regressions_start_at_ln2(family: str) -> None:
    """The authors' regressors start at zero, which costs a cross-entropy of ln 2."""
    game = faithful_game(family, fill=False)
    terms = {k: v for t in game.losses("all", batch_of(game), 0).values() for k, v in t.items()}
    weight = 0.25 if family == "joint_latent_regressor" else 1
    assert terms["latent_regression"].item() == pytest.approx(weight * math.log(2))


@pytest.mark.parametrize("family", ["bigan", "gan", "autoencoder", "latent_regressor"])
def test_learning_rates_fall_over_the_second_half(family: str) -> None:
    for player in faithful_game(family).players.values():
        assert [player.schedule(step) for step in (0, 3)] == pytest.approx([1, 0.01 ** (101 / 200)])


def test_presets_name_families_and_leave_the_budget_to_the_suite() -> None:
    assert set(presets()) <= set(FAMILIES)
    for preset in presets().values():
        assert set(preset) <= {"networks", "training", "options"}
        assert "steps" not in preset["training"]
    assert tiny_run("bigan").networks.model_dump().keys() == presets()["bigan"]["networks"].keys()
