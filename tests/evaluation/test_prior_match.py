"""Codes against the prior, and the way between two draws."""

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from scipy import linalg, stats
from torch import Tensor

from benchmarks.evaluation.measures import Row, measure
from benchmarks.evaluation.metrics import fidelity, prior_match
from benchmarks.evaluation.metrics.undefined import Undefined
from benchmarks.evaluation.questions import of_prior_match
from benchmarks.evaluation.registry import METRICS
from zoo.priors import Normal, Uniform

N, D = 4000, 20


def normal(n: int = N, d: int = D, seed: int = 0) -> Tensor:
    g = torch.Generator().manual_seed(seed)
    return torch.randn(n, d, generator=g, dtype=torch.double)


def shell(z: Tensor) -> Tensor:
    return z / z.norm(dim=1, keepdim=True) * math.sqrt(z.shape[1])


def equicorrelated(z: Tensor) -> Tensor:
    return math.sqrt(0.7) * z + math.sqrt(0.3) * normal(len(z), 1, 9)


def uniform_marginals(z: Tensor) -> Tensor:
    return math.sqrt(3) * (2 * torch.special.ndtr(z) - 1)


def one_dead(z: Tensor) -> Tensor:
    return torch.cat([torch.zeros_like(z[:, :1]), z[:, 1:]], dim=1)


# defect -> how to build it, and the metrics that must see it; no other may
DEFECTS: dict[str, tuple[Callable[[Tensor], Tensor], set[str]]] = {
    "narrow": (
        lambda z: 0.8 * z,
        {"code_frechet", "code_sliced_wasserstein", "code_ks", "code_norm_ks", "code_std"},
    ),
    "wide": (
        lambda z: 1.2 * z,
        {"code_frechet", "code_sliced_wasserstein", "code_ks", "code_norm_ks", "code_std"},
    ),
    "shifted": (
        lambda z: z + 0.2,
        {"code_frechet", "code_sliced_wasserstein", "code_ks", "code_mean", "code_norm_ks"},
    ),
    "one dimension dead": (
        one_dead,
        {"code_frechet", "code_sliced_wasserstein", "code_ks", "code_norm_ks", "code_std"},
    ),
    "correlated": (
        equicorrelated,
        {"code_frechet", "code_sliced_wasserstein", "code_norm_ks"},
    ),
    "uniform marginals": (uniform_marginals, {"code_ks", "code_norm_ks"}),
    "shell": (shell, {"code_norm_ks"}),
}  # fmt: skip
TIMES = 2.0
"""A metric sees a defect if it is so many times what draws of the prior reach."""


def bad(row: Row) -> dict[str, float]:
    """Return each metric as a distance from its ideal."""
    return {n: abs(v - 1) if n == "code_std" else v for n, v in row.metrics.items()}


@pytest.fixture(scope="module")
def null() -> dict[str, float]:
    """The worst of several sets of draws, by metric."""
    rows = [bad(measure(of_prior_match(lambda s=s: normal(seed=s)))) for s in range(1, 6)]  # type: ignore[misc]
    return {name: max(row[name] for row in rows) for name in rows[0]}


def test_every_metric_of_latents_is_here(null: dict[str, float]) -> None:
    of_question = {name for name, m in METRICS.items() if m.question == "latents"}
    assert set(null) == of_question - {"interpolation_unevenness"}
    assert set().union(*(seen for _, seen in DEFECTS.values())) == set(null)


def test_draws_of_the_prior_are_near_the_ideal(null: dict[str, float]) -> None:
    assert null["code_frechet"] == pytest.approx(D / N + D**2 / 4 / N, rel=0.3)
    assert null["code_sliced_wasserstein"] < 0.005
    assert null["code_ks"] < 0.02
    assert null["code_norm_ks"] < 0.03
    assert null["code_mean"] < 0.02
    assert null["code_std"] < 0.01


@pytest.mark.parametrize("defect", DEFECTS)
def test_which_metric_sees_which_defect(defect: str, null: dict[str, float]) -> None:
    build, expected = DEFECTS[defect]
    found = bad(measure(of_prior_match(lambda: build(normal()))))
    assert {name for name, value in found.items() if value > TIMES * null[name]} == expected


def test_sizes_of_defects_by_hand() -> None:
    z = normal(6000)
    assert prior_match.frechet_to_normal(0.5 * z) == pytest.approx(D * 0.25, rel=0.02)
    assert prior_match.frechet_to_normal(z + 2) == pytest.approx(D * 4, rel=0.02)
    assert prior_match.sliced_wasserstein(0.5 * z) == pytest.approx(0.25, rel=0.02)
    shift = torch.zeros(D).double()
    shift[3] = 4  # a random direction sees 1 / d of its square
    assert prior_match.sliced_wasserstein(z + shift) == pytest.approx(16 / D, rel=0.15)
    assert prior_match.mean_offset(z + shift) == pytest.approx(4 / D, abs=0.01)
    assert prior_match.mean_offset(z - 2) == pytest.approx(2, rel=0.01)
    assert prior_match.mean_std(3 * z + 5) == pytest.approx(3, rel=0.01)
    assert prior_match.mean_ks(z + 100) == pytest.approx(1)
    assert prior_match.norm_ks(10 * z) == pytest.approx(1, abs=1e-3)


