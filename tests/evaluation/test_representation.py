"""Metrics of E(x) by labels and by measured factors."""

import os
import warnings
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from torch import Tensor

from benchmarks.evaluation.evaluate import evaluate
from benchmarks.evaluation.measures import Row, measure, merged
from benchmarks.evaluation.metrics import representation
from benchmarks.evaluation.metrics.undefined import Undefined
from benchmarks.evaluation.questions import of_code, of_representation
from benchmarks.evaluation.real_data import Reference
from benchmarks.evaluation.registry import METRICS
from benchmarks.evaluation.scoring import scoring_copy
from datasets.images import to_range
from datasets.loading import load
from tests.evaluation.worsened import assert_ordered
from tests.helpers import tiny_game

ACCURACIES = ("knn1_accuracy", "knn5_accuracy", "probe_accuracy", "few10_accuracy",
              "few100_accuracy")  # fmt: skip
CODE_ONLY = {"crelu_probe_accuracy_code", "factors_r2_code", "disentanglement_code",
             "completeness_code", "inactive_code"}  # fmt: skip


def blobs(n: int, spread: float, seed: int) -> tuple[Tensor, Tensor]:
    g = torch.Generator().manual_seed(seed)
    y = torch.arange(n) % 3
    centres = torch.tensor([[0.0, 0.0], [5.0, 0.0], [0.0, 5.0]])
    return centres[y] + spread * torch.randn(n, 2, generator=g), y


def normal(n: int, d: int, seed: int = 0) -> Tensor:
    return torch.randn(n, d, generator=torch.Generator().manual_seed(seed))


# directions and sizes, on codes built from pixels


@pytest.fixture(scope="module")
def rows(reference: Reference) -> dict[str, Row]:
    train, test = (to_range(s.images).flatten(1) for s in (reference.train, reference.test))
    mean = train.mean(0)
    basis = torch.linalg.svd(train - mean, full_matrices=False).Vh[:10].T
    train, test = (train - mean) @ basis, (test - mean) @ basis
    scale = train.std(0)
    train, test = train / scale, test / scale
    cases = {
        "good": (train, test),
        "noisy": (train + normal(len(train), 10), test + normal(len(test), 10, 1)),
        "unrelated": (normal(len(train), 10), normal(len(test), 10, 1)),
        "half dead": tuple(x * (torch.arange(10) < 5) for x in (train, test)),
        "constant": (torch.zeros_like(train), torch.zeros_like(test)),
    }

    def row(train: Tensor, test: Tensor) -> Row:
        parts = [of_representation(lambda: train, lambda: test, name, reference)
                 for name in ("code", "features")]  # fmt: skip
        return measure(merged(*parts, of_code(lambda: train, lambda: test, reference, 1.0)))

    return {name: row(*pair) for name, pair in cases.items()}


def test_every_metric_of_representation_is_measured(rows: dict[str, Row]) -> None:
    expected = {name for name, m in METRICS.items() if m.question == "representation"}
    expected.remove("knn1_50k_accuracy_features")  # of data with more images than these
    assert set(rows["good"].metrics) == expected
    both = {f"{name}_{end}" for name in (*ACCURACIES, "effective_rank")
            for end in ("code", "features")}  # fmt: skip
    assert expected == both | CODE_ONLY | {"probe_converged"}


@pytest.mark.parametrize(
    "metric",
    [f"{name}_{end}" for name in ACCURACIES for end in ("code", "features")]
    + ["crelu_probe_accuracy_code", "factors_r2_code"],
)
def test_order_of_representations(rows: dict[str, Row], metric: str) -> None:
    assert_ordered(rows, metric, ("good", "noisy", "unrelated"))
    assert_ordered(rows, metric, ("good", "half dead", "unrelated"))
    if metric != "factors_r2_code":
        assert rows["good"].metrics[metric] > 0.75
        assert rows["unrelated"].metrics[metric] == pytest.approx(0.1, abs=0.05)
        assert rows["constant"].metrics[metric] == pytest.approx(0.1, abs=0.03)


def test_more_labels_help_and_crelu_reads_more(rows: dict[str, Row]) -> None:
    good = rows["good"].metrics
    assert good["few10_accuracy_code"] < good["few100_accuracy_code"] < good["probe_accuracy_code"]
    assert good["probe_accuracy_code"] < good["crelu_probe_accuracy_code"]
    assert good["probe_converged"] == 1


