"""ALI's networks for 25 Gaussians: sizes by hand, layers written out a second time."""

import pytest
import torch
from torch import Tensor, nn

from zoo.build import assemble
from zoo.networks import Builder
from zoo.networks.ali_toy_paper import Maxout
from zoo.registry import presets

POINT = (2, 1, 1)


def made(*names: str, width: int = 400) -> list[nn.Module]:
    networks = Builder("ali_toy_paper", POINT, 2, width, lambda name: len(name))(*names)
    return [networks[name].train() for name in names]


# G: 2*400 + 3*400*400 weights, 4 batch norms of 2*400, 400*2 + 2 at the end. D: maxout layers of
# 200 units and 5 pieces, (4*1000 + 1000) + 2 (200*1000 + 1000), and 200 + 1; F without z's 2*1000.
@pytest.mark.parametrize(
    ("names", "parameters"),
    [
        (("G",), 484_802),
        (("E",), 2 * 400 + 400 * 400 + 2 * 800),
        (("mean",), 802),
        (("scale",), 802),
        (("D",), 407_201),
        (("F", "s_x"), 405_201),
        (("H", "s_z"), 405_201),
    ],
)
def test_parameter_counts(names: tuple[str, ...], parameters: int) -> None:
    assert sum(p.numel() for n in made(*names) for p in n.parameters()) == parameters


def test_a_maxout_unit_is_the_largest_of_its_five_pieces() -> None:
    layer = Maxout(1, 2)  # pieces are blocks of rows: unit 0 has rows 0, 2, 4, 6, 8
    with torch.no_grad():
        layer.linear.weight[:] = torch.tensor([0.0, 3, -2, 0, 0, 0, 1, 0, 0, -4]).view(10, 1)
        layer.linear.bias[:] = torch.tensor([0.0, 0, 0, 1, 0, 0, 0, 0, 0.5, 0])
    assert layer(torch.tensor([[2.0], [-1.0]])).tolist() == [[2, 6], [2, 4]]


def normed(h: Tensor) -> Tensor:
    return (h - h.mean(0)) / (h.var(0, unbiased=False) + 1e-5).sqrt()


def test_layers() -> None:
    generator, encoder, mean, d = made("G", "E", "mean", "D", width=12)
    x, z = torch.randn(6, *POINT), torch.randn(6, 2)
    h = z
    weights = [p for p in generator.parameters() if p.ndim == 2]
    for weight in weights[:-1]:
        h = normed(h @ weight.T).relu()
    expected = (h @ weights[-1].T).reshape(6, *POINT)  # linear: no sigmoid, no tanh
    assert torch.allclose(generator(z), expected, atol=1e-5)
    a, b = (p for p in encoder.parameters() if p.ndim == 2)
    expected = normed(normed(x.flatten(1) @ a.T).relu() @ b.T).relu() @ mean.weight.T
    assert torch.allclose(mean(encoder(x)), expected, atol=1e-5)
    h = torch.cat([x.flatten(1), z], dim=1)
    first, second, third, out = (p for p in d.parameters() if p.ndim == 2)
    for weight in (first, second, third):
        h = (h @ weight.T).reshape(6, 5, 6).max(1).values
    assert torch.allclose(d(x, z), h @ out.T, atol=1e-6)


def test_first_weights_are_the_authors() -> None:
    for network in made("G", "E", "D", "mean", "F"):
        for module in network.modules():
            if isinstance(module, nn.Linear):
                bound = 5 * 0.02 / (2 * module.weight.numel()) ** 0.5
                assert module.weight.std().item() == pytest.approx(0.02, abs=bound)
                assert module.bias is None or not module.bias.any()


def test_no_batch_norm_in_critics() -> None:
    normed = [any(isinstance(m, nn.BatchNorm1d) for m in n.modules()) for n in made("D", "F", "H")]
    assert normed == [False, False, False]


def test_the_preset_is_the_authors_script() -> None:
    preset = presets()["ali"]
    assert preset["training"] == {"batch_size": 100}
    game = assemble(
        "ali", {}, **preset["networks"], image_shape=POINT, seed_of=lambda name: len(name)
    )
    assert game.image_range == (-5, 5)
    assert game.prior is not None
    assert game.prior.dim == 2
    assert {player.lr for player in game.players.values()} == {1e-4}
    assert sum(p.numel() for p in game.parameters()) == 484_802 + 162_400 + 2 * 802 + 407_201
