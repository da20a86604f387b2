"""AEGAN's own networks for 28 x 28 images, against their layers written out a second time."""

import math
from collections.abc import Iterator

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zoo.networks import Builder, aegan_paper

MNIST = (1, 28, 28)
BATCH = 3


def made(*names: str, width: int = 6, latent: int = 5, image=MNIST) -> list[nn.Module]:
    networks = Builder("aegan_paper", image, latent, width, lambda name: len(name))(*names)
    return [networks[name].train() for name in names]


def filled(*names: str) -> list[nn.Module]:
    """Return networks whose biases, gains and shifts are random: they start where none shows."""
    networks, g = made(*names), torch.Generator().manual_seed(0)
    for network in networks:
        for value in network.state_dict().values():
            if value.ndim == 1:
                value.copy_(torch.rand(value.shape, generator=g) + 0.5)
    return networks


def numbers(network: nn.Module) -> Iterator[Tensor]:
    """Yield the weights, layer by layer."""
    yield from network.state_dict().values()


def normed(x: Tensor, state: Iterator[Tensor]) -> Tensor:
    """Layer norm of (N, C, ...) over C alone."""
    gain, shift = next(state), next(state)
    return F.layer_norm(x.movedim(1, -1), gain.shape, gain, shift, eps=1e-3).movedim(-1, 1)


# Keras's "same" padding of a kernel of 4, before and after, by the side and the stride:
#   28/2 -> 14: 13 * 2 + 4 - 28 = 2;  14/2 -> 7: 2;  7/2 -> 4: 3 * 2 + 4 - 7 = 3;  stride 1: 3
SAME = {(28, 2): (1, 1), (14, 2): (1, 1), (7, 2): (1, 2)}


def convolved(x: Tensor, state: Iterator[Tensor], stride: int) -> Tensor:
    before, after = SAME.get((x.shape[-1], stride), (1, 2))
    padded = F.pad(x, (before, after, before, after))
    return F.conv2d(padded, next(state), next(state), stride)


@pytest.mark.parametrize(("name", "slope"), [("E", 0.0), ("F", 0.02)])
def test_trunks(name: str, slope: float) -> None:
    """Strides 2, 2, 2, 1; ReLU in E, LeakyReLU 0.02 in the critic."""
    head = {"E": "mean", "F": "s_x"}[name]
    network, last = filled(name, head)
    x = torch.randn(BATCH, *MNIST)
    state, h = numbers(network), x
    for stride in (2, 2, 2, 1):
        h = normed(convolved(h, state, stride), state)
        h = torch.where(h > 0, h, slope * h)
    assert not list(state)
    assert h.shape == (BATCH, 12, 4, 4)
    assert torch.allclose(network(x), h.flatten(1), atol=1e-5)
    expected = F.linear(h.flatten(1), *numbers(last))
    assert torch.allclose(last(network(x)), expected, atol=1e-5)


def test_generator() -> None:
    """7 x 7, twice doubled by nearest neighbours, the second path beside every layer's input."""
    (generator,) = filled("G")
    z, state = torch.randn(BATCH, 5), numbers(generator)
    x = F.linear(z, next(state), next(state)).reshape(BATCH, 6, 7, 7)
    x = normed(x, state).relu()
    style = normed(F.linear(z, next(state), next(state)), state).relu()
    for times in (2, 2, 1):
        x = x.repeat_interleave(times, 2).repeat_interleave(times, 3)
        x = torch.cat([x, style[:, :, None, None].expand(-1, -1, *x.shape[2:])], 1)
        x = normed(convolved(x, state, 1), state).relu()
    x = torch.cat([x, style[:, :, None, None].expand(-1, -1, 28, 28)], 1)
    x = convolved(x, state, 1).tanh()
    assert not list(state)
    assert torch.allclose(generator(z), x, atol=1e-5)


def test_latent_critic() -> None:
    """Sixteen layers of sixteen units, each of which sees z and all layers before it."""
    trunk, head = filled("H", "s_z")
    z = torch.randn(BATCH, 5)
    state, seen = numbers(trunk), z
    for _ in range(16):
        h = normed(F.linear(seen, next(state), next(state)), state)
        seen = torch.cat([seen, F.leaky_relu(h, 0.02)], 1)
    features = F.leaky_relu(F.linear(seen, next(state), next(state)), 0.02)
    assert not list(state)
    assert torch.allclose(trunk(z), features, atol=1e-4)
    expected = F.linear(features, *numbers(head))
    assert torch.allclose(head(trunk(z)), expected, atol=1e-4)


# How many weights are Glorot's, all others being normal: those of H and s_z, and G's second path.
@pytest.mark.parametrize(
    ("name", "glorots"),
    [
        *(("E", 0), ("mean", 0), ("scale", 0), ("F", 0), ("s_x", 0)),
        *(("G", 1), ("H", 17), ("s_z", 1)),
    ],
)
def test_first_weights(name: str, glorots: int) -> None:
    (network,) = made(name, width=64, latent=16)
    weights = [p for p in network.parameters() if p.ndim > 1]
    bounded = [weight for weight in weights if is_glorots(weight)]
    assert len(bounded) == glorots
    if name == "G":
        assert bounded[0] is network.style[0].weight
    for weight in weights:
        if not any(weight is other for other in bounded):
            # n draws of a normal tell its deviation to within sqrt(1 / 2n) of itself
            within = 5 * (0.5 / weight.numel()) ** 0.5
            assert weight.square().mean().sqrt().item() == pytest.approx(0.02, rel=within)
            assert weight.abs().max() > 2 * 0.02  # no uniform of this deviation reaches so far
    for key, value in network.named_parameters():
        if key.endswith("bias"):
            assert not value.any()