def test_frechet_against_scipy_and_against_that_of_samples() -> None:
    g = np.random.default_rng(0)
    code = torch.tensor(g.normal(size=(600, 5)) @ g.normal(size=(5, 5)) + g.normal(size=5))
    covariance, mean = np.cov(code.T), code.mean(0).numpy()
    root = linalg.sqrtm(covariance).real
    expected = mean @ mean + np.trace(covariance) + 5 - 2 * np.trace(root)
    assert prior_match.frechet_to_normal(code) == pytest.approx(expected, rel=1e-9)
    draws = fidelity.fid(code, normal(200_000, 5))
    assert draws == pytest.approx(expected, rel=0.02)


def test_ks_against_scipy() -> None:
    code = 0.9 * normal(500, 3) + 0.1
    by_dimension = [stats.ks_1samp(code[:, i].numpy(), stats.norm.cdf).statistic for i in range(3)]
    assert prior_match.mean_ks(code) == pytest.approx(np.mean(by_dimension))
    squared = (code**2).sum(1).numpy()
    expected = stats.ks_1samp(squared, stats.chi2(3).cdf).statistic
    assert prior_match.norm_ks(code) == pytest.approx(expected)


def test_one_dimension_is_enough_and_one_row_is_not() -> None:
    row = measure(of_prior_match(lambda: normal(1000, 1)))
    assert len(row.metrics) == 6
    assert row.metrics["code_frechet"] < 0.02
    row = measure(of_prior_match(lambda: normal(1)))
    assert set(row.metrics) == {"code_mean"}
    for name, why in row.undefined.items():
        assert why.startswith(f"{name} needs at least 2 rows")
    assert not measure(of_prior_match(lambda: normal() * torch.nan)).metrics


# coordinates


def test_uniform_draws_become_normal_and_come_back() -> None:
    prior = Uniform(D)
    z = prior.sample(N, torch.Generator().manual_seed(0))
    gaussian = prior_match.gaussianised(prior, z)
    assert gaussian.dtype == torch.double
    assert prior_match.frechet_to_normal(gaussian) < 0.05
    assert prior_match.mean_ks(gaussian) < 0.02
    assert torch.allclose(prior_match.latents_of(prior, gaussian), z, atol=1e-5)
    by_hand = stats.norm.ppf((z[:5].double().numpy() + 1) / 2)
    assert np.allclose(gaussian[:5], by_hand)


def test_codes_outside_of_a_uniform_prior_go_to_its_edge() -> None:
    codes = torch.tensor([[-7.0, -1.0, 0.0, 1.0, 3.0]])
    edge = -stats.norm.ppf(1e-6)
    found = prior_match.gaussianised(Uniform(5), codes)[0]
    assert found.tolist() == pytest.approx([-edge, -edge, 0, edge, edge], abs=1e-4)


def test_normal_codes_stay_and_other_priors_are_refused() -> None:
    z = normal(5).float()
    assert torch.equal(prior_match.gaussianised(Normal(D), z), z.double())
    assert torch.equal(prior_match.latents_of(Normal(D), z.double()), z)
    with pytest.raises(TypeError, match="no standard normal coordinates"):
        prior_match.gaussianised(object(), z)  # type: ignore[arg-type]


# the way between two draws


def test_great_circles_keep_the_prior_and_end_at_the_ends() -> None:
    start, end = normal(seed=1), normal(seed=2)
    path = prior_match.great_circles(start, end)
    assert path.shape == (17, N, D)
    assert torch.allclose(path[0], start)
    assert torch.allclose(path[-1], end)
    for points in path:
        assert prior_match.frechet_to_normal(points) < 0.05
        assert prior_match.norm_ks(points) < 0.04
    straight = (start + end) / 2
    assert prior_match.norm_ks(straight) > 0.5  # which is why


def test_unevenness_by_hand() -> None:
    steps = torch.arange(17.0)[:, None, None] * torch.ones(1, 2, 3)
    assert prior_match.unevenness(steps) == pytest.approx(1)
    jump = (torch.arange(17) > 8).float()[:, None, None] * torch.ones(1, 2, 3)
    assert prior_match.unevenness(jump) == pytest.approx(16)
    both = torch.cat([steps, jump], dim=1)
    assert prior_match.unevenness(both) == pytest.approx((1 + 16) / 2)
    still = torch.cat([steps, torch.zeros(17, 2, 3)], dim=1)
    assert prior_match.unevenness(still) == pytest.approx(1)  # pairs that do not move are left out
    with pytest.raises(Undefined, match="interpolation_unevenness needs images that change"):
        prior_match.unevenness(torch.zeros(17, 4, 3))
