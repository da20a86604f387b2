"""The committed feature extractors."""

from pathlib import Path

import pytest
import torch

from benchmarks.evaluation.extractors.extractor import FOLDER, file_digest, load_extractor
from benchmarks.evaluation.extractors.train import accuracy
from benchmarks.evaluation.protocol import PROTOCOLS
from benchmarks.evaluation.real_data import Reference
from datasets.registry import DATASETS


@pytest.mark.parametrize("dataset", [n for n, p in PROTOCOLS.items() if not p.of_points])
def test_extractor_is_the_committed_one(dataset: str) -> None:
    name = PROTOCOLS[dataset].extractor
    assert file_digest(FOLDER / f"{name}.safetensors") == name.rsplit("-", 1)[1]
    extractor = load_extractor(name, torch.device("cpu"))
    images = torch.zeros(3, *DATASETS[dataset].image_shape, dtype=torch.uint8)
    features, logits = extractor(images)
    assert features.shape == (3, extractor.shift.numel())
    assert logits.shape == (3, DATASETS[dataset].classes)
    assert not any(p.requires_grad for p in extractor.parameters())


def test_extractor_has_the_stated_accuracy_and_scale(reference: Reference) -> None:
    assert accuracy(reference.extractor, reference.images.test) > 0.97
    assert reference.train_features.square().mean().item() == pytest.approx(1, abs=1e-3)
    assert reference.train_features.mean(0).abs().max().item() < 1e-4


def test_altered_or_missing_extractor_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = PROTOCOLS["digits"].extractor
    content = bytearray((FOLDER / f"{name}.safetensors").read_bytes())
    content[-1] ^= 1
    (tmp_path / f"{name}.safetensors").write_bytes(content)
    monkeypatch.setattr("benchmarks.evaluation.extractors.extractor.FOLDER", tmp_path)
    with pytest.raises(ValueError, match="missing or altered"):
        load_extractor(name, torch.device("cpu"))


def test_extractor_refuses_floats(reference: Reference) -> None:
    with pytest.raises(ValueError, match="expected uint8"):
        reference.extractor(torch.zeros(1, 1, 8, 8))