def is_glorots(weight: Tensor) -> bool:
    """Whether a matrix fills U(-a, a) with a^2 = 6 / (inputs + outputs), and no more."""
    if weight.ndim != 2:
        return False
    limit, n = (6 / sum(weight.shape)) ** 0.5, weight.numel()
    deviation = weight.square().mean().sqrt().item()
    near = deviation == pytest.approx(limit / 3**0.5, rel=5 * (0.2 / n) ** 0.5)
    return near and limit * (1 - 10 / n) <= weight.abs().max().item() <= limit


def test_padding_by_hand() -> None:
    """Ones under a kernel of ones: each output counts the pixels its window covers.

    4 rows, stride 2: 2 windows from -1 and 1, padding 1 above and 1 below: 3 and 3 rows.
    5 columns, stride 2: 3 windows from -1, 1 and 3, padding 1 and 2: 3, 4 and 2 columns.
    4 rows, stride 1: 4 windows from -1, 0, 1 and 2, padding 1 and 2: 3, 4, 3 and 2 rows.
    """
    strided, plain = (aegan_paper.conv(1, 1, stride, (4, 5)) for stride in (2, 1))
    for layer in (strided, plain):
        nn.init.ones_(layer[1].weight)
    ones = torch.ones(1, 1, 4, 5)
    assert strided(ones)[0, 0].tolist() == [[9, 12, 6], [9, 12, 6]]
    assert plain(ones)[0, 0, :, 0].tolist() == [9, 12, 9, 6]
    assert plain(ones)[0, 0, 0].tolist() == [9, 12, 12, 9, 6]


def test_layers_at_28_pixels() -> None:
    """E and Dx 64, 64, 128, 128, strides 2, 2, 2, 1; G from 7 x 7 by 128, 64, 64, 1."""
    encoder, critic, generator = made("E", "F", "G", width=64, latent=16)
    for trunk in (encoder, critic):
        convs = [m for m in trunk.modules() if isinstance(m, nn.Conv2d)]
        assert [c.out_channels for c in convs] == [64, 64, 128, 128]
        assert [c.stride[0] for c in convs] == [2, 2, 2, 1]
        assert trunk(torch.zeros(2, *MNIST)).shape == (2, 128 * 4 * 4)
    convs = [m for m in generator.modules() if isinstance(m, nn.Conv2d)]
    assert [c.out_channels for c in convs] == [128, 64, 64, 1]
    assert [c.in_channels for c in convs] == [64 + 64, 128 + 64, 64 + 64, 64 + 64]
    assert {c.kernel_size for c in convs} == {(4, 4)}
    sizes: list[int] = []
    for c in convs:
        c.register_forward_hook(lambda m, i, o: sizes.append(o.shape[-1]))
    assert generator(torch.zeros(2, 16)).shape == (2, *MNIST)
    assert sizes == [14, 28, 28, 28]


def test_latent_critic_is_densely_connected() -> None:
    trunk, head = made("H", "s_z", width=64, latent=16)
    layers = [m for m in trunk.modules() if isinstance(m, nn.Linear)]
    assert [m.in_features for m in layers] == [16 + 16 * i for i in range(17)]
    assert [m.out_features for m in layers] == [16] * 16 + [128]
    assert head(trunk(torch.zeros(3, 16))).shape == (3, 1)


def test_norm_is_over_channels_alone() -> None:
    norm, x = aegan_paper.ChannelNorm(3), torch.randn(2, 3, 4, 5)
    found = norm(x)
    v = x[1, :, 2, 3]  # one position of one image
    expected = (v - v.mean()) / (v.var(unbiased=False) + 1e-3).sqrt()
    assert torch.allclose(found[1, :, 2, 3], expected, atol=1e-5)


@pytest.mark.parametrize(("size", "stride"), [(28, 2), (14, 2), (7, 2), (4, 1), (2, 1), (1, 2)])
def test_padding_is_keras(size: int, stride: int) -> None:
    layer = aegan_paper.conv(2, 3, stride, (size, size))
    x = torch.randn(1, 2, size, size)
    out = math.ceil(size / stride)
    total = max((out - 1) * stride + 4 - size, 0)
    before, after = total // 2, total - total // 2  # the odd one at the end
    padded = F.pad(x, (before, after, before, after))
    expected = F.conv2d(padded, layer[1].weight, layer[1].bias, stride)
    assert layer(x).shape == (1, 3, out, out)
    assert torch.allclose(layer(x), expected)


@pytest.mark.parametrize("image", [(1, 8, 8), (3, 32, 32), (1, 30, 26)])
def test_other_sizes(image: tuple[int, int, int]) -> None:
    encoder, mean, generator = made("E", "mean", "G", width=4, image=image)
    x = generator(torch.randn(2, 5))
    assert x.shape == (2, *image)
    assert mean(encoder(x)).shape == (2, 5)
