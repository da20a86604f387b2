"""Metrics of both cycles: built reconstructions, loops, and cases by hand."""

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from benchmarks.evaluation.measures import Row, measure
from benchmarks.evaluation.metrics import reconstruction
from benchmarks.evaluation.metrics.undefined import Undefined
from benchmarks.evaluation.questions import of_latent_cycle, of_reconstructions
from benchmarks.evaluation.real_data import Reference
from benchmarks.evaluation.registry import METRICS
from tests.evaluation.worsened import assert_ordered, blurred, noisy, truncated

LATENT_CYCLE = {"latent_error", "latent_recovered", "latent_retrieval", "sample_cycle_ratio"}

PIXELS = [
    ("same", "noise .05", "noise .1", "noise .3", "random pair"),
    ("same", "blur .5", "blur 1", "shift"),
    ("same", "PCA 10", "PCA 5", "mean image", "black"),
    ("same", "faded", "shift"),
]
KNOWLEDGE = [
    ("same", "noise .05", "noise .1", "noise .3", "mean image"),
    ("same", "blur .5", "blur 1", "mean image"),
    ("same", "PCA 10", "PCA 5", "mean image"),
    ("same", "faded", "random pair"),
]

# metric -> chains of reconstructions from good to bad, in the metric's own direction
ORDERS = {
    "reconstruction_mse": [*PIXELS, ("mean image", "same class")],
    "reconstruction_mse_ratio": [*PIXELS, ("mean image", "same class")],
    "reconstruction_ratio": [*KNOWLEDGE, ("PCA 5", "shift", "mean image")],
    "reconstruction_l1": PIXELS,
    "reconstruction_l1_ratio": PIXELS,
    "reconstruction_psnr": [chain[1:] for chain in PIXELS],  # infinite for equal images
    "reconstruction_ssim": [*PIXELS, *KNOWLEDGE],
    "reconstruction_dssim_ratio": [*PIXELS, *KNOWLEDGE],
    "reconstruction_feature_ratio": [*PIXELS, *KNOWLEDGE, ("same class", "mean image")],
    "label_agreement": [*KNOWLEDGE, ("same class", "PCA 5"), ("same class", "mean image")],
    "label_agreement_ratio": [*KNOWLEDGE, ("same class", "PCA 5"), ("same class", "mean image")],
    "image_retrieval": [
        ("noise .1", "noise .3", "mean image"),
        ("blur .5", "blur 1", "same class"),  # the class alone does not win it
        ("PCA 10", "PCA 5", "random pair"),
    ],
    "reconstruction_hf_ratio": [
        ("same", "noise .3"),
        ("same", "blur .5", "blur 1", "black"),
        ("same", "PCA 10", "PCA 5", "mean image"),
    ],
}

# (case, metric) -> value, absolute tolerance
SIZES = {
    ("same", "reconstruction_mse"): (0, 0),
    ("same", "reconstruction_mse_ratio"): (0, 0),
    ("same", "reconstruction_ratio"): (0, 0),
    ("same", "reconstruction_l1"): (0, 0),
    ("same", "reconstruction_l1_ratio"): (0, 0),
    ("same", "reconstruction_ssim"): (1, 1e-9),
    ("same", "reconstruction_dssim_ratio"): (0, 1e-9),
    ("same", "reconstruction_feature_ratio"): (0, 1e-9),
    ("same", "label_agreement"): (1, 0),
    ("same", "label_agreement_ratio"): (0, 0),
    ("same", "image_retrieval"): (1, 0),
    ("same", "reconstruction_hf_ratio"): (1, 1e-9),
    ("noise .05", "reconstruction_psnr"): (27.5, 0.5),  # half of the noise is clipped away
    ("mean image", "reconstruction_ratio"): (1, 0.01),
    ("mean image", "reconstruction_mse_ratio"): (0.5, 0.01),  # half of twice the variance
    ("mean image", "image_retrieval"): (1 / 500, 0),
    ("random pair", "reconstruction_mse_ratio"): (1, 0.05),
    ("random pair", "reconstruction_ratio"): (1, 0.05),
    ("random pair", "reconstruction_l1_ratio"): (1, 0.05),
    ("random pair", "reconstruction_dssim_ratio"): (1, 0.05),
    ("random pair", "reconstruction_feature_ratio"): (1, 0.05),
    ("random pair", "label_agreement"): (0.1, 0.05),
    ("random pair", "label_agreement_ratio"): (1, 0.05),
    ("random pair", "image_retrieval"): (0, 0),
    ("random pair", "reconstruction_hf_ratio"): (1, 0.1),
    ("shift", "reconstruction_hf_ratio"): (1, 1e-5),
    ("faded", "reconstruction_hf_ratio"): (0.8**2, 1e-5),
    ("black", "reconstruction_hf_ratio"): (0, 0),
}