def test_ranks_and_inactive_dimensions(rows: dict[str, Row]) -> None:
    rank = {name: row.metrics.get("effective_rank_code") for name, row in rows.items()}
    assert rank["good"] == pytest.approx(10, abs=0.5)
    assert rank["half dead"] == pytest.approx(5, abs=0.3)
    assert rank["constant"] is None
    inactive = {name: row.metrics["inactive_code"] for name, row in rows.items()}
    assert inactive == {
        "good": 0, "noisy": 0, "unrelated": 0, "half dead": 0.5, "constant": 1
    }  # fmt: skip


def test_a_constant_code_is_scored_as_bad(rows: dict[str, Row]) -> None:
    row = rows["constant"]
    assert set(row.undefined) == {"effective_rank_code", "effective_rank_features"}
    assert row.metrics["factors_r2_code"] == pytest.approx(0, abs=0.05)
    assert row.metrics["disentanglement_code"] == row.metrics["completeness_code"] == 0


def test_non_finite_codes_have_no_metrics(reference: Reference) -> None:
    train, test = normal(1297, 3), normal(500, 3)
    test[2, 1] = torch.nan
    parts = of_representation(lambda: train, lambda: test, "code", reference)
    row = measure(merged(parts, of_code(lambda: train, lambda: test, reference, 1.0)))
    assert not row.metrics


# neighbours


def test_neighbours_are_plain_euclidean() -> None:
    gallery = torch.tensor([[0.0, 0.0], [10.0, 0.0]])
    queries = torch.tensor([[4.0, 0.0], [6.0, 0.0], [4.9, 100.0]])
    for offset in (0.0, 1e3):  # far from the origin careless distances lose their digits
        found = representation.neighbour_labels(
            gallery + offset, torch.tensor([7, 8]), queries + offset, 2
        )
        assert found.tolist() == [[7, 8], [8, 7], [7, 8]]


@pytest.mark.parametrize("k", [1, 5])
def test_votes_are_those_of_scikit_learn(k: int) -> None:
    (a, ya), (b, yb) = blobs(190, 3.0, 0), blobs(160, 3.0, 1)
    expected = KNeighborsClassifier(k, algorithm="brute").fit(a, ya).score(b, yb)
    neighbours = representation.neighbour_labels(a, ya, b, 5)[:, :k]
    assert representation.vote_accuracy(neighbours, yb) == pytest.approx(expected)
    assert 0.5 < expected < 0.95


def test_a_tie_goes_to_the_lowest_label() -> None:
    votes = torch.tensor([[3, 1, 1, 3, 2], [2, 2, 0, 0, 1], [4, 3, 2, 1, 0]])
    assert representation.vote_accuracy(votes, torch.tensor([1, 0, 0])) == 1


# the probe


def sharp_probe(x: np.ndarray, y: Tensor) -> LogisticRegression:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return LogisticRegression(C=1.0, tol=1e-8, max_iter=5000).fit(x.astype(np.float64), y)


@pytest.mark.parametrize("spread", [1.0, 3.0])
def test_probe_is_that_of_scikit_learn(spread: float) -> None:
    (a, ya), (b, yb) = blobs(300, spread, 0), blobs(200, spread, 1)
    mix = normal(2, 4, 5)  # two of four dimensions are combinations of the others
    a, b = (torch.cat([x, x @ mix + 0.1 * normal(len(x), 4)], 1) for x in (a, b))
    train, test = representation.standardised(a, b)
    assert np.allclose(train.mean(0), 0, atol=1e-5)
    assert np.allclose(train.std(0), 1, atol=1e-5)
    other = sharp_probe(train, ya)
    weights, bias, converged = representation.fit_probe(torch.from_numpy(train), ya)
    assert converged
    assert np.allclose(weights, other.coef_, atol=5e-3)
    assert np.allclose(bias - bias.mean(), other.intercept_ - other.intercept_.mean(), atol=5e-3)

    def loss(w: np.ndarray, c: np.ndarray) -> float:
        log_p = torch.log_softmax(torch.from_numpy(train @ w.T + c), 1)
        return float(-log_p[torch.arange(300), ya].mean() + (w**2).sum() / 2 / 300)

    found = loss(weights.double().numpy(), bias.double().numpy())
    assert found == pytest.approx(loss(other.coef_, other.intercept_), rel=1e-5)
    accuracy, _ = representation.probe_accuracy(a, ya, b, yb)
    assert accuracy == pytest.approx(other.score(test.astype(np.float64), yb), abs=0.006)


def test_probe_separates_what_is_separable_and_ignores_scale() -> None:
    (a, ya), (b, yb) = blobs(300, 0.3, 0), blobs(150, 0.3, 1)
    assert representation.probe_accuracy(a, ya, b, yb) == (1.0, True)
    scale = torch.tensor([1e-2, 1e3])
    assert representation.probe_accuracy(a * scale, ya, b * scale, yb) == (1.0, True)
    dead = torch.nn.functional.pad(a, (0, 1)), torch.nn.functional.pad(b, (0, 1), value=9.0)
    assert representation.probe_accuracy(dead[0], ya, dead[1], yb) == (1.0, True)
    shuffled = ya[torch.randperm(300, generator=torch.Generator().manual_seed(0))]
    assert representation.probe_accuracy(a, shuffled, b, yb)[0] < 0.6


