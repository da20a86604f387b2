"""BigBiGAN's variants: what is left of it without unary terms, the class, two resolutions."""

import pytest
import torch
from torch.nn.functional import avg_pool2d

from benchmarks.training.eager import play_turn
from benchmarks.training.optimiser import PlayerOptimiser
from tests.helpers import BATCH, IMAGE, LATENT, tiny_batch, tiny_game
from zoo.families.bigan import BiGAN
from zoo.game import Batch, Builder, Game, Losses, Player, Turn
from zoo.priors import Normal, Prior

STEPS, CLASSES = 10, 10


class HingeBiGAN(BiGAN):
    """BiGAN with max(0, 1 - y s) for D and y s for G and E, in BigBiGAN's turns and rates."""

    def __init__(self, build: Builder, prior: Prior) -> None:
        super().__init__(build, prior)
        self.players = {
            "discriminator": Player(("F", "H", "J", "s_xz"), lr=2e-4),
            "generator_encoder": Player(("G", "E", "mean"), lr=2e-4),
        }
        self.turns = (Turn("D", ("discriminator",), 2), Turn("GE", ("generator_encoder",)))

    def losses(self, turn: str, batch: Batch, step: int) -> Losses:
        """Return the moving player's terms."""
        s_encoder = self.score_pair(batch.x, self.infer(batch.x))
        s_generator = self.score_pair(self.G(batch.z), batch.z)
        if turn == "GE":
            return {"generator_encoder": {"e": s_encoder.mean(), "g": -s_generator.mean()}}
        real = torch.clamp(1 - s_encoder, min=0).mean()
        return {"discriminator": {"e": real, "g": torch.clamp(1 + s_generator, min=0).mean()}}


def trained(game: Game) -> dict[str, torch.Tensor]:
    """Return the state after ten generator-encoder updates on random batches."""
    game.train().requires_grad_(False)
    optimisers = {name: PlayerOptimiser(game, player) for name, player in game.players.items()}
    seed = 0
    for step in range(STEPS):
        for turn in game.turns:
            for _ in range(turn.repeats):
                seed += 1
                plain = torch.autocast("cpu", enabled=False)
                play_turn(game, turn, tiny_batch(game, seed), step, optimisers, plain)
    return game.state_dict()


@pytest.mark.parametrize("body", ["mlp", "conv", "resnet"])
def test_without_unary_terms_it_is_bigan_with_a_hinge_to_the_bit(body: str) -> None:
    options = {"unary_x": False, "unary_z": False, "stochastic": False, "spectral": False}
    bigbigan = tiny_game("bigbigan", body=body, **options)
    first = {name: value.clone() for name, value in bigbigan.state_dict().items()}
    build = Builder(body, IMAGE, LATENT, 16, lambda name: 0)
    bigan = HingeBiGAN(build, Normal(LATENT))
    bigan.load_state_dict(first)
    ours, theirs = trained(bigbigan), trained(bigan)
    assert ours.keys() == theirs.keys()
    for name, value in theirs.items():
        assert torch.equal(ours[name], value), name
    moved = {name for name in first if not torch.equal(first[name], ours[name])}
    # the hinges of real and fake pull the last bias by the same amount while none is flat
    assert set(first) - moved <= {"s_xz.bias"}


def test_averaged_weights_are_kept_when_asked_for() -> None:
    kept = tiny_game("bigbigan", average=0.99).players
    assert {name: player.average for name, player in kept.items()} == {
        "discriminator": None,
        "generator_encoder": 0.99,
    }
    assert tiny_game("bigbigan").players["generator_encoder"].average is None


def test_every_variant_takes_steps_with_a_uniform_prior() -> None:
    for options in ({"classes": CLASSES}, {"downscale": 2}, {"stochastic": False}):
        state = trained(tiny_game("bigbigan", prior="uniform", **options))
        assert all(bool(torch.isfinite(value).all()) for value in state.values())


def test_the_class_reaches_the_image_score_by_its_own_row() -> None:
    game, plain = tiny_game("bigbigan", classes=CLASSES).eval(), tiny_game("bigbigan").eval()
    batch = tiny_batch(game)
    terms = game.losses("discriminator", batch, 0)["discriminator"]
    rows, f = game.get_submodule("s_xc").weight, game.F(batch.x)
    s_x = game.score_image(batch.x)
    scores = [(s_x[i] + rows[c] @ f[i]).item() for i, c in enumerate(batch.y.tolist())]
    expected = sum(max(0.0, 1 - s) for s in scores) / BATCH
    assert terms["s_x_encoder"].item() == pytest.approx(expected, rel=1e-5)
    without = plain.losses("discriminator", batch, 0)["discriminator"]
    for name in ("s_z_encoder", "s_xz_encoder"):  # they do not see the class
        assert torch.equal(terms[name], without[name])


