"""The bodies: sizes, parameters worked out by hand, one step of every family with every body."""

import functools

import pytest
import torch
from torch import nn
from torch.func import functional_call, stack_module_state, vmap
from torch.fx.experimental.proxy_tensor import make_fx

from benchmarks.evaluation.metrics.cost import multiply_adds
from benchmarks.training.eager import play_turn
from benchmarks.training.optimiser import PlayerOptimiser
from tests.helpers import BATCH, tiny_batch, tiny_game
from zoo.networks import Builder
from zoo.registry import FAMILIES, bodies

# The others are those of a paper, and hold what their own family uses.
BODIES = [body for body in bodies() if not body.endswith("_paper")]
NETWORKS = ("G", "E", "mean", "scale", "F", "s_x", "H", "s_z", "J", "s_xz")


def parameters(network: nn.Module) -> int:
    return sum(p.numel() for p in network.parameters())


def networks(
    body: str, shape: tuple[int, int, int], latent_dim: int, width: int, device: str = "cpu"
) -> dict[str, nn.Module]:
    with torch.device(device):
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
    counts: dict[str, set[int]] = {}
    for family in FAMILIES:
        for name, network in tiny_game(family, body=body).networks.items():
            counts.setdefault(name, set()).add(parameters(network))
    assert set(counts) == set(NETWORKS)
    assert {name: len(different) for name, different in counts.items()} == dict.fromkeys(counts, 1)


# conv at width 16 for 8 x 8 x 1 and 4 latents, maps of 4 x 4 x 1 and 2 x 2 x 2:
#   G: 4*16 + 16*8 + 2*2 * 2*1*16 + 4*4 * 1*1*16; E: 4*4 * 1*1*16 + 2*2 * 1*2*16 + 8*16 + 16*4
@pytest.mark.parametrize("body", BODIES)
def test_multiply_adds_of_shared_networks_are_the_same_in_every_family(body: str) -> None:
    z, x = torch.zeros(3, 4), torch.zeros(3, 1, 8, 8)
    games = [tiny_game(family, body=body).eval() for family in FAMILIES]
    of_g = {multiply_adds(game.generate, z) for game in games}
    of_e = {multiply_adds(game.encode, x) for game in games if "encode" in game.capabilities}
    assert len(of_g) == len(of_e) == 1
    if body == "conv":
        assert (of_g, of_e) == ({576.0}, {576.0})


@pytest.mark.parametrize("body", BODIES)
@pytest.mark.parametrize("family", sorted(set(FAMILIES) - {"autoencoder"}))
def test_truncated_samples_become_images(family: str, body: str) -> None:
    game = tiny_game(family, body=body).eval()
    z = game.sample_prior(BATCH, torch.Generator().manual_seed(0), truncation=0.5)
    assert z.abs().max() <= 0.5
    assert game.generate(z).shape == (BATCH, 1, 8, 8)


@pytest.mark.parametrize("body", sorted(set(BODIES) - {"qp"}))
def test_no_batch_norm_in_critics(body: str) -> None:
    """Statistics would tell a critic real from fake; the papers' own stack has them."""
    for name, network in networks(body, (1, 8, 8), 4, 16).items():
        normed = any(isinstance(m, (nn.BatchNorm1d, nn.BatchNorm2d)) for m in network.modules())
        assert normed == (name in ("G", "E")), name


@pytest.mark.parametrize("body", BODIES)
@pytest.mark.parametrize("name", ["G", "E", "F"])
def test_steps_can_be_traced_and_stacked_over_seeds(body: str, name: str) -> None:
    def build(seed: int) -> nn.Module:
        return Builder(body, (1, 8, 8), 4, 16, lambda name: seed)(name)[name]

    inputs = torch.randn(3, 4) if name == "G" else torch.randn(3, 1, 8, 8)
    alone = [build(seed)(inputs) for seed in range(2)]
    parameters, buffers = stack_module_state([build(seed) for seed in range(2)])
    call = functools.partial(functional_call, build(0), args=(inputs,))
    stacked = vmap(lambda p, b: call((p, b)))(parameters, buffers)
    traced = make_fx(lambda state: call(state))(build(1).state_dict())(build(1).state_dict())
    for ours, theirs in [(stacked[0], alone[0]), (stacked[1], alone[1]), (traced, alone[1])]:
        assert torch.allclose(ours, theirs, atol=1e-5)


