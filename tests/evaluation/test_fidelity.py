"""Metrics on features: known cases, symmetries, and sets that cannot be measured."""

import random
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from benchmarks.evaluation.metrics import fidelity

N, WIDTH = 300, 6

# metric -> its name in errors, and the fewest samples of width 6 that it takes
PAIRS: dict[str, tuple[Callable[[Tensor, Tensor], Any], str, int]] = {
    "fid": (fidelity.fid, "fid_hybrid", 60),
    "kid": (fidelity.kid, "kid_hybrid", 2),
    "precision_recall": (fidelity.precision_recall, "precision_recall", 4),
}


def normal(seed: int, n: int = N, shift: float = 0.0, scale: float = 1.0) -> Tensor:
    draws = torch.randn(n, WIDTH, generator=torch.Generator().manual_seed(seed))
    return shift + scale * draws


def shuffled(x: Tensor, seed: int = 9) -> Tensor:
    return x[torch.randperm(len(x), generator=torch.Generator().manual_seed(seed))]


# precision and recall: which is which


def test_collapsed_samples_have_precision_and_no_recall() -> None:
    real = normal(0)
    collapsed = real[:1] + 1e-3 * normal(1)
    precision, recall = fidelity.precision_recall(collapsed, real)
    assert precision == 1
    assert recall < 0.02


def test_noisy_samples_have_recall_and_little_precision() -> None:
    precision, recall = fidelity.precision_recall(normal(1, scale=4.0), normal(0))
    assert precision < 0.2
    assert recall > 0.9


def test_precision_and_recall_swap_with_the_sets() -> None:
    a, b = normal(0), normal(1, n=200, shift=0.5, scale=1.5)
    assert fidelity.precision_recall(a, b) == fidelity.precision_recall(b, a)[::-1]
    assert fidelity.precision_recall(a, a) == (1, 1)


@pytest.mark.parametrize("offset", [0.0, 1e4])
def test_precision_and_recall_against_a_loop_in_blocks_and_off_centre(
    monkeypatch: pytest.MonkeyPatch, offset: float
) -> None:
    monkeypatch.setattr(fidelity, "DISTANCE_BLOCK", 17)
    a, b = normal(0, n=90).double() + offset, normal(1, n=70, scale=2.0).double() + offset

    def share(queries: Tensor, gallery: Tensor) -> float:
        own = (gallery[:, None] - gallery[None]).norm(dim=2).sort(dim=1).values[:, 3]
        return float(((queries[:, None] - gallery[None]).norm(dim=2) <= own).any(1).double().mean())

    expected = (share(a, b), share(b, a))
    assert fidelity.precision_recall(a, b) == pytest.approx(expected, abs=1e-6)


# what holds of every metric


@pytest.mark.parametrize("metric", ["fid", "kid"])
def test_distances_are_symmetric_and_near_zero_for_equal_sets(metric: str) -> None:
    distance = PAIRS[metric][0]
    a, b = normal(0), normal(1, shift=0.5)
    assert distance(a, b) > 0.1
    assert distance(a, b) == pytest.approx(distance(b, a), rel=1e-5)
    # the unbiased kernel distance leaves equal pairs out of two of its three sums: below zero
    assert -0.2 < distance(a, a) < 1e-5
    if metric == "fid":
        assert distance(a, a) == pytest.approx(0, abs=1e-5)


@pytest.mark.parametrize("metric", PAIRS)
def test_order_of_samples_does_not_matter(metric: str) -> None:
    distance = PAIRS[metric][0]
    a, b = normal(0), normal(1, shift=0.5)
    assert distance(shuffled(a), shuffled(b, 8)) == pytest.approx(distance(a, b), rel=1e-4)


def test_kid_takes_the_smaller_set_whole_whichever_it_is() -> None:
    small, large = normal(0, n=100), normal(1, n=1000, shift=0.5)
    for swap in (False, True):
        pair = (large, small) if swap else (small, large)
        again = (large, shuffled(small)) if swap else (shuffled(small), large)
        assert fidelity.kid(*again) == pytest.approx(fidelity.kid(*pair), rel=1e-4)
        assert fidelity.kid(*pair) == pytest.approx(fidelity.kid(normal(2, 1000), large), rel=0.5)


