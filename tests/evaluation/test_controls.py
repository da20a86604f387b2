"""Control rows, and the facts about real images that are computed once."""

from pathlib import Path

import pytest
import torch

from benchmarks.evaluation import real_data as reference_module
from benchmarks.evaluation.control_rows import CONTROLS, Measured
from benchmarks.evaluation.controls import evaluate_controls
from benchmarks.evaluation.measures import Row
from benchmarks.evaluation.real_data import Reference
from benchmarks.evaluation.registry import METRICS
from datasets.images import ImageSet, to_range, without_class
from tests.evaluation.test_evaluate import (
    CODE,
    FEATURES,
    PRIOR_MATCH,
    RECONSTRUCTIONS,
    SAMPLES,
    expected_of,
)
from tests.helpers import tiny_game


@pytest.fixture(scope="module")
def measured(reference: Reference) -> Measured:
    return evaluate_controls(reference, [tiny_game("bigan", seed) for seed in range(2)])


@pytest.fixture(scope="module")
def controls(measured: Measured) -> dict[str, list[Row]]:
    return measured.rows


def test_titles_say_the_numbers(measured: Measured) -> None:
    assert list(measured.titles.values()) == [
        *("real, 648 of train", "real, 500 of test", "training set repeated", "noise"),
        *("raw pixels", "PCA, 4 dimensions", "mean image", "random pair", "prior draws"),
        "untrained",
    ]
    assert list(measured.titles) == list(measured.rows)


def test_the_registry_says_what_is_repeated(measured: Measured) -> None:
    assert {name for name, rows in measured.rows.items() if len(rows) > 1} == {
        name for name in measured.rows if CONTROLS[name].repeated
    }


def test_control_rows_measure_what_they_should(controls: dict[str, list[Row]]) -> None:
    probe = {"probe_converged"}
    speed = {"generate_images_per_second", "encode_images_per_second"}
    expected = {
        "real_train": (SAMPLES, 5),
        "real_test": (SAMPLES, 1),
        "training_set": (SAMPLES, 1),
        "noise": (SAMPLES, 1),
        "raw_pixels": (FEATURES | probe, 1),
        "pca": (RECONSTRUCTIONS | (CODE - {"inactive_code"}) | probe, 1),
        "mean_image": (SAMPLES | RECONSTRUCTIONS, 1),
        "random_pair": (RECONSTRUCTIONS, 1),
        "prior_draws": (PRIOR_MATCH, 5),
        "untrained": (expected_of(tiny_game("bigan").capabilities) - speed, 2),
    }
    found = {name: (set(rows[0].metrics), len(rows)) for name, rows in controls.items()}
    assert found == expected
    assert not any(row.undefined for rows in controls.values() for row in rows)
    for name, metric in METRICS.items():  # the table of metrics names its control rows
        kinds = ("raw_pixels", "mean_image", "random_pair", "prior_draws", "noise")
        rows = [kind for kind in kinds if CONTROLS[kind].title in metric.controls]
        if name in SAMPLES | FEATURES | CODE | RECONSTRUCTIONS | PRIOR_MATCH:
            assert all(name in controls[kind][0].metrics for kind in rows), name