@pytest.fixture(scope="module")
def rows(reference: Reference) -> dict[str, Row]:
    x, labels = reference.test_x, reference.test.labels
    mate = torch.arange(len(x))
    for label in range(10):
        of_class = (labels == label).nonzero()[:, 0]
        mate[of_class] = of_class.roll(1)
    cases = {
        "same": x,
        "noise .05": noisy(x, 0.05),
        "noise .1": noisy(x, 0.1),
        "noise .3": noisy(x, 0.3),
        "blur .5": blurred(x, 0.5),
        "blur 1": blurred(x),
        "PCA 10": truncated(x, 10),
        "PCA 5": truncated(x, 5),
        "shift": x.roll(1, dims=3),
        "faded": 0.8 * (x + 1) - 1,
        "mean image": x.mean(0, keepdim=True).expand_as(x),
        "black": torch.full_like(x, -1),
        "same class": x[mate],
        "random pair": x.roll(-2, dims=0),
    }
    return {
        name: measure(of_reconstructions(lambda r=r: r, reference)) for name, r in cases.items()
    }


def test_every_metric_of_consistency_is_here() -> None:
    assert (
        set(ORDERS)
        == {name for name, m in METRICS.items() if m.question == "consistency"} - LATENT_CYCLE
    )
    assert {metric for _, metric in SIZES} == set(ORDERS)


@pytest.mark.parametrize(
    ("metric", "chain"), [(metric, chain) for metric, chains in ORDERS.items() for chain in chains]
)
def test_order_of_reconstructions(
    rows: dict[str, Row], metric: str, chain: tuple[str, ...]
) -> None:
    assert_ordered(rows, metric, chain)


@pytest.mark.parametrize(("case", "metric"), SIZES)
def test_size(rows: dict[str, Row], case: str, metric: str) -> None:
    value, tolerance = SIZES[case, metric]
    assert rows[case].metrics[metric] == pytest.approx(value, abs=tolerance)


def test_only_the_decibels_of_equal_images_are_undefined(rows: dict[str, Row]) -> None:
    for case, row in rows.items():
        assert set(row.undefined) == ({"reconstruction_psnr"} if case == "same" else set())


def test_non_finite_reconstructions_have_no_metrics(reference: Reference) -> None:
    r = reference.test_x.clone()
    r[7, 0, 0, 0] = torch.inf
    row = measure(of_reconstructions(lambda: r, reference))
    assert not row.metrics
    assert set(row.undefined) == set(ORDERS)


# by hand


def test_errors_are_in_units_of_zero_to_one() -> None:
    white = torch.ones(2, 1, 2, 2)
    assert reconstruction.mse(white, -white) == reconstruction.l1(white, -white) == 1
    x = torch.tensor([0.2, -0.6]).view(2, 1, 1, 1)
    r = torch.tensor([0.4, 0.2]).view(2, 1, 1, 1)
    assert reconstruction.mse(x, r) == pytest.approx((0.1**2 + 0.4**2) / 2)
    assert reconstruction.l1(x, r) == pytest.approx(0.25)