def test_kid_is_unbiased() -> None:
    values = [fidelity.kid(normal(2 * i, n=40), normal(2 * i + 1, n=40)) for i in range(200)]
    mean, error = np.mean(values), np.std(values) / np.sqrt(len(values))
    assert abs(mean) < 3 * error
    assert error < 0.02


def test_inception_score_survives_a_class_of_no_probability() -> None:
    assert fidelity.inception_score(torch.tensor([[2000.0, 0.0]] * 3)) == pytest.approx(1)
    sure = 2000 * torch.eye(4)
    assert fidelity.inception_score(torch.cat([sure, sure])) == pytest.approx(4, rel=1e-6)
    logits = 3 * normal(0)
    assert fidelity.inception_score(shuffled(logits)) == pytest.approx(
        fidelity.inception_score(logits), rel=1e-6
    )


def test_global_random_states_stay_as_they_are() -> None:
    states = random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state()  # noqa: NPY002
    for distance, _, _ in PAIRS.values():
        distance(normal(0), normal(1, n=400))
    fidelity.inception_score(normal(0))
    assert random.getstate() == states[0]
    assert np.random.get_state()[1].tolist() == states[1]  # noqa: NPY002
    assert torch.equal(torch.get_rng_state(), states[2])


# what cannot be measured


@pytest.mark.parametrize("metric", PAIRS)
def test_sets_that_cannot_be_compared_are_refused_by_name(metric: str) -> None:
    distance, name, least = PAIRS[metric]
    good = normal(0)
    distance(good[:least], normal(1)[:least])  # the fewest it takes
    cases = {
        f"{name} needs at least {least} samples": good[: least - 1],
        f"{name}: .* with non-finite values": torch.where(good > 2, torch.inf, good),
        f"{name}: .* must be floating point": good.flatten(),
        f"{name}: .* differ in width": torch.cat([good, good], 1)[:, :5],
        f"{name}: .* differ in width or type": good.double(),
    }
    for message, bad in cases.items():
        for pair in ((bad, good), (good, bad)):
            with pytest.raises(ValueError, match=message):
                distance(*pair)
    for bad in (torch.tensor(1.0), good[:, :1], good.int(), torch.full_like(good, torch.nan)):
        with pytest.raises(ValueError, match=name):
            distance(bad, good)


@pytest.mark.parametrize("metric", PAIRS)
def test_a_constant_reference_is_refused_and_constant_samples_are_measured(metric: str) -> None:
    distance, name, _ = PAIRS[metric]
    good, constant = normal(0), torch.zeros(N, WIDTH)
    with pytest.raises(ValueError, match=f"{name}: all reference features are equal"):
        distance(good, constant)
    if metric == "precision_recall":
        assert distance(constant, good) == (1, 0)
    else:  # a collapsed generator is worse than a shifted one
        assert distance(constant, good) > distance(normal(1, shift=0.2), good)
    if metric == "fid":  # in closed form: no mean, no covariance
        mean, covariance = good.double().mean(0), good.double().T.cov().trace()
        assert distance(constant, good) == pytest.approx(
            float(mean.square().sum() + covariance), rel=1e-5
        )


def test_errors_use_the_name_that_is_given() -> None:
    with pytest.raises(ValueError, match="fid_inception needs at least 60 samples"):
        fidelity.fid(normal(0, n=9), normal(1), name="fid_inception")
    with pytest.raises(ValueError, match="kid_inception needs"):
        fidelity.kid(normal(0, n=1), normal(1), name="kid_inception")
    with pytest.raises(ValueError, match="is_inception needs"):
        fidelity.inception_score(normal(0, n=1), name="is_inception")


@pytest.mark.parametrize(
    "logits",
    [normal(0, n=0), normal(0, n=1), normal(0)[0], torch.full((9, 4), torch.nan)],
    ids=["none", "one", "1-D", "NaN"],
)
def test_inception_score_refuses_by_name(logits: Tensor) -> None:
    with pytest.raises(ValueError, match="is_hybrid"):
        fidelity.inception_score(logits)
