"""Metrics of samples on failures built from real images."""

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from benchmarks.evaluation.extractors.extractor import extract
from benchmarks.evaluation.measures import Row, measure
from benchmarks.evaluation.questions import of_samples
from benchmarks.evaluation.real_data import Real, Reference
from benchmarks.evaluation.registry import METRICS
from datasets.images import to_range
from tests.evaluation.worsened import assert_ordered, blurred, noisy, repeated, truncated

HALF = 648

# metric -> chains of cases from good to bad, in the metric's own direction
ORDERS = {
    "fid_hybrid": [
        ("memorised", "real", "noise .05", "noise .2", "noise .5", "black"),
        ("real", "blur .5", "blur 1"),
        ("real", "rare class", "one class lost", "five classes lost"),
        ("real", "100 images", "10 images", "mean image"),
        ("real", "PCA 10", "PCA 5"),
        ("real", "shift"),
        # what the hybrid extractor is for: total collapse is worse than slight blur or noise
        ("blur .5", "10 images"),
        ("noise .2", "10 images"),
    ],
    "coverage_hybrid": [
        ("memorised", "real", "noise .2", "noise .5", "black"),
        ("real", "blur .5", "blur 1"),
        ("real", "rare class", "one class lost", "five classes lost", "one class"),
        ("real", "100 images", "10 images", "mean image"),
        ("real", "PCA 10", "PCA 5"),
    ],
    "kid_hybrid": [
        ("real", "noise .05", "noise .2", "noise .5"),
        ("real", "blur .5", "blur 1"),
        ("real", "one class lost", "five classes lost", "one class"),
        ("real", "100 images", "10 images"),
        ("real", "PCA 10", "PCA 5"),
        ("blur .5", "10 images"),
    ],
    "is_hybrid": [
        ("real", "noise .2", "noise .5", "mean image"),
        ("real", "one class lost", "five classes lost", "one class"),
    ],
    "precision_hybrid": [
        ("memorised", "real", "noise .2", "noise .5", "black"),
        ("real", "blur 1"),
        ("10 images", "real"),  # blind to collapse
    ],
    "recall_hybrid": [
        ("memorised", "real", "noise .2", "noise .5", "100 images"),
        ("real", "one class lost", "five classes lost", "one class"),
        ("real", "blur .5", "blur 1"),
    ],
    "density_hybrid": [("real", "noise .2", "noise .5"), ("real", "10 images"), ("real", "blur 1")],
    "classes_covered": [("real", "one class lost", "five classes lost", "one class")],
    "class_kl": [("real", "rare class", "one class lost", "five classes lost", "one class")],
    "nearest_real_ratio": [
        ("real", "noise .2", "noise .5", "black"),
        ("real", "mean image"),
        ("real", "memorised"),
    ],
    "nearest_sample_ratio": [
        ("memorised", "real", "noise .2", "noise .5"),
        ("real", "one class lost", "five classes lost", "one class"),
        ("real", "100 images", "10 images"),
    ],
    "copy_rate": [("real", "memorised")],
    "near_duplicates": [("real", "10 images"), ("noise .5", "100 images")],
    "hf_ratio": [
        ("real", "noise .2", "noise .5"),
        ("real", "blur .5", "blur 1", "black"),
        ("real", "PCA 10", "PCA 5", "mean image"),
    ],
}

# (case, metric) -> value, absolute tolerance
SIZES = {
    ("real", "coverage_hybrid"): (1 - 2**-5, 0.02),  # the same at every size
    ("real", "kid_hybrid"): (0, 0.02),
    ("real", "is_hybrid"): (9.8, 0.2),
    ("real", "precision_hybrid"): (0.9, 0.05),
    ("real", "recall_hybrid"): (0.9, 0.05),
    ("real", "density_hybrid"): (0.95, 0.1),
    ("real", "classes_covered"): (10, 0),
    ("real", "class_kl"): (9 / 2 / HALF, 0.01),
    ("real", "nearest_real_ratio"): (1, 0.05),
    ("real", "nearest_sample_ratio"): (1, 0.05),
    ("real", "copy_rate"): (0.5, 0.08),
    ("real", "near_duplicates"): (0, 0),
    ("real", "hf_ratio"): (1, 0.05),
    ("memorised", "fid_hybrid"): (0, 1e-3),
    ("memorised", "coverage_hybrid"): (1, 0),
    ("memorised", "precision_hybrid"): (1, 0),
    ("memorised", "recall_hybrid"): (1, 0),
    ("memorised", "nearest_real_ratio"): (0, 1e-6),
    ("memorised", "nearest_sample_ratio"): (1, 1e-6),
    ("memorised", "copy_rate"): (0.88, 0.05),  # 500 of its 649 images are asked for
    ("one class lost", "coverage_hybrid"): (0.9 * (1 - 2**-5), 0.03),  # loses its mass
    ("one class lost", "classes_covered"): (9, 0),
    ("one class lost", "class_kl"): (-math.log(0.9), 0.02),
    ("five classes lost", "classes_covered"): (5, 0),
    ("five classes lost", "class_kl"): (math.log(2), 0.03),
    ("five classes lost", "is_hybrid"): (5, 0.1),
    ("one class", "is_hybrid"): (1, 0.05),
    ("one class", "class_kl"): (math.log(10), 0.05),
    ("100 images", "is_hybrid"): (9.7, 0.2),  # blind to it
    ("100 images", "recall_hybrid"): (0, 0),
    ("100 images", "near_duplicates"): (1, 0),
    ("10 images", "near_duplicates"): (1, 0),
    ("black", "hf_ratio"): (0, 0),
    ("black", "coverage_hybrid"): (0, 0),
    ("shift", "hf_ratio"): (1, 0.05),  # cyclic, so the spectrum stays
}