def test_psnr_by_hand() -> None:
    assert reconstruction.psnr(1.0) == 0
    assert reconstruction.psnr(0.01) == pytest.approx(20)
    with pytest.raises(Undefined, match="reconstruction_psnr"):
        reconstruction.psnr(0.0)


def test_distance_ratio_by_hand() -> None:
    x = torch.tensor([0.0, 1.0, 3.0]).view(3, 1, 1, 1)
    r = torch.tensor([0.5, 1.0, 2.0]).view(3, 1, 1, 1)
    own, other = 0.5 + 0 + 1, abs(1 - 0.5) + abs(3 - 1) + abs(0 - 2)
    assert reconstruction.distance_ratio("m", x, r) == pytest.approx(own / other)
    assert reconstruction.distance_ratio("m", x, torch.full_like(x, 0.7)) == pytest.approx(1)
    with pytest.raises(Undefined, match="m needs images that differ"):
        reconstruction.distance_ratio("m", x[:1].expand(3, 1, 1, 1), x[:1].expand(3, 1, 1, 1))
    with pytest.raises(Undefined, match="m needs at least 2 rows"):
        reconstruction.distance_ratio("m", x[:1], r[:1])


def test_feature_ratio_by_hand() -> None:
    x, r = torch.tensor([[0.0, 0.0], [3.0, 4.0]]), torch.tensor([[1.0, 0.0], [3.0, 6.0]])
    assert reconstruction.feature_ratio(x, r) == pytest.approx(((1 + 4) / 2) / 25)
    with pytest.raises(Undefined, match="reconstruction_feature_ratio"):
        reconstruction.feature_ratio(torch.ones(3, 2), r[:1].expand(3, 2))


def test_label_agreement_by_hand() -> None:
    a = torch.tensor([[1.0, 0.0], [0.0, 1.0], [3.0, 2.0], [0.0, 9.0]])
    b = torch.tensor([[2.0, 0.0], [1.0, 0.0], [5.0, 2.0], [0.0, 1.0]])
    assert reconstruction.label_agreement(a, b) == 0.75


def test_retrieval_by_hand_and_among_a_thousand() -> None:
    x = torch.tensor([[0.0], [1.0], [5.0], [6.0]])
    r = torch.tensor([[0.4], [0.4], [5.6], [9.0]])
    assert reconstruction.retrieval("m", x, r) == 0.5
    x = torch.arange(1500.0)[:, None]
    r = torch.where(torch.arange(1500)[:, None] < 1000, x, x + 10)
    assert reconstruction.retrieval("m", x, r) == 1


def test_paired_sharpness_by_hand() -> None:
    line = torch.cos(math.pi * torch.arange(8.0))  # the highest frequency there is
    x = line.expand(4, 1, 8, 8).clone()
    r = x * torch.tensor([0.5, 1.0, 2.0, 9.0])[:, None, None, None]
    x[3] = 0.3  # flat, so left out
    assert reconstruction.paired_hf_ratio(x, r + 0.2) == pytest.approx(1)  # of 1/4, 1 and 4
    with pytest.raises(Undefined, match="reconstruction_hf_ratio"):
        reconstruction.paired_hf_ratio(torch.full((2, 1, 28, 28), 0.1), torch.zeros(2, 1, 28, 28))


# structural similarity


def naive_ssim(x: np.ndarray, r: np.ndarray, window: int) -> float:
    """SSIM of two images (H, W) in [0, 1], place by place (Wang et al. 2004, eq. 13)."""
    place = np.arange(window) - (window - 1) / 2
    taps = np.exp(-(place[:, None] ** 2 + place[None] ** 2) / (2 * 1.5**2))
    taps /= taps.sum()
    values = []
    for i in range(x.shape[0] - window + 1):
        for j in range(x.shape[1] - window + 1):
            a, b = (image[i : i + window, j : j + window] for image in (x, r))
            mean_a, mean_b = (taps * a).sum(), (taps * b).sum()
            var_a, var_b = (taps * (a - mean_a) ** 2).sum(), (taps * (b - mean_b) ** 2).sum()
            both = (taps * (a - mean_a) * (b - mean_b)).sum()
            value = (2 * mean_a * mean_b + 1e-4) * (2 * both + 9e-4)
            values.append(value / (mean_a**2 + mean_b**2 + 1e-4) / (var_a + var_b + 9e-4))
    return float(np.mean(values))


