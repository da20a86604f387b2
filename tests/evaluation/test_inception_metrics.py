"""The frame around Inception's features: cache, undefined metrics, games that cannot generate."""

from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from torch import Tensor

from benchmarks.evaluation import inception_metrics
from benchmarks.evaluation.inception_metrics import InceptionReference
from benchmarks.evaluation.real_data import Reference
from benchmarks.evaluation.scoring import scoring_copy
from tests.helpers import tiny_game


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Stand-in features of width 32 (the real network is tested elsewhere); sizes it was given."""
    seen: list[int] = []

    def features(extractor: object, images: Tensor) -> tuple[Tensor, Tensor]:
        seen.append(len(images))
        rows = images.flatten(1).float() / 255
        return rows[:, :32], rows[:, 32:42]

    monkeypatch.setattr(inception_metrics, "inception_features", features)
    extractor = SimpleNamespace(name="inception-v3-compat-test")
    monkeypatch.setattr(inception_metrics, "load_inception", lambda path, device: extractor)
    return seen


def test_real_images_are_read_once(calls: list[int], reference: Reference, tmp_path: Path) -> None:
    real = InceptionReference(Path("weights"), reference, tmp_path)
    again = InceptionReference(Path("weights"), reference, tmp_path)
    assert calls == [1297]
    assert torch.equal(real.subset_features, again.subset_features)


def test_measures_of_images(calls: list[int], reference: Reference, tmp_path: Path) -> None:
    real = InceptionReference(Path("weights"), reference, tmp_path)
    same = inception_metrics.measure(real.measures(reference.real.subset))
    far = inception_metrics.measure(real.measures(-reference.real.subset))
    assert same.metrics["fid_inception"] == pytest.approx(0, abs=1e-3)
    assert far.metrics["fid_inception"] > 1
    assert far.metrics["kid_inception"] > same.metrics["kid_inception"]
    assert calls == [1297, 1297, 1297]  # the three metrics of one set share its features


def test_what_cannot_be_measured_is_left_out(
    calls: list[int], reference: Reference, tmp_path: Path
) -> None:
    real = InceptionReference(Path("weights"), reference, tmp_path)
    few = inception_metrics.measure(real.measures(reference.real.subset[:30]))
    assert "fid_inception" in few.undefined
    assert "kid_inception" in few.metrics
    nothing = inception_metrics.measure(real.measures(reference.real.subset * float("nan")))
    assert set(nothing.undefined) == {"fid_inception", "kid_inception", "is_inception"}
    autoencoder = scoring_copy(tiny_game("autoencoder"), reference.images.train, reference.protocol)
    assert real.evaluate(autoencoder).metrics == {}
    gan = scoring_copy(tiny_game("gan"), reference.images.train, reference.protocol)
    assert set(real.evaluate(gan).metrics) == {"fid_inception", "kid_inception", "is_inception"}
