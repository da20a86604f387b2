"""FID at infinity, clipped density, feature likelihood and inversion: other routes, known cases."""

import math
from itertools import pairwise

import numpy as np
import pytest
import torch
from scipy.linalg import sqrtm
from scipy.special import logsumexp
from sklearn.neighbors import KernelDensity
from torch import Tensor, nn

from benchmarks.evaluation.extractors.extractor import extract
from benchmarks.evaluation.metrics import fidelity, inversion, likelihood, reconstruction, samples
from benchmarks.evaluation.metrics.undefined import Undefined
from benchmarks.evaluation.real_data import Reference
from datasets.images import to_range
from tests.evaluation.worsened import blurred, noisy, repeated


def rows_of(n: int, d: int = 5, seed: int = 0) -> Tensor:
    return torch.randn(n, d, generator=torch.Generator().manual_seed(seed), dtype=torch.double)


# FID at infinity


def frechet(x: np.ndarray, y: np.ndarray) -> float:
    a, b = np.cov(x.T), np.cov(y.T)
    gap = np.square(x.mean(0) - y.mean(0)).sum()
    return float(gap + np.trace(a + b - 2 * np.real(sqrtm(a @ b))))


def test_fid_infinity_by_scipy_and_polyfit() -> None:
    generated, reference = 1.2 * rows_of(400, 4) + 0.2, rows_of(300, 4, 1)
    sizes = sorted(round(1 / inverse) for inverse in np.linspace(1 / 400, 1 / 80, 8))
    generator = torch.Generator().manual_seed(fidelity.SEED)
    distances = []
    for n in sizes:
        x = generated[torch.randperm(400, generator=generator)].numpy()
        parts = [frechet(x[i : i + n], reference.numpy()) for i in range(0, 400 - n + 1, n)]
        distances.append(np.mean(parts))
    expected = np.polyfit([1 / n for n in sizes], distances, 1)[1]
    assert fidelity.fid_infinity(generated, reference) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize(("scale", "shift"), [(1.0, 0.0), (1.1, 0.1)])
def test_fid_infinity_is_nearer_to_the_truth(scale: float, shift: float) -> None:
    d, errors = 16, []
    for seed in range(8):
        reference, generated = rows_of(40_000, d, seed), scale * rows_of(500, d, 99 + seed) + shift
        pair = (fidelity.fid(generated, reference), fidelity.fid_infinity(generated, reference))
        errors.append(np.subtract(pair, d * (shift**2 + (scale - 1) ** 2)))
    plain, extrapolated = np.abs(errors).mean(0)
    assert extrapolated < 0.6 * plain
    bias, rest = np.mean(errors, axis=0)
    assert abs(rest) < 0.3 * bias


def test_fid_infinity_needs_room_for_a_line_and_is_repeatable() -> None:
    x, y = rows_of(100), rows_of(100, seed=1)
    assert fidelity.fid_infinity(x, y) == fidelity.fid_infinity(x, y)
    with pytest.raises(Undefined, match=r"^fid_infinity needs at least 100 samples, got 99"):
        fidelity.fid_infinity(x[:99], y)
    with pytest.raises(Undefined, match="reference"):
        fidelity.fid_infinity(x, y[:49])


# clipped density


def loop_clipped_density(generated: Tensor, real: Tensor) -> float:
    between = [[math.dist(p, q) for q in real.tolist()] for p in generated.tolist()]
    within = [[math.dist(p, q) for q in real.tolist()] for p in real.tolist()]
    radii = [sorted(row[:i] + row[i + 1 :])[4] for i, row in enumerate(within)]
    radii = [min(radius, float(np.median(radii))) for radius in radii]

    def share(counts: list[int]) -> float:
        return sum(min(1, count / 5) for count in counts) / len(counts)

    held = [sum(d <= r for d, r in zip(row, radii, strict=True)) for row in between]
    own = [
        sum(row[j] <= radii[j] + 1e-12 for j in range(len(radii)) if j != i)
        for i, row in enumerate(within)
    ]
    return min(1.0, share(held) / share(own))


@pytest.mark.parametrize("offset", [0.0, 100.0])
@pytest.mark.parametrize("scale", [0.5, 1.0, 1.5, 4.0])
@pytest.mark.parametrize("n", [6, 40, 91])
def test_clipped_density_by_a_loop(n: int, scale: float, offset: float) -> None:
    generated, real = scale * rows_of(70) + 0.3 + offset, rows_of(n, seed=1) + offset
    found = samples.clipped_density(generated, real)
    assert found == pytest.approx(loop_clipped_density(generated, real))


