"""GAN-QP's and BiGAN-QP's stack written out a second time, and Glorot's first weights."""

from collections.abc import Iterator

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zoo.networks import Builder

IMAGE, LATENT, WIDTH = (3, 32, 32), 5, 64
CHANNELS = (3, 4, 8, 16)  # 8 channels per pixel at the end, at a sixteenth of the papers' width
SMALLEST = (16, 4, 4)
BATCH = 6
MODES = pytest.mark.parametrize("training", [True, False], ids=["train", "eval"])


def filled(*names: str) -> list[nn.Module]:
    """Return networks with random biases, norms and statistics: they start where none shows."""
    networks = Builder("qp", IMAGE, LATENT, WIDTH, lambda name: len(name))(*names)
    g = torch.Generator().manual_seed(0)
    for network in networks.values():
        for value in network.state_dict().values():
            if value.is_floating_point() and value.ndim == 1:
                value.copy_(torch.rand(value.shape, generator=g) + 0.5)
    return [networks[name] for name in names]


def numbers(network: nn.Module) -> Iterator[Tensor]:
    """Yield copies of weights and buffers, layer by layer."""
    for value in network.state_dict().values():
        yield value.clone()


def batch_normed(h: Tensor, state: Iterator[Tensor], training: bool, seen: list[Tensor]) -> Tensor:
    """Normalise with Keras's eps; the running statistics are noted, as moved by PyTorch's 0.1."""
    gain, shift, mean, variance, _ = (next(state) for _ in range(5))
    h = F.batch_norm(h, mean, variance, gain, shift, training, momentum=0.1, eps=1e-3)
    seen += [mean, variance]
    return h


def downwards(x: Tensor, network: nn.Module, bias: bool, training: bool) -> tuple[Tensor, list]:
    """Convolve, normalise but for the first time, LeakyReLU."""
    state, seen = numbers(network), []
    for layer in range(3):
        weight = next(state)
        x = F.conv2d(x, weight, next(state) if bias else None, stride=2, padding=2)
        x = batch_normed(x, state, training, seen) if layer > 0 else x
        x = F.leaky_relu(x, 0.2)
    assert not list(state)
    return x.flatten(1), seen


def upwards(z: Tensor, network: nn.Module, training: bool) -> tuple[Tensor, list]:
    """Normalise every unit of the smallest map, then every channel; ReLU; transposed; tanh."""
    state, seen = numbers(network), []
    x = F.linear(z, next(state), next(state))
    x = batch_normed(x, state, training, seen).relu().reshape(-1, *SMALLEST)
    for layer in range(3):
        x = F.conv_transpose2d(x, next(state), next(state), 2, padding=2, output_padding=1)
        x = batch_normed(x, state, training, seen).relu() if layer < 2 else x
    assert not list(state)
    return x.tanh(), seen


def statistics(network: nn.Module) -> list[Tensor]:
    return [value for name, value in network.state_dict().items() if "running" in name]


def assert_all_close(found: list[Tensor], expected: list[Tensor]) -> None:
    for a, b in zip(found, expected, strict=True):
        assert torch.allclose(a, b, atol=1e-5)


@MODES
@pytest.mark.parametrize(("name", "bias"), [("E", True), ("F", False)])
def test_trunks(name: str, bias: bool, training: bool) -> None:
    (network,) = filled(name)
    x = torch.randn(BATCH, *IMAGE)
    expected, seen = downwards(x, network.train(training), bias, training)
    assert torch.allclose(network(x), expected, atol=1e-5)
    assert_all_close(statistics(network), seen)


@MODES
def test_generator(training: bool) -> None:
    (network,) = filled("G")
    z = torch.randn(BATCH, LATENT)
    expected, seen = upwards(z, network.train(training), training)
    found = network(z)
    assert found.shape == (BATCH, *IMAGE)
    assert torch.allclose(found, expected, atol=1e-5)
    assert_all_close(statistics(network), seen)


def test_heads_and_joint_critic() -> None:
    """T(x, z): a linear map of F(x) beside z itself, two hidden layers, no bias anywhere."""
    mean, s_x, h, s_z, j, s_xz = filled("mean", "s_x", "H", "s_z", "J", "s_xz")
    f, z = torch.randn(BATCH, 256), torch.randn(BATCH, LATENT)

    def hidden(v: Tensor, state: Iterator[Tensor]) -> Tensor:
        v = F.leaky_relu(F.linear(v, next(state)), 0.2)
        return F.leaky_relu(F.linear(v, next(state)), 0.2)

    def outputs(features: Tensor, head: nn.Module) -> Tensor:
        return F.linear(features, *numbers(head))

    assert torch.allclose(mean(f), outputs(f, mean), atol=1e-5)
    assert [v.shape for v in numbers(mean)] == [(LATENT, 256), (LATENT,)]
    assert torch.allclose(s_x(f), outputs(f, s_x), atol=1e-5)
    state = numbers(j)
    features = hidden(torch.cat([F.linear(f, next(state)), z], dim=1), state)
    assert not list(state)
    assert torch.allclose(s_xz(j(f, h(z))), outputs(features, s_xz), atol=1e-5)
    state = numbers(s_z)
    assert torch.allclose(s_z(h(z)), F.linear(hidden(z, state), *state), atol=1e-5)
    biases = [v for head in (s_x, s_z, j, s_xz) for v in numbers(head) if v.ndim == 1]
    assert not biases


def fans(weight: Tensor) -> int:
    """Return the inputs of one output plus the outputs of one input."""
    return (weight.shape[0] + weight.shape[1]) * weight[0, 0].numel()


@pytest.mark.parametrize("name", ["G", "E", "F", "mean", "scale", "s_x", "s_z", "J", "s_xz"])
def test_first_weights_are_glorots(name: str) -> None:
    """U(-a, a), a^2 = 6 / (inputs + outputs): a variance of 2 / (inputs + outputs)."""
    network = Builder("qp", IMAGE, 50, 512, lambda name: 0)(name)[name]
    weights = [p for p in network.parameters() if p.ndim > 1]
    assert weights
    for weight in weights:
        n, limit = weight.numel(), (6 / fans(weight)) ** 0.5
        assert limit * (1 - 10 / n) <= weight.abs().max().item() <= limit
        # n draws of a uniform tell its deviation to within sqrt(0.2 / n) of itself
        deviation = weight.square().mean().sqrt().item()
        assert deviation == pytest.approx((2 / fans(weight)) ** 0.5, rel=5 * (0.2 / n) ** 0.5)
    for key, value in network.named_parameters():
        if value.ndim == 1 and key.endswith("bias"):
            assert not value.any()