def test_control_rows_have_the_values_they_are_there_for(controls: dict[str, list[Row]]) -> None:
    first = {name: rows[0].metrics for name, rows in controls.items()}
    assert first["mean_image"]["reconstruction_ratio"] == pytest.approx(1, abs=0.01)
    assert first["random_pair"]["reconstruction_ratio"] == pytest.approx(1, abs=0.05)
    assert first["random_pair"]["label_agreement"] < 0.2
    assert first["raw_pixels"]["knn1_accuracy_features"] == pytest.approx(0.984, abs=0.01)
    for name in ("real_train", "real_test"):
        for row in controls[name]:
            assert 0 < row.metrics["fid_hybrid"] < 1
            assert row.metrics["copy_rate"] < 0.65
    halves = [row.metrics["fid_hybrid"] for row in controls["real_train"]]
    assert len(set(halves)) == 5
    assert first["training_set"]["copy_rate"] > 0.65
    assert first["training_set"]["nearest_real_ratio"] == pytest.approx(0, abs=1e-6)
    assert first["noise"]["fid_hybrid"] > first["untrained"]["fid_hybrid"] / 10 > 1
    assert first["noise"]["hf_ratio"] > 2
    assert len({row.metrics["code_frechet"] for row in controls["prior_draws"]}) == 5
    assert first["prior_draws"]["code_frechet"] < 0.05 < first["untrained"]["code_frechet"]
    pca, mean = first["pca"], first["mean_image"]
    assert pca["reconstruction_mse"] < mean["reconstruction_mse"]
    assert pca["reconstruction_hf_ratio"] < 0.6


# the reference


def tensors(reference: Reference) -> list[torch.Tensor]:
    real = reference.real
    return [reference.train_features, reference.test_features, reference.test_logits,
            real.hf_share, real.test_distances]  # fmt: skip


def test_facts_are_read_the_second_time(
    reference: Reference, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Reference(reference.images, tmp_path)
    (file,) = tmp_path.iterdir()
    assert file.name.startswith("digits-")
    with monkeypatch.context() as patch:
        patch.setattr(Reference, "_compute", lambda self: pytest.fail("computed again"))
        again = Reference(reference.images, tmp_path)
    for cached, fresh in zip(tensors(again), tensors(reference), strict=True):
        assert torch.equal(cached, fresh)
    whole = file.read_bytes()
    for cut in (0, 100, len(whole) - 1):  # by a crash
        file.write_bytes(whole[:cut])
        healed = Reference(reference.images, tmp_path)
        assert torch.equal(healed.train_features, reference.train_features)
        assert file.read_bytes() == whole


@pytest.mark.parametrize("what", ["version", "data", "protocol", "source"])
def test_other_facts_have_another_file(
    what: str, reference: Reference, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = reference._digest()
    assert Reference(reference.images)._digest() == before
    if what == "version":
        monkeypatch.setattr(reference_module, "VERSION", "another")
    elif what == "data":
        entry = reference_module.DATASETS["digits"]
        changed = type(entry)(**(vars(entry) | {"digest": "0" * 64}))
        monkeypatch.setitem(reference_module.DATASETS, "digits", changed)
    elif what == "protocol":
        fewer = type(reference.protocol)(**(vars(reference.protocol) | {"samples": 1000}))
        monkeypatch.setattr(reference, "protocol", fewer)
    else:
        folder = Path(reference_module.__file__).parent
        for name in reference_module.SOURCES:
            (tmp_path / name).parent.mkdir(exist_ok=True)
            (tmp_path / name).write_bytes((folder / name).read_bytes())
        monkeypatch.setattr(reference_module, "__file__", str(tmp_path / "real_data.py"))
        assert reference._digest() == before
        (tmp_path / "extractors" / "extractor.py").write_text("BATCH = 99\n")
    assert reference._digest() != before


def test_the_subset_is_random_and_of_the_right_size(reference: Reference) -> None:
    real = reference.light_real
    assert len(real.subset) == len(real.subset_features) == 500 == len(reference.light_test)
    assert len(real.gallery) == len(reference.test)
    assert not torch.equal(real.subset_features, reference.train_features[:500])
    chosen = to_range(reference.train.images[real.order[:500]])
    assert torch.equal(real.subset, chosen)
    assert len(set(real.order.tolist())) == len(reference.train)


def test_a_dataset_without_a_class_lacks_it_alone(reference: Reference) -> None:
    train = without_class(reference.train, 3)
    assert set(train.labels.tolist()) == set(range(10)) - {3}
    assert len(train) == int((reference.train.labels != 3).sum())
    assert isinstance(ImageSet("digits", train, reference.test), ImageSet)
