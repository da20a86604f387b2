"""Sampling, encoding and evaluating one digits game; neighbours and probe beside scikit-learn's."""

from collections.abc import Callable

import pytest
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import NearestNeighbors
from torch import Tensor

from benchmarks.evaluation.evaluate import evaluate, evaluate_light
from benchmarks.evaluation.metrics import representation
from benchmarks.evaluation.metrics.samples import nearest
from benchmarks.evaluation.real_data import Reference
from benchmarks.evaluation.registry import METRICS
from benchmarks.evaluation.scoring import mapped, prior_draws, scoring_copy
from benchmarks.speed import cases, timing
from benchmarks.speed.conftest import Measure
from datasets.loading import load
from zoo.game import Game

TRAINED_STEPS = 200
HEADLINE = [name for name, metric in METRICS.items() if metric.headline]


@pytest.fixture(scope="module")
def reference() -> Reference:
    """Digits as the evaluation sees them, facts about real images computed."""
    return Reference(load("digits"))


@pytest.fixture(scope="module")
def copy(reference: Reference, tmp_path_factory: pytest.TempPathFactory) -> Game:
    """A BiGAN after a short training, ready for scoring."""
    run = cases.run_at("bigan", cases.NETWORK_SIZES["digits"])
    training = cases.training_of(run, tmp_path_factory.mktemp("run"))
    for member in training.members:
        member.data = reference.images.train
    for _ in range(TRAINED_STEPS):
        cases.step(training)
    return scoring_copy(training.members[0].game, reference.images.train, reference.protocol)


def test_sample(copy: Game, reference: Reference, measure: Measure) -> None:
    """Images from as many latents as an evaluation draws."""
    z = prior_draws(copy, reference.protocol.samples)
    measure(lambda: mapped(copy.generate, z, torch.device("cpu")))


def test_encode(copy: Game, reference: Reference, measure: Measure) -> None:
    """Codes of the test images."""
    measure(lambda: mapped(copy.encode, reference.test_x, torch.device("cpu")))


def test_light_evaluation(copy: Game, reference: Reference, measure: Measure) -> None:
    """What is measured during a training, batch-norm statistics included."""
    measure(
        lambda: evaluate_light(
            scoring_copy(copy, reference.images.train, reference.protocol), reference
        )
    )


def test_headline_evaluation(copy: Game, reference: Reference, measure: Measure) -> None:
    """The main table's metrics."""
    measure(lambda: evaluate(copy, reference, HEADLINE))


def test_full_evaluation(copy: Game, reference: Reference, measure: Measure) -> None:
    """Every metric."""
    measure(lambda: evaluate(copy, reference), spend=2.0)


@pytest.mark.slow
def test_nearest(measure: Measure, note: Callable[..., None]) -> None:
    """The nearest of 60,000 rows to each of 10,000; `speedup` over scikit-learn's exact search."""
    generator = torch.Generator().manual_seed(0)
    queries, gallery = (torch.randn(n, 50, generator=generator) for n in (10_000, 60_000))
    measure(lambda: nearest(queries, gallery))
    theirs = NearestNeighbors(n_neighbors=1, algorithm="brute").fit(gallery.numpy())
    ours_seconds, their_seconds = timing.best_in_turn(
        [lambda: nearest(queries, gallery), lambda: theirs.kneighbors(queries.numpy())], rounds=2
    )
    assert (theirs.kneighbors(queries.numpy())[1] == nearest(queries, gallery)[1].numpy()).all()
    note(speedup=their_seconds / ours_seconds)


def test_probe(measure: Measure, note: Callable[..., None]) -> None:
    """A linear probe on 5,000 rows; `speedup` over scikit-learn's, which finds the same minimum."""
    train_x, train_y, test_x, test_y = labelled_rows(5_000)
    measure(lambda: representation.probe_accuracy(train_x, train_y, test_x, test_y))

    def theirs() -> float:
        train, test = representation.standardised(train_x, test_x)
        model = LogisticRegression(C=representation.C, max_iter=representation.MAX_ITERATIONS)
        return float(model.fit(train, train_y.numpy()).score(test, test_y.numpy()))

    ours_seconds, their_seconds = timing.best_in_turn(
        [lambda: representation.probe_accuracy(train_x, train_y, test_x, test_y), theirs], rounds=3
    )
    accuracy, _ = representation.probe_accuracy(train_x, train_y, test_x, test_y)
    assert accuracy == pytest.approx(theirs(), abs=0.005)
    note(speedup=their_seconds / ours_seconds)


def labelled_rows(n: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return overlapping classes: (n, 50) rows and labels to train on, and half as many to test."""
    generator = torch.Generator().manual_seed(0)
    y = torch.randint(10, (n + n // 2,), generator=generator)
    centres = 0.5 * torch.randn(10, 50, generator=generator)
    scales = torch.logspace(-1, 1, 50)  # as uneven as the features of a network
    x = (centres[y] + torch.randn(len(y), 50, generator=generator)) * scales
    return x[:n], y[:n], x[n:], y[n:]