def test_outliers_raise_density_and_not_clipped_density() -> None:
    real, garbage = rows_of(300, 4), 6 * nn.functional.normalize(rows_of(200, 4, 1))
    directions = torch.cat([torch.eye(4), -torch.eye(4)]).double()
    one, with_outliers = (torch.cat([real, 60 * directions[:n]]) for n in (1, 8))
    assert samples.density(garbage, real) == samples.clipped_density(garbage, real) == 0
    beside = 40 * directions[:1] + garbage
    assert samples.density(beside, one) == pytest.approx(0.2)  # each in the outlier's ball
    assert samples.density(garbage, with_outliers) > 0.3
    assert samples.clipped_density(beside, one) == 0
    assert samples.clipped_density(garbage, with_outliers) == 0
    fresh = rows_of(300, 4, 2)
    before, after = (samples.clipped_density(fresh, x) for x in (real, with_outliers))
    assert before == pytest.approx(after, abs=0.05)
    assert before > 0.9


def test_clipped_density_of_half_garbage_is_a_half() -> None:
    real, fresh = rows_of(400), rows_of(400, seed=1)
    half = torch.cat([fresh[:200], fresh[:200] + 50])
    assert samples.clipped_density(half, real) == pytest.approx(0.5, abs=0.05)
    crowded = torch.cat([real[:1].repeat(200, 1), fresh[:200] + 50])  # the middle pays for nothing
    assert samples.clipped_density(crowded, real) <= 0.6
    assert samples.clipped_density(real, real) == 1


def test_clipped_density_where_real_rows_repeat() -> None:
    real = torch.cat([rows_of(60), rows_of(60)[:20].repeat(9, 1)])
    assert 0 < samples.clipped_density(rows_of(50, seed=1), rows_of(60).repeat(2, 1)) <= 1
    with pytest.raises(Undefined, match="clipped_density needs real rows that differ"):
        samples.clipped_density(rows_of(50, seed=1), real)
    with pytest.raises(Undefined, match="clipped_density needs at least 6 rows of real, got 5"):
        samples.clipped_density(rows_of(9), rows_of(5))


# feature likelihood divergence


def squared(x: Tensor, y: Tensor) -> Tensor:
    return torch.cdist(x, y, compute_mode="donot_use_mm_for_euclid_dist").square()


