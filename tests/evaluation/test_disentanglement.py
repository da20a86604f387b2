"""Factors measured in images, and how a code keeps them apart."""

import pytest
import torch
from torch import Tensor

from benchmarks.evaluation.metrics import disentanglement


def bar(columns: list[int], rows: range = range(2, 8), level: float = 1.0) -> Tensor:
    """Draw a bar on a 10 x 10 image, one of the columns after the other down the rows."""
    x = torch.full((1, 1, 10, 10), -1.0)
    for i, row in enumerate(rows):
        x[0, 0, row, columns[i % len(columns)]] = 2 * level - 1
    return x


def measured(x: Tensor) -> dict[str, float]:
    return dict(
        zip(disentanglement.FACTORS, disentanglement.measured_factors(x)[0].tolist(), strict=True)
    )


def test_factors_of_an_upright_bar_wherever_it_stands() -> None:
    expected = {"ink": 0.06, "slant": 0, "width": 0, "height": (35 / 12) ** 0.5}
    for x in (bar([4]), bar([7]), bar([4], range(4, 10))):
        assert measured(x) == pytest.approx(expected, abs=1e-6)


def test_ink_alone_tells_a_fainter_bar() -> None:
    full, faint = measured(bar([4])), measured(bar([4], level=0.5))
    assert faint.pop("ink") == pytest.approx(full.pop("ink") / 2)
    assert faint == pytest.approx(full, abs=1e-6)


def test_slant_is_columns_per_row() -> None:
    assert measured(bar([2, 3, 4, 5, 6, 7]))["slant"] == pytest.approx(1)
    assert measured(bar([7, 6, 5, 4, 3, 2]))["slant"] == pytest.approx(-1)
    assert measured(bar([3, 5] * 3))["slant"] == pytest.approx(3 / 17.5)


def test_width_and_height_are_not_swapped() -> None:
    upright = measured(bar([4]))
    lying = measured(bar([4]).mT)
    assert (lying["width"], lying["height"]) == pytest.approx((upright["height"], 0), abs=1e-6)
    wider = torch.maximum(bar([3]), bar([5]))
    assert measured(wider)["width"] == pytest.approx(1)
    assert measured(wider)["height"] == pytest.approx(upright["height"])


def test_an_image_without_ink_has_zeros_and_channels_are_averaged() -> None:
    assert list(measured(torch.full((1, 1, 10, 10), -1.0)).values()) == [0, 0, 0, 0]
    assert measured(bar([4]).expand(1, 3, 10, 10)) == measured(bar([4]))


# codes


def normal(n: int, d: int, seed: int = 0) -> Tensor:
    return torch.randn(n, d, generator=torch.Generator().manual_seed(seed))


def test_codes_that_are_the_factors_are_apart() -> None:
    f, test_f = normal(400, 4), normal(300, 4, 1)
    scale = torch.tensor([3.0, 0.1, 1.0, 50.0])
    importance, r2 = disentanglement.linear_map(f * scale + 1, f, test_f * scale + 1, test_f)
    assert r2 == pytest.approx(1, abs=1e-5)
    assert torch.allclose(importance, torch.eye(4).double(), atol=1e-3)
    rotation = torch.linalg.qr(normal(4, 4, 2)).Q
    mixed, r2 = disentanglement.linear_map(f @ rotation, f, test_f @ rotation, test_f)
    assert r2 == pytest.approx(1, abs=1e-5)
    for score in (disentanglement.disentanglement, disentanglement.completeness):
        assert score(importance) > 0.97
        assert score(mixed) < 0.5


def test_r2_of_noise_and_of_half_of_the_variance() -> None:
    f, test_f = normal(4000, 4), normal(3000, 4, 1)
    _, none = disentanglement.linear_map(normal(4000, 5, 2), f, normal(3000, 5, 3), test_f)
    assert none == pytest.approx(0, abs=0.01)
    noise = normal(4000, 4, 4), normal(3000, 4, 5)
    _, half = disentanglement.linear_map(f + noise[0], f, test_f + noise[1], test_f)
    assert half == pytest.approx(0.5, abs=0.03)


def test_anchors_by_hand() -> None:
    for importance in (torch.eye(4), 3 * torch.eye(4)[:, [2, 0, 1, 3]]):
        assert disentanglement.disentanglement(importance) == pytest.approx(1)
        assert disentanglement.completeness(importance) == pytest.approx(1)
    assert disentanglement.disentanglement(torch.ones(6, 4)) == pytest.approx(0, abs=1e-6)
    assert disentanglement.completeness(torch.ones(6, 4)) == pytest.approx(0, abs=1e-6)


def test_which_of_the_two_is_which() -> None:
    # each of four dimensions serves one factor, but each factor is told by two dimensions
    split = torch.tensor([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0], [0.0, 1.0]])
    assert disentanglement.disentanglement(split) == pytest.approx(1)
    assert disentanglement.completeness(split) == pytest.approx(0.5)
    assert disentanglement.disentanglement(split.T) == pytest.approx(0.5)
    assert disentanglement.completeness(split.T) == pytest.approx(1)


def test_dimensions_count_by_their_use_and_untold_factors_as_zero() -> None:
    unused = torch.tensor([[9.0, 0.0], [0.0, 9.0], [0.1, 0.1]])
    assert disentanglement.disentanglement(unused) == pytest.approx(18 / 18.2)
    assert disentanglement.completeness(torch.tensor([[1.0, 0.0], [0.0, 0.0]])) == pytest.approx(
        0.5
    )
    assert disentanglement.completeness(torch.zeros(3, 4)) == disentanglement.disentanglement(
        torch.zeros(3, 4)
    )
    assert disentanglement.completeness(torch.zeros(3, 4)) == 0
