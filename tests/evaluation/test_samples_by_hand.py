"""Metrics of samples against loops, other libraries and cases by hand."""

import math

import numpy as np
import pytest
import torch
from sklearn.neighbors import NearestNeighbors
from torch import Tensor

from benchmarks.evaluation.metrics import fidelity, samples
from benchmarks.evaluation.metrics.undefined import Undefined


def rows_of(n: int, d: int = 5, seed: int = 0) -> Tensor:
    return torch.randn(n, d, generator=torch.Generator().manual_seed(seed))


# nearest neighbours


@pytest.mark.parametrize("offset", [0.0, 1e3])
@pytest.mark.parametrize(
    ("gallery", "k"),
    [(1, 1), (2, 2), (63, 1), (63, 63), (64, 64), (65, 3), (65, 65), (500, 1), (500, 6), (500, 70)],
)
def test_nearest_is_that_of_scikit_learn(gallery: int, k: int, offset: float) -> None:
    x, y = rows_of(gallery) + offset, rows_of(203, seed=1) + offset
    distances, indices = samples.nearest(y, x, k)
    other = NearestNeighbors(n_neighbors=k, algorithm="brute").fit(x.double().numpy())
    expected, expected_indices = other.kneighbors(y.double().numpy())
    assert torch.equal(indices, torch.from_numpy(expected_indices))
    assert np.allclose(distances, expected, rtol=1e-5 if offset else 1e-6)


def test_nearest_takes_images_in_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    x, y = rows_of(90, 12).view(90, 3, 2, 2), rows_of(40, 12, 1).view(40, 3, 2, 2)
    whole = samples.nearest(y, x, 4)
    monkeypatch.setattr(samples, "BLOCK", 7)
    for found, expected in zip(samples.nearest(y, x, 4), whole, strict=True):
        assert torch.allclose(found, expected)
    loop = [int((x - q).square().sum((1, 2, 3)).argmin()) for q in y]
    assert whole[1][:, 0].tolist() == loop


@pytest.mark.parametrize("copies", [2, 5])
def test_of_equally_near_rows_the_first_is_nearest(copies: int) -> None:
    x = rows_of(40)
    distances, indices = samples.nearest(x, x.repeat(copies, 1), copies)
    assert torch.equal(indices, torch.arange(40)[:, None] + 40 * torch.arange(copies))
    assert (distances == 0).all()


def test_all_rows_equal() -> None:
    same = torch.full((100, 3), 0.1)
    assert (samples.nearest(same, same, 5)[0] == 0).all()


# coverage, density, copies: loops over a distance matrix


def distances(a: Tensor, b: Tensor) -> list[list[float]]:
    return [[math.dist(p, q) for q in b.tolist()] for p in a.tolist()]


def loop_radii(x: Tensor, k: int) -> list[float]:
    return [sorted(d for j, d in enumerate(row) if j != i)[k - 1]
            for i, row in enumerate(distances(x, x))]  # fmt: skip


@pytest.fixture(params=[0.0, 100.0])
def sets(request: pytest.FixtureRequest) -> tuple[Tensor, Tensor, Tensor]:
    generated = 0.8 * rows_of(70, seed=1) + 0.3
    generated[5:9] = generated[0] + 1e-4 * rows_of(4, seed=2)
    return tuple(x + request.param for x in (generated, rows_of(90), rows_of(90, seed=3)))  # type: ignore[return-value]


def test_coverage_and_density_by_a_loop(sets: tuple[Tensor, Tensor, Tensor]) -> None:
    generated, real, _ = sets
    radii, between = loop_radii(real, 5), distances(real, generated)
    covered = [min(row) <= radius for row, radius in zip(between, radii, strict=True)]
    inside = sum(d <= radius for row, radius in zip(between, radii, strict=True) for d in row)
    assert samples.coverage(generated, real) == pytest.approx(sum(covered) / 90)
    assert samples.density(generated, real) == pytest.approx(inside / (5 * 70))
    assert 0.1 < samples.coverage(generated, real) < 0.95


def test_copies_and_duplicates_by_a_loop(sets: tuple[Tensor, Tensor, Tensor]) -> None:
    generated, real, held_out = sets
    pairs = zip(distances(generated, real), distances(generated, held_out), strict=True)
    nearer = [min(a) < min(b) for a, b in pairs]
    assert samples.copy_rate(generated, real, held_out) == pytest.approx(sum(nearer) / 70)
    usual = float(np.median(sorted(loop_radii(real, 1))[:-1]))  # of an even number the lower one
    close = [radius < 0.1 * usual for radius in loop_radii(generated, 1)]
    assert samples.near_duplicates(generated, real) == pytest.approx(sum(close) / 70)
    assert sum(close) == 5


def test_copy_rate_of_copies_ties_and_unequal_sets() -> None:
    a, b = rows_of(50), rows_of(50, seed=1)
    assert samples.copy_rate(a, a, b) == 1
    assert samples.copy_rate(b, a, b) == 0
    assert samples.copy_rate(rows_of(30, seed=2), a, a) == 0.5
    with pytest.raises(Undefined, match="copy_rate needs as many"):
        samples.copy_rate(a, a, b[:40])


def test_nearest_ratio_by_hand() -> None:
    queries, gallery = torch.tensor([[0.0], [3.0]]), torch.tensor([[1.0], [9.0]])
    usual = torch.tensor([1.0, 5.0])
    assert samples.nearest_ratio("m", queries, gallery, usual) == pytest.approx(1.5 / 3)
    with pytest.raises(Undefined, match="m needs real images that differ"):
        samples.nearest_ratio("m", queries, gallery, torch.zeros(2))