def test_density_of_equal_gaussians_is_that_of_scikit_learn(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(likelihood, "BLOCK", 7)
    centres, test = rows_of(90), rows_of(40, seed=1)
    found = likelihood.log_density(squared(test, centres), torch.full((90,), 0.3).double(), 5)
    other = KernelDensity(bandwidth=math.sqrt(0.3)).fit(centres.numpy())
    assert np.allclose(found, other.score_samples(test.numpy()))


def loop_nll(variances: np.ndarray, centres: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Return the negative log density of each row by one call of scipy per row."""
    level = -0.5 * centres.shape[1] * np.log(2 * np.pi * variances) - math.log(len(centres))
    return np.array(
        [-logsumexp(level - np.square(centres - q).sum(1) / (2 * variances)) for q in x]
    )


def test_fitted_variances_cannot_be_improved() -> None:
    train, centres, d = rows_of(120, 3), rows_of(60, 3, 1), 3
    to_mean = train.square().sum(1)
    wide = (-0.5 * to_mean - 0.5 * d * math.log(2 * math.pi)).numpy()

    def objective(variances: np.ndarray) -> float:
        own = -loop_nll(variances, centres.numpy(), train.numpy())
        return float(np.logaddexp(own, wide).mean())

    start = squared(train, centres).amin(0).numpy() / d
    found = likelihood.fitted_variances(squared(train, centres), to_mean, d, 1e-6).numpy()
    best = objective(found)
    assert best > objective(start) + 0.01
    rng = np.random.default_rng(0)
    for size in (0.03, 0.1, 0.3):
        for _ in range(20):
            moved = found * np.exp(size * rng.standard_normal(60))
            assert objective(moved) < best + 2e-4


def test_nll_on_standardised_features_by_a_loop() -> None:
    train, test, centres = (
        rows_of(n, 4, n) * torch.tensor([1, 2, 5, 9.0]) + 7 for n in (80, 50, 60)
    )
    train, test, centres = (
        torch.cat([x, torch.ones(len(x), 1)], 1) for x in (train, test, centres)
    )
    scale = train[:, :4].std(0)
    a, b, c = ((x[:, :4] - train[:, :4].mean(0)) / scale for x in (train, test, centres))
    variances = likelihood.fitted_variances(squared(a, c), a.square().sum(1), 4, 1e-6)
    expected = loop_nll(variances.numpy(), c.numpy(), b.numpy()).mean() / 4
    assert likelihood.fitted_nll(centres, train, test) == pytest.approx(expected)
    own = squared(a, a).fill_diagonal_(torch.inf)
    variances = likelihood.fitted_variances(own, a.square().sum(1), 4, 1e-6)
    expected = loop_nll(variances.numpy(), a.numpy(), b.numpy()).mean() / 4
    assert likelihood.fitted_nll(None, train, test) == pytest.approx(expected)


def test_fld_of_worsened_digits(reference: Reference) -> None:
    images, test = reference.train.images, reference.test_features
    order = torch.randperm(len(images), generator=torch.Generator().manual_seed(0))
    half = len(images) // 2
    x, train = to_range(images[order[:half]]), reference.train_features[order[half : 2 * half]]

    def fld(case: Tensor) -> float:
        stored = ((case.clamp(-1, 1) + 1) * 127.5).round().to(torch.uint8)
        return likelihood.fld(extract(reference.extractor, stored)[0], train, test)

    assert abs(fld(x)) < 2
    chains = [
        (x, blurred(x, 0.5), blurred(x)),
        (x, noisy(x, 0.1), noisy(x, 0.3)),
        (x, repeated(x, 100), repeated(x, 10), repeated(x, 1)),
    ]
    for chain in chains:
        values = [fld(case) for case in chain]
        assert all(a + 2 < b for a, b in pairwise(values)), values
    real = reference.train_features[order[:half]]
    partly = [torch.cat([train[:n], real[n:]]) for n in (0, half // 2, half)]
    values = [likelihood.fld(part, train, test) for part in partly]
    assert all(a + 5 < b for a, b in pairwise(values)), values
    assert math.isfinite(values[-1])


def test_fld_is_undefined() -> None:
    x, y, z = rows_of(30), rows_of(30, seed=1), rows_of(30, seed=2)
    with pytest.raises(Undefined, match="fld needs as many generated as training rows"):
        likelihood.fld(x[:29], y, z)
    with pytest.raises(Undefined, match="fld needs training rows that differ"):
        likelihood.fld(x, torch.ones(30, 5), z)
    with pytest.raises(Undefined, match="fld has non-finite test"):
        likelihood.fld(x, y, z / 0)


# inversion by optimisation


def linear(rank: int, seed: int = 0) -> tuple[nn.Module, np.ndarray, np.ndarray]:
    """Return G(z) = W z + b as images of 4 x 4, W and b."""
    layer = nn.Linear(rank, 16)
    layer.weight.data = rows_of(16, rank, seed).float() / 4
    layer.bias.data = rows_of(1, 16, seed + 1)[0].float() / 10
    network = nn.Sequential(layer, nn.Unflatten(1, (1, 4, 4))).eval()
    return network, layer.weight.detach().numpy(), layer.bias.detach().numpy()


def test_inversion_of_a_linear_generator_is_least_squares(monkeypatch: pytest.MonkeyPatch) -> None:
    network, weight, bias = linear(3)
    x = rows_of(50, 16, 5).float() / 2
    target = (x.numpy() - bias).T
    solution = np.linalg.lstsq(weight, target, rcond=None)[0]
    expected = np.square((weight @ solution - target) / 2).mean(0)
    starts = rows_of(100, 3, 6).float().view(2, 50, 3)
    with torch.no_grad():
        found = inversion.invert(network, x.view(50, 1, 4, 4), starts, steps=400)
        monkeypatch.setattr(inversion, "CHUNK", 7)
        parts = inversion.invert(network, x.view(50, 1, 4, 4), starts, steps=400)
    assert np.allclose(found, expected, rtol=1e-3, atol=1e-6)
    assert torch.allclose(found, parts, rtol=1e-4)
    assert all(p.grad is None and p.requires_grad for p in network.parameters())


def test_images_within_reach_are_found_and_starts_count() -> None:
    network = linear(3)[0]
    with torch.no_grad():
        z = rows_of(40, 3, 7).float()
        x = network(z)
        found = inversion.invert(network, x, rows_of(80, 3, 8).float().view(2, 40, 3))
        assert float(found.max()) < 1e-4
        far = torch.full((1, 40, 3), 9.0)
        own = inversion.squared_error(x, network(far[0]))
        assert torch.equal(inversion.invert(network, x, far, steps=0), own)
        assert (inversion.invert(network, x, torch.cat([far, z[None]]), steps=3) < 1e-12).all()
        assert float(own.mean()) == pytest.approx(reconstruction.mse(x, network(far[0])))


def test_share_of_the_generator() -> None:
    own = torch.tensor([0.2, 0.4])
    assert inversion.inversion_share(own, torch.tensor([0.1, 0.05])) == pytest.approx(0.25)
    assert inversion.inversion_share(own, own) == 1
    with pytest.raises(ValueError, match="not among the starts"):
        inversion.inversion_share(own, torch.tensor([0.1, 0.5]))
    with pytest.raises(Undefined, match="inversion_share needs reconstructions with an error"):
        inversion.inversion_share(0 * own, 0 * own)


def test_inversion_refuses_training_mode_and_missing_latents() -> None:
    network, x = linear(3)[0], torch.zeros(4, 1, 4, 4)
    with pytest.raises(Undefined, match="one latent per image"):
        inversion.invert(network, x, torch.zeros(2, 3, 3))
    with pytest.raises(ValueError, match="eval mode"):
        inversion.invert(network.train(), x, torch.zeros(1, 4, 3))
