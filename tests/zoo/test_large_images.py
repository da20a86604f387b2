"""The papers' stacks at 64, 128 and 256 pixels: a step, and the memory of the largest."""

import pytest
import torch

from benchmarks.training.eager import play_turn
from benchmarks.training.optimiser import PlayerOptimiser
from zoo.build import assemble
from zoo.game import Batch


# At a small width, the papers' own latents: 128 up to 128 pixels and 256 at 256; BigBiGAN's 120.
@pytest.mark.parametrize(
    ("body", "family", "side", "latent_dim"),
    [
        *(("qp", family, side, 128) for family in ("gan_qp", "bigan_qp") for side in (64, 128)),
        *(("qp", "bigan_qp", 256, 256), ("resnet", "bigbigan", 64, 120)),
        ("resnet_attention", "bigbigan", 64, 120),
    ],
)
def test_a_step_on_large_images(body: str, family: str, side: int, latent_dim: int) -> None:
    shape = (3, side, side)
    game = assemble(
        *(family, {}),
        **{"body": body, "width": 16, "latent_dim": latent_dim, "prior": "normal"},
        image_shape=shape,
        seed_of=lambda name: 0,
    )
    g = torch.Generator().manual_seed(0)
    x, z = torch.rand(2, *shape, generator=g) * 2 - 1, torch.randn(2, latent_dim, generator=g)
    batch = Batch(x, torch.zeros(2), z, dict.fromkeys(game.noise, z))
    optimisers = {name: PlayerOptimiser(game, player) for name, player in game.players.items()}
    for turn in game.train().requires_grad_(False).turns:
        play_turn(game, turn, batch, 0, optimisers, torch.autocast("cpu", enabled=False))
    assert all(bool(p.isfinite().all()) for p in game.parameters())


def test_sixteen_bytes_per_parameter_of_the_papers_largest_stack() -> None:
    """BiGAN-QP at 256 pixels: weights, gradients and Adam's two moments, without activations.

    The parameters are counted by hand; all is formed on a device without memory.
    """
    shape = (3, 256, 256)
    with torch.device("meta"):
        game = assemble(
            *("bigan_qp", {}),
            **{"body": "qp", "width": 1024, "latent_dim": 256, "prior": "normal"},
            image_shape=shape,
            seed_of=lambda name: 0,
        )
        batch = Batch(torch.empty(32, *shape), torch.empty(32), torch.empty(32, 256), {})
        optimisers = {name: PlayerOptimiser(game, player) for name, player in game.players.items()}
        for turn in game.turns:
            for terms in game.losses(turn.name, batch, 0).values():
                assert all(term.shape == () for term in terms.values())
    weights = list(game.parameters())
    moments = [tensor for o in optimisers.values() for tensor in (*o.first, *o.second, *o.averages)]
    held = [*weights, *weights, *moments]  # a gradient is as large as its weights
    counts = {
        name: sum(p.numel() for p in network.parameters())
        for name, network in game.networks.items()
    }
    more = 25 * 1024 * 2048  # the convolution that 128 pixels do not have
    assert counts == {
        "G": 256 * 32_768 + 32_768 + more + 1024 + 17_413_763 + 2 * (32_768 + 1984),
        "E": 17_418_624 + more + 3 * 2048,
        "mean": 32_768 * 256 + 256,
        "F": 17_416_640 + more + 2 * 2048,
        "H": 0,
        "J": 32_768 * 256 + 512 * 1024 + 1024 * 1024,
        "s_xz": 1024,
    }
    assert sum(tensor.nbytes for tensor in held) == 16 * sum(counts.values())
    assert 16 * sum(counts.values()) / 2**30 == pytest.approx(3.52, abs=0.01)