@pytest.fixture(scope="module")
def real(reference: Reference) -> Real:
    """One half of the training images."""
    order = torch.randperm(len(reference.train), generator=torch.Generator().manual_seed(0))[HALF:]
    features = reference.train_features[order]
    return Real(reference.train.images[order], features, reference.test_x, len(order))


@pytest.fixture(scope="module")
def fresh(reference: Reference) -> tuple[Tensor, Tensor]:
    """The other half in [-1, 1], and its labels."""
    order = torch.randperm(len(reference.train), generator=torch.Generator().manual_seed(0))[:HALF]
    return to_range(reference.train.images[order]), reference.train.labels[order]


@pytest.fixture(scope="module")
def rows(reference: Reference, real: Real, fresh: tuple[Tensor, Tensor]) -> dict[str, Row]:
    x, y = fresh
    sevens = (y == 7).cumsum(0) * (y == 7)
    cases = {
        "real": x,
        "memorised": to_range(real.images),
        "noise .05": noisy(x, 0.05),
        "noise .2": noisy(x, 0.2),
        "noise .5": noisy(x, 0.5),
        "blur .5": blurred(x, 0.5),
        "blur 1": blurred(x),
        "rare class": x[sevens <= 6],
        "one class lost": x[y != 7],
        "five classes lost": x[y < 5],
        "one class": torch.cat([noisy(x[y == 3], s) for s in (0.0, 0.01, 0.02, 0.03, 0.04)]),
        "100 images": repeated(x, 100),
        "10 images": repeated(x, 10),
        "PCA 10": truncated(x, 10),
        "PCA 5": truncated(x, 5),
        "shift": x.roll(1, dims=3),
        "mean image": x.mean(0, keepdim=True).expand_as(x),
        "black": torch.full_like(x, -1),
    }
    return {name: measure(of_samples(lambda x=x: x, reference, real)) for name, x in cases.items()}


def test_every_metric_of_samples_is_here() -> None:
    elsewhere = {"fid_sampling_sd"} | {name for name in METRICS if name.endswith("_inception")}
    assert set(ORDERS) == {n for n, m in METRICS.items() if m.question == "samples"} - elsewhere
    assert {metric for _, metric in SIZES} == set(ORDERS)


@pytest.mark.parametrize(
    ("metric", "chain"), [(metric, chain) for metric, chains in ORDERS.items() for chain in chains]
)
def test_order_of_failures(rows: dict[str, Row], metric: str, chain: tuple[str, ...]) -> None:
    assert_ordered(rows, metric, chain)


@pytest.mark.parametrize(("case", "metric"), SIZES)
def test_size(rows: dict[str, Row], case: str, metric: str) -> None:
    value, tolerance = SIZES[case, metric]
    assert rows[case].metrics[metric] == pytest.approx(value, abs=tolerance)


def test_collapsed_samples_are_scored_not_refused(rows: dict[str, Row]) -> None:
    for case in ("mean image", "black", "10 images", "one class"):
        assert not rows[case].undefined
        assert set(rows[case].metrics) == set(ORDERS)
        assert np.isfinite(list(rows[case].metrics.values())).all()


def test_order_of_samples_and_batch_mates_do_not_matter(
    reference: Reference, real: Real, fresh: tuple[Tensor, Tensor], rows: dict[str, Row]
) -> None:
    backwards = measure(of_samples(lambda: fresh[0].flip(0), reference, real)).metrics
    for name, value in rows["real"].metrics.items():
        # Between sets of unequal size KID takes a subset of the larger.
        tolerance = 5e-3 if name == "kid_hybrid" else 2e-4
        assert backwards[name] == pytest.approx(value, abs=tolerance), name
    images = reference.train.images[:130]
    whole = extract(reference.extractor, images)
    for n in (1, 7, 129):
        for part, all_of_them in zip(extract(reference.extractor, images[:n]), whole, strict=True):
            assert torch.allclose(part, all_of_them[:n], atol=1e-5)


def test_too_few_samples_leave_the_other_metrics(
    reference: Reference, fresh: tuple[Tensor, Tensor]
) -> None:
    row = measure(of_samples(lambda: fresh[0][:100], reference))
    assert set(row.undefined) == {"fid_hybrid"}
    assert "fid_hybrid needs at least 320 samples" in row.undefined["fid_hybrid"]
    assert row.metrics["near_duplicates"] == 0


def test_a_single_sample_never_crashes(reference: Reference, fresh: tuple[Tensor, Tensor]) -> None:
    row = measure(of_samples(lambda: fresh[0][:1], reference))
    assert {"fid_hybrid", "kid_hybrid", "coverage_hybrid", "near_duplicates"} <= set(row.undefined)
    assert {"hf_ratio", "class_kl", "nearest_real_ratio"} <= set(row.metrics)
    assert set(row.metrics) | set(row.undefined) == set(ORDERS)


def test_non_finite_samples_have_no_metrics(
    reference: Reference, fresh: tuple[Tensor, Tensor]
) -> None:
    x = fresh[0].clone()
    x[3, 0, 2, 2] = torch.nan
    row = measure(of_samples(lambda: x, reference))
    assert not row.metrics
    assert set(row.undefined) == set(ORDERS)
    assert all("finite" in why for why in row.undefined.values())