def test_crelu_probe_reads_what_a_linear_one_cannot() -> None:
    x = normal(600, 1)
    y = (x[:, 0].abs() > 0.7).long()
    train, test = (x[:400], y[:400]), (x[400:], y[400:])
    assert representation.probe_accuracy(*train, *test)[0] < 0.7
    assert representation.crelu_probe_accuracy(*train, *test)[0] > 0.95


def test_probe_flags_what_did_not_converge(
    monkeypatch: pytest.MonkeyPatch, reference: Reference
) -> None:
    monkeypatch.setattr(representation, "MAX_ITERATIONS", 1)
    (a, ya), (b, yb) = blobs(300, 3.0, 0), blobs(150, 3.0, 1)
    assert representation.probe_accuracy(a, ya, b, yb)[1] is False
    flags = merged({"probe_converged_a": lambda: 1.0}, {"probe_converged_b": lambda: 0.0})
    assert measure(flags).metrics == {"probe_converged": 0.0}


def test_few_labels_are_few_and_of_each_class() -> None:
    (a, ya), (b, yb) = blobs(300, 0.3, 0), blobs(90, 0.3, 1)
    assert representation.few_label_accuracy(a, ya, b, yb, 10) == 1
    again = [representation.few_label_accuracy(a, ya, b + 3, yb, 2) for _ in range(2)]
    assert again[0] == again[1], "the draws are not fixed"
    with pytest.raises(Undefined, match="few101_accuracy needs 101 images of each class, got 100"):
        representation.few_label_accuracy(a, ya, b, yb, 101)


def test_one_class_only_is_undefined() -> None:
    x, y = normal(50, 2), torch.zeros(50, dtype=torch.long)
    with pytest.raises(Undefined, match="probe_accuracy needs at least two classes"):
        representation.probe_accuracy(x, y, x, y)


def test_effective_rank_by_hand() -> None:
    axes = torch.cat([torch.eye(7)[:3], -torch.eye(7)[:3]])  # equal variance in 3 directions of 7
    assert representation.effective_rank(axes + 2) == pytest.approx(3)
    rotation = torch.linalg.qr(normal(7, 7)).Q
    assert representation.effective_rank(axes @ rotation) == pytest.approx(3, rel=1e-5)
    share = np.array([0.8, 0.2])
    two = torch.tensor([[2.0, 0.0], [-2.0, 0.0], [0.0, 1.0], [0.0, -1.0]])
    expected = np.exp(-(share * np.log(share)).sum())
    assert representation.effective_rank(two) == pytest.approx(expected)


def test_inactive_share_is_of_the_priors_variance() -> None:
    x = normal(4000, 4) * torch.tensor([1.0, 0.2, 0.05, 0.0])
    assert representation.inactive_share(x, 1.0) == 0.5
    assert representation.inactive_share(x, 1 / 9) == 0.25


@pytest.mark.mnist
@pytest.mark.long
@pytest.mark.skipif("BIGAN_DATA" not in os.environ, reason="$BIGAN_DATA is not set")
def test_raw_pixels_of_mnist() -> None:
    """About half a minute."""
    images = load("mnist", offline=True)
    train, test = (
        SimpleNamespace(x=s.images.flatten(1).float() / 255, y=s.labels)
        for s in (images.train, images.test)
    )
    neighbours = representation.neighbour_labels(train.x, train.y, test.x, 1)
    assert representation.vote_accuracy(neighbours, test.y) == 0.9691


def test_a_gallery_of_at_most_so_many(reference: Reference, monkeypatch) -> None:
    """The authors' code searches some of the training images: scikit-learn on the same ones."""
    monkeypatch.setattr(representation, "GALLERY", 300)
    copy = scoring_copy(tiny_game("bigan"), reference.images.train, reference.protocol)
    found = evaluate(copy, reference, ["knn1_50k_accuracy_features"])[""].metrics
    some = reference.real.order[:300]
    with torch.no_grad():
        train, test = (
            copy.features(to_range(split.images)).numpy()
            for split in (reference.train, reference.test)
        )
    neighbours = KNeighborsClassifier(1).fit(train[some], reference.train.labels[some])
    accuracy = neighbours.score(test, reference.test.labels)
    assert found == {"knn1_50k_accuracy_features": pytest.approx(accuracy)}
