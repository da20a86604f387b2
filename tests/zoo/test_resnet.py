"""The ResNet body's own parts: attention, conditional norm, first weights, the hierarchical z."""

import torch
from torch import nn
from torch.nn.functional import scaled_dot_product_attention

from tests.helpers import tiny_game
from tests.zoo.test_networks import networks
from zoo.networks._layers import SelfAttention
from zoo.networks.resnet import ConditionalNorm


def test_attention_is_the_textbooks() -> None:
    torch.manual_seed(0)
    attend, x = SelfAttention(16), torch.randn(2, 16, 4, 4)
    assert torch.equal(attend(x), x)  # gamma starts at 0
    nn.init.constant_(attend.gamma, 0.5)
    q, k, v = (p(x).flatten(2).mT for p in (attend.query, attend.key, attend.value))
    mixed = scaled_dot_product_attention(q, k, v, scale=1.0).mT.reshape(2, 8, 4, 4)
    assert torch.allclose(attend(x), x + 0.5 * attend.out(mixed), atol=1e-5)


def test_conditional_norm_by_hand() -> None:
    norm = ConditionalNorm(2, 1)
    nn.init.constant_(norm.gain.weight, 0.5)
    nn.init.constant_(norm.shift.weight, -1.0)
    x, z = (
        torch.tensor([[1.0, 10.0], [3.0, 30.0]]).reshape(2, 2, 1, 1),
        torch.tensor([[2.0], [0.0]]),
    )
    # normed to -1 and 1; gains 1 + 0.5 z = 2 and 1, shifts -z = -2 and 0
    expected = torch.tensor([[-4.0, -4.0], [1.0, 1.0]]).reshape(2, 2, 1, 1)
    assert torch.allclose(norm(x, z), expected, atol=1e-4)


def test_resnet_starts_orthogonal_and_unconditioned() -> None:
    found = networks("resnet", (1, 8, 8), 4, 16)
    for network in found.values():
        for module in network.modules():
            if isinstance(module, ConditionalNorm):
                assert not module.gain.weight.any()
                assert not module.shift.weight.any()
            elif isinstance(module, nn.Conv2d):
                rows = module.weight.flatten(1)
                gram = rows @ rows.T if len(rows) <= rows.shape[1] else rows.T @ rows
                assert torch.allclose(gram, torch.eye(len(gram)), atol=1e-5)


def test_every_block_of_g_hears_z() -> None:
    game = tiny_game("gan", body="resnet").requires_grad_(False)
    norms = [m for m in game.G.modules() if isinstance(m, ConditionalNorm)]
    x, z = game.G.start(torch.randn(3, 4)), torch.randn(3, 4)
    assert len(norms) == 2
    for norm in norms:
        nn.init.normal_(norm.gain.weight)
        assert not torch.equal(game.G.blocks[0](x, z), game.G.blocks[0](x, 2 * z))
        nn.init.zeros_(norm.gain.weight)
