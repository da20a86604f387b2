"""The anomaly score and the cost."""

import time

import pytest
import torch
from torch import Tensor, nn

from benchmarks.evaluation.controls import evaluate_anomaly_controls, reconstructing_pca
from benchmarks.evaluation.evaluate import evaluate_anomaly, pixel_distance
from benchmarks.evaluation.measures import measure
from benchmarks.evaluation.metrics import anomaly, cost
from benchmarks.evaluation.metrics.undefined import Undefined
from benchmarks.evaluation.questions import of_anomalies
from benchmarks.evaluation.real_data import Reference
from benchmarks.evaluation.registry import METRICS
from benchmarks.evaluation.scoring import scoring_copy
from datasets.images import to_range, without_class
from tests.helpers import tiny_game
from zoo.registry import FAMILIES

AUROC = {name for name, m in METRICS.items() if m.question == "anomaly"}


def test_auroc_by_hand() -> None:
    strange = torch.tensor([0.1, 0.4, 0.35, 0.8])
    odd = torch.tensor([False, False, True, True])
    assert anomaly.auroc("m", strange, odd) == 0.75  # of four pairs one is in the wrong order
    assert anomaly.auroc("m", -strange, odd) == 0.25
    assert anomaly.auroc("m", strange.exp() * 9, odd) == 0.75
    assert anomaly.auroc("m", torch.ones(4), odd) == 0.5
    for what in (odd & False, odd | True):
        with pytest.raises(Undefined, match="m needs normal and anomalous"):
            anomaly.auroc("m", strange, what)
    with pytest.raises(Undefined, match="m has non-finite"):
        anomaly.auroc("m", strange / 0, odd)


def test_signs_are_high_for_the_class_left_out() -> None:
    labels = torch.tensor([0, 1, 2, 2, 1, 0])
    signs = {"a": lambda: (labels == 2).float(), "b": lambda: -(labels == 2).float()}
    assert measure(of_anomalies(signs, labels, 2)).metrics == {"a": 1, "b": 0}
    assert measure(of_anomalies(signs, labels, 1)).metrics == {"a": 0.25, "b": 0.75}


@pytest.mark.parametrize("family", FAMILIES)
def test_a_game_has_the_signs_that_it_can_give(family: str, reference: Reference) -> None:
    game = tiny_game(family)
    train = without_class(reference.images.train, 4)
    assert not (train.labels == 4).any()
    copy = scoring_copy(game, train, reference.protocol)
    row = evaluate_anomaly(copy, reference, train, 4)
    able = game.capabilities
    expected = {
        "auroc_score": {"encode", "score"} <= able,
        "auroc_reconstruction": "reconstruct" in able,
        "auroc_nearest_features": "features" in able,
    }
    assert set(expected) == AUROC
    assert set(row.metrics) == {name for name, has in expected.items() if has}
    assert not row.undefined
    again = evaluate_anomaly(copy, reference, train, 4)
    assert row.metrics == again.metrics


class Oracle(nn.Module):
    """Knows the nines: does not bring them back, scores them low, and puts them far away."""

    capabilities = frozenset({"encode", "score", "reconstruct", "features"})

    def __init__(self, nines: Tensor) -> None:
        super().__init__()
        self.nines = nines.flatten(1)

    def strange(self, x: Tensor) -> Tensor:
        return (x.flatten(1)[:, None] == self.nines).all(2).any(1).float()

    def encode(self, x: Tensor) -> Tensor:
        return x.flatten(1)

    def features(self, x: Tensor) -> Tensor:
        return 100 * self.strange(x)[:, None] + 0.001 * x.flatten(1)

    def score(self, x: Tensor, z: Tensor) -> Tensor:
        assert torch.equal(z, x.flatten(1))
        return 3 - self.strange(x)

    def reconstruct(self, x: Tensor) -> Tensor:
        return x + self.strange(x)[:, None, None, None]


def test_an_oracle_is_always_right(reference: Reference) -> None:
    x, labels = reference.test_x, reference.test.labels
    oracle, train = Oracle(x[labels == 9]), without_class(reference.train, 9)
    row = evaluate_anomaly(oracle, reference, train, 9)  # type: ignore[arg-type]  # no whole Game
    assert row.metrics == dict.fromkeys(AUROC, 1.0)
    other = evaluate_anomaly(oracle, reference, train, 3)  # type: ignore[arg-type]  # no whole Game
    assert other.metrics["auroc_score"] < 0.5
    assert other.metrics["auroc_reconstruction"] < 0.5


def test_anomaly_controls(reference: Reference) -> None:
    rows, titles = evaluate_anomaly_controls(reference, [tiny_game("bigan", s) for s in range(2)])
    assert titles == {"raw_pixels": "raw pixels", "pca": "PCA", "untrained": "untrained"}
    assert all(len(repetitions) == 2 for repetitions in rows.values())
    assert set(rows["raw_pixels"][0].metrics) == {"auroc_nearest_features"}
    assert set(rows["pca"][0].metrics) == {"auroc_reconstruction"}
    assert set(rows["untrained"][0].metrics) == AUROC
    assert rows["raw_pixels"][0].metrics["auroc_nearest_features"] > 0.95  # no zeros: easy
    assert rows["pca"][0].metrics["auroc_reconstruction"] > 0.5


def test_pixel_distance_and_pca(reference: Reference) -> None:
    x, r = torch.zeros(2, 1, 2, 2), torch.tensor([1.0, 3.0]).view(2, 1, 1, 1).expand(2, 1, 2, 2)
    assert pixel_distance(x, r).tolist() == [2, 6]
    pca = reconstructing_pca(reference.train, 1000)
    assert pca.n_components_ == 64
    images = to_range(reference.train.images).flatten(1).numpy()
    back = pca.inverse_transform(pca.transform(images))
    assert abs(back - images).max() < 1e-4


# cost


def test_multiply_adds_of_one_image_by_hand() -> None:
    assert cost.multiply_adds(nn.Linear(5, 7), torch.randn(10, 5)) == 35
    convolution = nn.Conv2d(3, 4, 3, padding=1)
    assert cost.multiply_adds(convolution, torch.randn(2, 3, 8, 8)) == 8 * 8 * 4 * 3 * 9
    both = nn.Sequential(nn.Linear(5, 7), nn.BatchNorm1d(7).eval(), nn.ReLU(), nn.Linear(7, 2))
    assert cost.multiply_adds(both, torch.randn(10, 5)) == 35 + 14


def test_images_per_second_counts_batches_of_at_most_500(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cost, "ROUND_SECONDS", 0.02)
    sizes = []

    def slow(x: Tensor) -> Tensor:
        sizes.append(len(x))
        time.sleep(0.005)
        return x

    found = cost.images_per_second(slow, torch.zeros(800, 1))
    assert set(sizes) == {500}
    assert 0.3 * 500 / 0.005 < found <= 500 / 0.005
    assert cost.images_per_second(slow, torch.zeros(50, 1)) <= 50 / 0.005


def test_seconds_to_a_tenth() -> None:
    def light(*fids: float | None) -> list[dict[str, float]]:
        return [
            {"seconds": 10.0 * i} | ({} if fid is None else {"fid_hybrid": fid})
            for i, fid in enumerate(fids)
        ]

    assert cost.seconds_to_tenth(light(50, 30, 5, 4, 9)) == 20
    assert cost.seconds_to_tenth(light(50, 30, 5.1)) is None
    assert cost.seconds_to_tenth(light(None, 50, None, 4)) == 30  # from the first that is measured
    assert cost.seconds_to_tenth(light(None, None)) is None
    assert cost.seconds_to_tenth([]) is None