def test_classes_of_encoder_and_generator_pairs_by_a_loop() -> None:
    """Image i has the class y_i; the sample beside it is made of z_i and y_i and judged as y_i."""
    game = tiny_game("bigbigan", classes=CLASSES, stochastic=False).eval()
    batch, n = tiny_batch(game), game.networks
    assert len(batch.y.unique()) > BATCH // 2  # else a wrong class might be the right one
    scores: dict[str, list[float]] = {}
    for i, c in enumerate(batch.y.tolist()):
        x, z = batch.x[i : i + 1], batch.z[i : i + 1]
        of_class = torch.cat([z, torch.eye(CLASSES)[c : c + 1]], dim=1)
        pairs = {"encoder": (x, n["mean"](n["E"](x))), "generator": (n["G"](of_class), z)}
        for pair, (image, latent) in pairs.items():
            f, h = n["F"](image), n["H"](latent)
            s_x = n["s_x"](f) + n["s_xc"](f)[0, c]
            found = {"s_x": s_x, "s_z": n["s_z"](h), "s_xz": n["s_xz"](n["J"](f, h))}
            for name, score in found.items():
                scores.setdefault(f"{name}_{pair}", []).append(score.item())
    sign = {name: +1 if name.endswith("encoder") else -1 for name in scores}
    expected = {
        "discriminator": {k: [max(0, 1 - sign[k] * s) for s in scores[k]] for k in scores},
        "generator_encoder": {k: [sign[k] * s for s in scores[k]] for k in scores},
    }
    for player, terms in expected.items():
        means = {name: sum(values) / BATCH for name, values in terms.items()}
        given = game.losses(player, batch, 0)[player]
        assert {k: t.item() for k, t in given.items()} == pytest.approx(means, rel=1e-4, abs=1e-6)


def test_the_generator_makes_an_image_of_its_class() -> None:
    game = tiny_game("bigbigan", classes=CLASSES).eval()
    z = torch.randn(2 * CLASSES, LATENT)
    with torch.no_grad():
        x = game.generate(z)
        for i in (0, 3, 13):
            y = torch.eye(CLASSES)[i % CLASSES]
            assert torch.allclose(x[i], game.G(torch.cat([z[i], y])[None])[0], atol=1e-6)
    assert game.capabilities == {"sample_prior", "generate", "encode", "features"}


def test_each_class_moves_only_its_own_row() -> None:
    game = tiny_game("bigbigan", classes=CLASSES, spectral=False)
    batch = tiny_batch(game)._replace(y=torch.full((BATCH,), 7))
    loss = game.losses("discriminator", batch, 0)["discriminator"]["s_x_encoder"]
    (grad,) = torch.autograd.grad(loss, list(game.get_submodule("s_xc").parameters()))
    assert grad.abs().sum(1).nonzero().flatten().tolist() == [7]


def test_encoder_at_twice_the_resolution_of_generator_and_critics() -> None:
    game = tiny_game("bigbigan", downscale=2, stochastic=False).eval()
    seen: dict[str, torch.Size] = {}
    for name in ("E", "F"):
        game.networks[name].register_forward_pre_hook(
            lambda module, inputs, name=name: seen.update({name: inputs[0].shape[1:]})
        )
    batch = tiny_batch(game)
    game.losses("discriminator", batch, 0)
    assert seen == {"E": IMAGE, "F": (1, 4, 4)}
    with torch.no_grad():
        x = game.generate(batch.z)
        assert x.shape == (BATCH, *IMAGE)
        # pooling gives back what G made: critics score samples in the evaluation as in training
        assert torch.allclose(avg_pool2d(x, 2), game.G(batch.z), atol=1e-6)
        f, h = game.F(game.G(batch.z)), game.H(batch.z)
        expected = game.s_xz(game.J(f, h)) + game.s_x(f) + game.s_z(h)
        assert torch.allclose(game.score(x, batch.z), expected.squeeze(1), atol=1e-5)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"classes": 10, "unary_x": False}, "unary_x"),
        ({"classes": -1}, "classes must be 0"),
        ({"downscale": 3}, "downscale=3 does not divide images of 8x8"),
        ({"downscale": 0}, "downscale=0"),
        ({"average": 1.0}, r"average must be in \[0, 1\)"),
    ],
)
def test_options_out_of_range(options: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        tiny_game("bigbigan", **options)