# conv at width 1024 for 28 x 28 x 1 and 50 latents:
#   G: 50*1024 + 2*1024, 1024*6272, 2*128, 128*64*16, 2*64, 64*16 + 1
#   E: 64*16 + 64, 64*128*16, 2*128, 6272*1024, 2*1024; F: the same with biases for norms
# resnet at width 64 for 32 x 32 x 3 and 128 latents; maps of 64, 128, 256 channels:
#   F: first 1792 + 36928 + 256, 73856 + 147584 + 8320, 295168 + 590080 + 33024, last 2*590080
#   G: 128*4096 + 4096; a block is 2*128*a, 9*a*b, 2*128*b, 9*b*b + b, a*b + b; 128, 64*3*9 + 3
# qp at width 1024 for 128 x 128 x 3 and 128 latents; convolutions of 64, 128, 256, 512, 1024:
#   E: 25 * (3*64 + 64*128 + ... + 512*1024), biases 1984, norms 2*(128 + ... + 1024)
#   G: 128*16384 + 16384, the same products, biases 963, norms 2*(16384 + 512 + ... + 64)
#   J: 16384*128, 256*1024, 1024*1024
@pytest.mark.parametrize(
    ("body", "shape", "latent_dim", "width", "counts"),
    [
        (
            *("conv", (1, 28, 28), 50, 1024),
            {"G": 6_608_257, "E": 6_556_992, "F": 1088 + 131_200 + 6_423_552},
        ),
        (
            *("resnet", (3, 32, 32), 128, 64),
            {"G": 2_648_771, "F": 38_976 + 229_760 + 918_272 + 1_180_160},
        ),
        (
            *("qp", (3, 128, 128), 128, 1024),
            {
                "E": 17_418_624,
                "F": 17_416_640,
                "G": 19_561_987,
                "J": 3_407_872,
                "H": 0,
            },
        ),
    ],
)
def test_parameters_by_hand(
    body: str,
    shape: tuple[int, int, int],
    latent_dim: int,
    width: int,
    counts: dict[str, int],
) -> None:
    found = networks(body, shape, latent_dim, width, device="meta")
    assert {name: parameters(found[name]) for name in counts} == counts


@pytest.mark.parametrize(
    ("side", "channels", "smallest"),
    [
        (28, [112, 224], 7),
        (32, [64, 128, 256], 4),
        (64, [64, 128, 256, 512], 4),
        (128, [64, 128, 256, 512, 1024], 4),
        (256, [64, 128, 256, 512, 1024, 2048], 4),
    ],
)
def test_qp_follows_the_papers_rule(side: int, channels: list[int], smallest: int) -> None:
    found = networks("qp", (3, side, side), 128, 1024, device="meta")
    for name in ("E", "F"):
        convolutions = [m for m in found[name].modules() if isinstance(m, nn.Conv2d)]
        assert [c.out_channels for c in convolutions] == channels
        assert {(c.kernel_size, c.stride) for c in convolutions} == {((5, 5), (2, 2))}
    mirrored = [m for m in found["G"].modules() if isinstance(m, nn.ConvTranspose2d)]
    assert [c.in_channels for c in mirrored] == channels[::-1]
    with torch.device("meta"):
        features = found["F"](torch.empty(2, 3, side, side))
        assert found["G"](torch.empty(2, 128)).shape == (2, 3, side, side)
    assert features.shape == (2, smallest * smallest * channels[-1])


@pytest.mark.parametrize("body", ["conv", "resnet", "qp"])
def test_odd_sides_are_refused(body: str) -> None:
    with pytest.raises(ValueError, match="sides must be even: 7x7"):
        networks(body, (1, 7, 7), 4, 16)
