"""The papers' own networks, against their layers written out a second time."""

import math

import pytest
import torch
from torch import Tensor, nn

from tests.helpers import tiny_batch, tiny_run
from zoo.build import assemble
from zoo.game import Game
from zoo.networks import Builder

MNIST = (1, 28, 28)


def made(body: str, *names: str, width: int = 12, latent: int = 5, image=MNIST) -> list[nn.Module]:
    networks = Builder(body, image, latent, width, lambda name: len(name))(*names)
    return [networks[name].train() for name in names]


def paper_game(family: str, prior: str = "uniform", body: str = "bigan_paper", **options) -> Game:
    networks = tiny_run(family).networks.model_dump() | {"body": body, "prior": prior}
    return assemble(family, options, **networks, image_shape=(1, 8, 8), seed_of=lambda name: 1)


@pytest.mark.parametrize(
    ("names", "parameters"),
    [
        (("E", "mean"), 1_902_592),
        (("G",), 1_953_792),
        (("D",), 1_903_616),
        (("F", "s_x"), 1_852_416),
    ],
)
def test_bigan_parameter_counts(names: tuple[str, ...], parameters: int) -> None:
    networks = made("bigan_paper", *names, width=1024, latent=50)
    assert sum(p.numel() for n in networks for p in n.parameters()) == parameters


def normed(h: Tensor) -> Tensor:
    """Batch norm without gain and shift, by its definition."""
    return (h - h.mean(0)) / (h.var(0, unbiased=False) + 1e-8).sqrt()


def leaky(h: Tensor) -> Tensor:
    return torch.where(h > 0, h, 0.2 * h)


def test_bigan_layers() -> None:
    encoder, mean, generator, d, f, s_x = made(
        "bigan_paper", "E", "mean", "G", "D", "F", "s_x", width=12
    )
    x, z = torch.rand(6, *MNIST), torch.rand(6, 5) * 2 - 1
    for module in (d, s_x):  # starts at zero, where nothing could be seen
        nn.init.normal_(list(module.parameters())[-1])
    a, b = encoder.parameters()
    expected = leaky(normed(leaky(x.flatten(1) @ a.T) @ b.T))
    assert torch.allclose(encoder(x), expected, atol=1e-5)
    assert torch.allclose(mean(encoder(x)), expected @ next(mean.parameters()).T, atol=1e-5)
    a, b, skip, out = generator.parameters()
    hidden = normed(normed(z @ a.T).relu() @ b.T + z @ skip.T).relu()
    image = 1 / (1 + (-(hidden @ out.T)).exp())
    assert torch.allclose(generator(z), image.reshape(6, *MNIST), atol=1e-5)
    a, b, of_z, out = d.parameters()
    score = leaky(normed(leaky(x.flatten(1) @ a.T) @ b.T + z @ of_z.T)) @ out.T
    assert torch.allclose(d(x, z), score, atol=1e-4)
    a, b = f.parameters()
    without_z = leaky(normed(leaky(x.flatten(1) @ a.T) @ b.T)) @ next(s_x.parameters()).T
    assert torch.allclose(s_x(f(x)), without_z, atol=1e-4)


def test_bigan_first_weights() -> None:
    for network in made("bigan_paper", "G", "E", "mean", width=300):
        for weight in network.parameters():
            assert weight.std().item() == pytest.approx(0.02, rel=0.05)
    d, s_x = made("bigan_paper", "D", "s_x")
    assert list(d.parameters())[-1].abs().sum() == 0
    assert next(s_x.parameters()).abs().sum() == 0


@pytest.mark.parametrize("family", ["bigan", "gan", "latent_regressor"])
def test_bigan_losses_start_at_ln2(family: str) -> None:
    game = paper_game(family)
    found = game.losses(game.turns[0].name, tiny_batch(game), 0)
    starts = {player: sum(map(Tensor.item, terms.values())) for player, terms in found.items()}
    starts.pop("encoder", None)
    assert starts == pytest.approx(dict.fromkeys(starts, math.log(2)))


def test_bigan_ranges() -> None:
    game = paper_game("bigan").eval()
    assert game.image_range == (0, 1)
    z = game.sample_prior(9, torch.Generator().manual_seed(0))
    assert z.abs().max() <= 1
    inner = game.G(z)
    assert torch.allclose(game.generate(z), 2 * inner - 1)
    x = torch.rand(9, 1, 8, 8) * 2 - 1
    logits = game.mean(game.E((x + 1) / 2))
    assert torch.allclose(game.encode(x), 2 * torch.sigmoid(logits) - 1, atol=1e-6)
    nn.init.normal_(list(game.D.parameters())[-1])  # from zero, where all scores are equal
    assert torch.allclose(game.score(x, z), game.D((x + 1) / 2, z)[:, 0])
    assert game.score(x, z).abs().min() > 0
    assert game.networks.keys() == {"G", "E", "mean", "D"}
    assert "score" in game.capabilities


def test_autoencoders_code_is_squashed_though_it_has_no_prior() -> None:
    game, x = paper_game("autoencoder").eval(), torch.rand(9, 1, 8, 8) * 2 - 1
    logits = 100 * game.mean(game.E((x + 1) / 2))
    game.mean.weight.data *= 100  # far from zero, where squashing shows
    assert game.prior is None
    assert torch.allclose(game.encode(x), 2 * torch.sigmoid(logits) - 1, atol=1e-4)


@pytest.mark.parametrize("family", ["ali", "bigan_qp"])
def test_other_joint_critics_take_the_whole_discriminator(family: str) -> None:
    game = paper_game(family)
    critic = next(player for player in game.players.values() if "D" in player.networks)
    assert critic.networks == ("D",)
    for turn in game.turns:
        game.losses(turn.name, tiny_batch(game), 0)


def test_stochastic_codes_stay_in_the_support() -> None:
    game, x = paper_game("ali"), torch.rand(8, 1, 8, 8)
    hidden, noise = game.E(x), 100 * torch.randn(8, 4)
    expected = torch.tanh((game.mean(hidden) + game.scale(hidden).exp() * noise) / 2)
    assert torch.allclose(game.draw(x, noise), expected, atol=1e-5)


@pytest.mark.parametrize(("body", "name"), [("bigan_paper", "H"), ("aegan_paper", "J")])
def test_networks_a_body_lacks(body: str, name: str) -> None:
    with pytest.raises(ValueError, match=f"no network called '{name}'"):
        made(body, name)