@pytest.mark.parametrize(("shape", "window"), [((8, 8), 7), ((9, 14), 9), ((13, 16), 11)])
def test_ssim_by_a_loop(shape: tuple[int, int], window: int) -> None:
    g = torch.Generator().manual_seed(0)
    x = torch.rand(2, 3, *shape, generator=g, dtype=torch.double) * 2 - 1
    r = 0.7 * x + 0.3 * (torch.rand(x.shape, generator=g, dtype=torch.double) * 2 - 1)
    pairs = [(i, c) for i in range(2) for c in range(3)]
    a, b = (((t + 1) / 2).numpy() for t in (x, r))
    expected = np.mean([naive_ssim(a[pair], b[pair], window) for pair in pairs])
    assert reconstruction.ssim(x, r) == pytest.approx(expected, rel=1e-9)


def test_ssim_of_flat_images_by_hand() -> None:
    a, b = torch.full((1, 1, 12, 12), -0.6), torch.full((1, 1, 12, 12), 0.2)  # .2 and .6
    expected = (2 * 0.2 * 0.6 + 1e-4) / (0.2**2 + 0.6**2 + 1e-4)
    assert reconstruction.ssim(a, b) == pytest.approx(expected, rel=1e-5)


# z -> G -> E -> z


def normal(n: int, d: int, seed: int) -> Tensor:
    return torch.randn(n, d, generator=torch.Generator().manual_seed(seed))


def test_latent_error_anchors() -> None:
    z, other = (3 * normal(4000, 6, seed) + 1 for seed in range(2))
    assert reconstruction.latent_error(z, z) == 0
    assert reconstruction.latent_error(z, torch.ones_like(z)) == pytest.approx(1, abs=0.01)
    assert reconstruction.latent_error(z, other) == pytest.approx(2, abs=0.05)


def test_latent_recovered_by_hand() -> None:
    z = normal(4000, 4, 0) * torch.tensor([1.0, 5.0, 1.0, 0.1])
    noise = normal(4000, 4, 1)
    # errors of .3 and .7 of the variance, an answer with the mean, and a perfect one
    recovered = z + noise * torch.tensor([0.3, 25 * 0.7, 0, 0]).sqrt()
    recovered[:, 2] = 0
    assert reconstruction.latent_recovered(z, recovered) == 0.5
    error = reconstruction.latent_error(z, recovered)
    assert error == pytest.approx((0.3 + 17.5 + 1) / (1 + 25 + 1 + 0.01), rel=0.05)


def test_latent_cycle_of_an_inverse_and_of_a_game_that_forgets() -> None:
    z, x = normal(1200, 8, 0), normal(1200, 64, 2).view(1200, 1, 8, 8)
    inverse = measure(of_latent_cycle(z, lambda: z, lambda: x, lambda: x))
    assert set(inverse.metrics) == LATENT_CYCLE
    assert list(inverse.metrics.values()) == [0, 1, 1, 0]
    other, mean = normal(1200, 8, 1), x.mean(0, keepdim=True).expand_as(x)
    forgets = measure(of_latent_cycle(z, lambda: other, lambda: x, lambda: mean)).metrics
    assert forgets["latent_error"] == pytest.approx(2, abs=0.1)
    assert forgets["latent_recovered"] == 0
    assert forgets["latent_retrieval"] < 0.01
    assert forgets["sample_cycle_ratio"] == pytest.approx(1, abs=0.01)
    broken = measure(of_latent_cycle(z, lambda: z * torch.nan, lambda: x, lambda: x))
    assert set(broken.metrics) == {"sample_cycle_ratio"}
    assert set(broken.undefined) == LATENT_CYCLE - {"sample_cycle_ratio"}