@pytest.mark.parametrize("metric", ["coverage", "density", "near_duplicates"])
def test_too_few_or_non_finite_rows_name_the_metric(metric: str) -> None:
    function = getattr(samples, metric)
    with pytest.raises(Undefined, match=f"{metric}.* needs at least"):
        function(rows_of(1), rows_of(90))
    with pytest.raises(Undefined, match=f"{metric}.* has non-finite generated"):
        function(torch.full((90, 5), torch.nan), rows_of(90))


# sharpness


def wave(frequency: int, size: int = 16) -> Tensor:
    """Return a horizontal cosine of so many periods, (1, 1, size, size)."""
    line = torch.cos(2 * math.pi * frequency * torch.arange(size) / size)
    return line.expand(1, 1, size, size)


@pytest.mark.parametrize(("frequency", "share"), [(1, 0), (4, 0), (5, 1), (8, 1)])
def test_high_frequency_share_of_a_wave(frequency: int, share: float) -> None:
    x = 0.1 + 0.3 * wave(frequency)  # the cut, 0.25 cycles per pixel, is 4 periods of 16
    for image in (x, x.mT):
        assert samples.high_frequency_share(image).item() == pytest.approx(share, abs=1e-9)


def test_high_frequency_share_is_of_power_and_round() -> None:
    x = 2 * wave(2) + wave(6)
    assert samples.high_frequency_share(x).item() == pytest.approx(1 / 5)
    diagonal = wave(3) * wave(3).mT  # 3 periods each way: sqrt(18) / 16 > 0.25
    assert samples.high_frequency_share(diagonal).item() == pytest.approx(1)
    two = torch.cat([wave(2), wave(6)], dim=1)  # channels are added
    assert samples.high_frequency_share(two).item() == pytest.approx(0.5)


@pytest.mark.parametrize("size", [8, 28])
@pytest.mark.parametrize("level", [-1.0, 0.1, 1 / 3])
def test_a_flat_image_has_no_high_frequencies(size: int, level: float) -> None:
    assert samples.high_frequency_share(torch.full((2, 1, size, size), level)).tolist() == [0, 0]


def test_sharpness_ignores_contrast_and_shifts() -> None:
    x = rows_of(20, 64).view(20, 1, 8, 8)
    share = samples.high_frequency_share(x)
    for same in (0.3 * x - 0.2, x.roll((2, 3), dims=(2, 3)), -x):
        assert samples.hf_ratio(same, share) == pytest.approx(1, rel=1e-5)
    assert samples.hf_ratio(x[:1], share) == pytest.approx(float(share[0] / share.mean()))
    with pytest.raises(Undefined, match="hf_ratio"):
        samples.hf_ratio(x, torch.zeros(5))


# FID, KID and IS


def test_fid_against_the_closed_form() -> None:
    g = np.random.default_rng(0)
    a, b = g.normal(size=(500, 4)), g.normal(loc=0.5, scale=2.0, size=(400, 4))
    mean = a.mean(0) - b.mean(0)
    ca, cb = np.cov(a.T), np.cov(b.T)
    values, vectors = np.linalg.eigh(ca)
    root = vectors @ np.diag(np.sqrt(values)) @ vectors.T
    cross = np.sqrt(np.linalg.eigvalsh(root @ cb @ root)).sum()
    expected = mean @ mean + np.trace(ca) + np.trace(cb) - 2 * cross
    found = fidelity.fid(torch.tensor(a), torch.tensor(b))
    assert found == pytest.approx(expected, rel=1e-6)


def test_kid_against_a_direct_sum() -> None:
    g = torch.Generator().manual_seed(0)
    x = torch.randn(60, 5, generator=g, dtype=torch.float64)
    y = torch.randn(60, 5, generator=g, dtype=torch.float64) + 0.3
    k_xx, k_yy, k_xy = ((a @ b.T / 5 + 1) ** 3 for a, b in ((x, x), (y, y), (x, y)))
    expected = sum((k.sum() - k.trace()) / (60 * 59) for k in (k_xx, k_yy)) - 2 * k_xy.mean()
    assert fidelity.kid(x, y) == pytest.approx(float(expected), rel=1e-6)


def test_inception_score_by_hand() -> None:
    assert fidelity.inception_score(60 * torch.eye(4)) == pytest.approx(4, rel=1e-6)
    assert fidelity.inception_score(torch.zeros(9, 4)) == pytest.approx(1, rel=1e-6)


# classes


def test_classes_by_hand() -> None:
    labels = torch.tensor([0] * 50 + [1] * 30 + [2] * 20)
    found = torch.tensor([0] * 75 + [1] * 23 + [2] * 2)
    expected = 0.75 * math.log(0.75 / 0.5) + 0.23 * math.log(0.23 / 0.3) + 0.02 * math.log(0.1)
    assert samples.class_kl(found, labels) == pytest.approx(expected)
    assert samples.classes_covered(found, labels) == 2  # a tenth of its rate is not enough
    assert samples.classes_covered(torch.tensor([0] * 94 + [1] * 3 + [2] * 3), labels) == 2
    assert samples.classes_covered(torch.tensor([0] * 93 + [1] * 4 + [2] * 3), labels) == 3
    with pytest.raises(Undefined, match="class_kl needs every class"):
        samples.class_kl(torch.tensor([3]), labels)
