"""Metrics on cases with a known answer, and the frame around them."""

import os
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import Tensor

from benchmarks.evaluation import consistency, fidelity, representation
from benchmarks.evaluation.controls import evaluate_controls
from benchmarks.evaluation.evaluate import (
    Reference,
    evaluate,
    evaluate_light,
    reconstruction_metrics,
    sample_metrics,
)
from benchmarks.evaluation.extractor import FOLDER, extract, file_digest, load_extractor
from benchmarks.evaluation.protocol import PROTOCOLS
from benchmarks.evaluation.registry import GATED, LIGHT, METRICS
from benchmarks.evaluation.scoring import mapped, scoring_copy
from benchmarks.evaluation.train_extractor import accuracy
from datasets.images import to_range
from datasets.loading import load
from datasets.registry import DATASETS
from tests.helpers import tiny_game
from zoo.registry import FAMILIES


@pytest.fixture(scope="module")
def reference() -> Reference:
    return Reference(load("digits"))


@pytest.fixture(scope="module")
def real(reference: Reference) -> Tensor:
    """A shuffled copy of the training images in [-1, 1]."""
    order = torch.randperm(len(reference.images.train), generator=torch.Generator().manual_seed(0))
    return to_range(reference.images.train.images[order])


def noisy(x: Tensor, scale: float) -> Tensor:
    noise = torch.randn(x.shape, generator=torch.Generator().manual_seed(1))
    return (x + 2 * scale * noise).clamp(-1, 1)


def blurred(x: Tensor) -> Tensor:
    """Return images under a 3 x 3 binomial filter, half mixed with the original."""
    kernel = torch.tensor([1.0, 2.0, 1.0]) / 4
    soft = torch.nn.functional.conv2d(
        torch.nn.functional.pad(x, (1, 1, 1, 1), mode="replicate"),
        torch.outer(kernel, kernel)[None, None],
    )
    return (x + soft) / 2


def repeated(x: Tensor, n: int) -> Tensor:
    return x[:n].repeat(-(-len(x) // n), 1, 1, 1)[: len(x)]


def without_class(x: Tensor, reference: Reference, dropped: int) -> Tensor:
    order = torch.randperm(len(reference.images.train), generator=torch.Generator().manual_seed(0))
    return x[reference.images.train.labels[order] != dropped]


# FID, KID, IS


def test_sample_metrics_order_built_failures_rightly(reference: Reference, real: Tensor) -> None:
    cases = {
        "real": real,
        "noise .05": noisy(real, 0.05),
        "noise .2": noisy(real, 0.2),
        "noise .5": noisy(real, 0.5),
        "one class lost": without_class(real, reference, 7),
        "100 images": repeated(real, 100),
        "10 images": repeated(real, 10),
        "blur": blurred(real),
    }
    found = {name: sample_metrics(x, reference) for name, x in cases.items()}
    for metric in ("fid_hybrid", "kid_hybrid"):
        value = {name: metrics[metric] for name, metrics in found.items()}
        assert value["real"] < value["noise .05"] < value["noise .2"] < value["noise .5"], metric
        assert value["real"] < value["one class lost"], metric
        assert value["real"] < value["100 images"] < value["10 images"], metric
    # what the hybrid extractor is for: total collapse is worse than a slight blur or noise
    assert found["10 images"]["fid_hybrid"] > found["blur"]["fid_hybrid"]
    assert found["10 images"]["fid_hybrid"] > found["noise .2"]["fid_hybrid"]
    assert found["blur"]["fid_hybrid"] > found["real"]["fid_hybrid"]
    assert found["real"]["fid_hybrid"] == pytest.approx(0, abs=1e-3)
    assert found["real"]["is_hybrid"] > found["noise .5"]["is_hybrid"]
    assert found["one class lost"]["is_hybrid"] < found["real"]["is_hybrid"] <= 10


def test_fid_against_the_closed_form(reference: Reference) -> None:
    g = np.random.default_rng(0)
    a, b = g.normal(size=(500, 4)), g.normal(loc=0.5, scale=2.0, size=(400, 4))
    mean = a.mean(0) - b.mean(0)
    ca, cb = np.cov(a.T), np.cov(b.T)
    values, vectors = np.linalg.eigh(ca)
    root = vectors @ np.diag(np.sqrt(values)) @ vectors.T
    cross = np.sqrt(np.linalg.eigvalsh(root @ cb @ root)).sum()
    expected = mean @ mean + np.trace(ca) + np.trace(cb) - 2 * cross
    found = fidelity.fid(torch.tensor(a), torch.tensor(b))
    assert found == pytest.approx(expected, rel=1e-6)


def test_kid_against_a_direct_sum() -> None:
    g = torch.Generator().manual_seed(0)
    x = torch.randn(60, 5, generator=g, dtype=torch.float64)
    y = torch.randn(60, 5, generator=g, dtype=torch.float64) + 0.3

    def kernel(a: Tensor, b: Tensor) -> float:
        return float((a @ b / 5 + 1) ** 3)

    n, total = 60, 0.0
    for i in range(n):
        for j in range(n):
            if i != j:
                total += (kernel(x[i], x[j]) + kernel(y[i], y[j])) / (n * (n - 1))
            total -= 2 * kernel(x[i], y[j]) / n**2
    assert fidelity.kid(x, y) == pytest.approx(total, rel=1e-6)


def test_inception_score_by_hand() -> None:
    sure = 60 * torch.eye(4)
    assert fidelity.inception_score(sure) == pytest.approx(4, rel=1e-6)
    assert fidelity.inception_score(torch.zeros(9, 4)) == pytest.approx(1, rel=1e-6)


def test_sample_metrics_do_not_depend_on_order_or_batch_mates(
    reference: Reference, real: Tensor
) -> None:
    flipped = sample_metrics(real.flip(0), reference)
    for name, value in sample_metrics(real, reference).items():
        assert flipped[name] == pytest.approx(value, abs=2e-4), name
    one, _ = extract(reference.extractor, reference.images.train.images[:1])
    assert torch.allclose(one[0], reference.train_features[0], atol=1e-5)


def test_too_few_samples_name_the_metric(reference: Reference, real: Tensor) -> None:
    with pytest.raises(ValueError, match="fid_hybrid needs at least 320 samples"):
        sample_metrics(real[:100], reference)


def test_non_finite_samples_are_refused(reference: Reference, real: Tensor) -> None:
    with pytest.raises(ValueError, match="non-finite"):
        sample_metrics(real * float("nan"), reference)


# extractors


@pytest.mark.parametrize("dataset", DATASETS)
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


def test_altered_or_missing_extractor_is_refused(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    name = PROTOCOLS["digits"].extractor
    content = bytearray((FOLDER / f"{name}.safetensors").read_bytes())
    content[-1] ^= 1
    (tmp_path / f"{name}.safetensors").write_bytes(content)
    monkeypatch.setattr("benchmarks.evaluation.extractor.FOLDER", tmp_path)
    with pytest.raises(ValueError, match="missing or altered"):
        load_extractor(name, torch.device("cpu"))


def test_extractor_refuses_floats(reference: Reference) -> None:
    with pytest.raises(ValueError, match="expected uint8"):
        reference.extractor(torch.zeros(1, 1, 8, 8))


# representation


def blobs(n: int, spread: float, seed: int) -> tuple[Tensor, Tensor]:
    g = torch.Generator().manual_seed(seed)
    y = torch.arange(n) % 3
    centres = torch.tensor([[0.0, 0.0], [5.0, 0.0], [0.0, 5.0]])
    return centres[y] + spread * torch.randn(n, 2, generator=g), y


def test_knn1_is_plain_euclidean() -> None:
    gallery = torch.tensor([[0.0, 0.0], [10.0, 0.0]])
    queries = torch.tensor([[4.0, 0.0], [6.0, 0.0], [4.9, 100.0]])
    labels = torch.tensor([0, 1])
    assert representation.knn1_accuracy(gallery, labels, queries, torch.tensor([0, 1, 0])) == 1.0
    offset = 1e3  # far from the origin, where careless distance formulas lose their digits
    assert (
        representation.knn1_accuracy(
            gallery + offset, labels, queries + offset, torch.tensor([0, 1, 0])
        )
        == 1.0
    )


def test_knn1_agrees_with_a_loop() -> None:
    (a, ya), (b, yb) = blobs(90, 3.0, 0), blobs(60, 3.0, 1)
    nearest = [int(((a - q) ** 2).sum(1).argmin()) for q in b]
    expected = float((ya[nearest] == yb).double().mean())
    assert representation.knn1_accuracy(a, ya, b, yb) == pytest.approx(expected)


def test_probe_separates_what_is_separable_and_ignores_scale() -> None:
    (a, ya), (b, yb) = blobs(300, 0.3, 0), blobs(150, 0.3, 1)
    assert representation.probe_accuracy(a, ya, b, yb) == (1.0, True)
    scale = torch.tensor([1e-2, 1e3])
    assert representation.probe_accuracy(a * scale, ya, b * scale, yb) == (1.0, True)
    shuffled = ya[torch.randperm(300, generator=torch.Generator().manual_seed(0))]
    assert representation.probe_accuracy(a, shuffled, b, yb)[0] < 0.6


def test_probe_flags_what_did_not_converge(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(representation, "MAX_ITERATIONS", 1)
    (a, ya), (b, yb) = blobs(300, 3.0, 0), blobs(150, 3.0, 1)
    assert representation.probe_accuracy(a, ya, b, yb)[1] is False


# consistency


def test_reconstruction_of_known_cases(reference: Reference) -> None:
    x = to_range(reference.images.test.images)
    same = reconstruction_metrics(x, reference)
    assert same == {"reconstruction_mse": 0.0, "reconstruction_ratio": 0.0, "label_agreement": 1.0}
    worse = reconstruction_metrics(noisy(x, 0.1), reference)
    worst = reconstruction_metrics(noisy(x, 0.5), reference)
    assert 0 < worse["reconstruction_mse"] < worst["reconstruction_mse"]
    assert 0 < worse["reconstruction_ratio"] < worst["reconstruction_ratio"]
    assert 1 > worse["label_agreement"] > worst["label_agreement"]


def test_reconstruction_mse_is_in_unit_range_pixels() -> None:
    x = torch.full((2, 1, 2, 2), -1.0)
    assert consistency.reconstruction_mse(x, -x) == 1.0  # black against white


def test_reconstruction_ratio_by_hand() -> None:
    x = torch.tensor([0.0, 1.0, 3.0]).view(3, 1, 1, 1)
    r = torch.tensor([0.5, 1.0, 2.0]).view(3, 1, 1, 1)
    own = (0.5 + 0 + 1) / 3
    other = (abs(1 - 0.5) + abs(3 - 1) + abs(0 - 2)) / 3
    assert consistency.reconstruction_ratio(x, r) == pytest.approx(own / other)
    constant = torch.full_like(x, 0.7)
    assert consistency.reconstruction_ratio(x, constant) == pytest.approx(1)


def test_latent_error_anchors() -> None:
    g = torch.Generator().manual_seed(0)
    z, other = (3 * torch.randn(4000, 6, generator=g) + 1 for _ in range(2))
    assert consistency.latent_error(z, z) == 0
    assert consistency.latent_error(z, torch.ones_like(z)) == pytest.approx(1, abs=0.01)
    assert consistency.latent_error(z, other) == pytest.approx(2, abs=0.05)


def test_label_agreement_by_hand() -> None:
    a = torch.tensor([[1.0, 0.0], [0.0, 1.0], [3.0, 2.0], [0.0, 9.0]])
    b = torch.tensor([[2.0, 0.0], [1.0, 0.0], [5.0, 2.0], [0.0, 1.0]])
    assert consistency.label_agreement(a, b) == 0.75


# the frame


@pytest.mark.parametrize("family", FAMILIES)
def test_evaluation_leaves_out_what_a_game_cannot_do(family: str, reference: Reference) -> None:
    game = tiny_game(family)
    before = {name: t.clone() for name, t in game.state_dict().items()}
    torch.manual_seed(3)
    expected = torch.rand(1)
    torch.manual_seed(3)
    copy = scoring_copy(game, reference.images.train, reference.protocol)
    rows = evaluate(copy, reference)
    assert torch.equal(torch.rand(1), expected), "the global random stream moved"
    assert all(torch.equal(t, before[name]) for name, t in game.state_dict().items())
    assert all(m.training for m in game.modules()), "the mode changed"
    row, able = rows[""], game.capabilities
    assert ("fid_hybrid" in row) == ("sample_prior" in able)
    assert ("knn1_accuracy_code" in row) == ("encode" in able)
    assert ("reconstruction_mse" in row) == ("reconstruct" in able)
    assert ("latent_error" in row) == ({"sample_prior", "encode"} <= able)
    assert {name for metrics in rows.values() for name in metrics} <= METRICS.keys()
    assert all(np.isfinite(v) for metrics in rows.values() for v in metrics.values())
    assert set(rows) == ({"", "discriminator"} if family == "gan" else {""})
    again = evaluate(scoring_copy(game, reference.images.train, reference.protocol), reference)
    stable = [n for n in row if not n.endswith("per_second")]
    assert [row[n] for n in stable] == [again[""][n] for n in stable]
    light = evaluate_light(game, reference)
    assert set(light) == set(LIGHT) & row.keys()
    if "latent_error" in light:  # the same function on fewer samples
        assert light["latent_error"] == pytest.approx(row["latent_error"], rel=0.2)


@pytest.mark.parametrize("family", ["bigan", "autoencoder"])
def test_batch_norm_statistics_are_those_of_the_scored_inputs(
    family: str, reference: Reference
) -> None:
    game = tiny_game(family).train()
    with torch.no_grad():
        for _ in range(50):  # other batches than those that are scored
            game.reconstruct(torch.randn(16, 1, 8, 8) * 5)
    copy = scoring_copy(game, reference.images.train, reference.protocol)
    x = to_range(reference.images.train.images)
    # what must go through: real images through E, prior draws through G (codes without a prior)
    z = torch.randn(4000, 4) if family == "bigan" else copy.encode(x)
    for name, first, inputs in (("E", 4, x), ("G", 1, z)):
        network = copy.networks[name]
        norm, hidden = network[first], network[:first](inputs)
        spread = hidden.std(0)
        assert ((norm.running_mean - hidden.mean(0)).abs() < 0.1 * spread).all(), name
        assert ((norm.running_var.sqrt() / spread - 1).abs() < 0.1).all(), name
    assert not any(m.training for m in copy.modules())
    images = to_range(reference.images.test.images)
    one, many = (mapped(copy.encode, images[:n], reference.device) for n in (1, 9))
    assert torch.allclose(one[0], many[0], atol=1e-5), "an image depends on its batch mates"


def test_controls(reference: Reference) -> None:
    rows = evaluate_controls(reference, [tiny_game("bigan", 0), tiny_game("bigan", 1)])
    assert set(rows) == {
        "real, 648 of train", "real, 500 of test",
        "raw pixels", "mean image", "random pair", "untrained",
    }  # fmt: skip
    assert len(rows["real, 648 of train"]) == 5
    assert len(rows["untrained"]) == 2
    assert rows["mean image"][0]["reconstruction_ratio"] == pytest.approx(1, abs=0.01)
    assert rows["random pair"][0]["reconstruction_ratio"] == pytest.approx(1, abs=0.05)
    assert rows["random pair"][0]["label_agreement"] < 0.2
    assert rows["raw pixels"][0]["knn1_accuracy_features"] == pytest.approx(0.984, abs=0.01)
    for name in ("real, 648 of train", "real, 500 of test"):
        assert all(0 < row["fid_hybrid"] < 1 for row in rows[name])
    assert rows["untrained"][0]["fid_hybrid"] > 10


def test_registry_is_consistent() -> None:
    assert set(LIGHT) <= METRICS.keys()
    assert set(GATED) <= METRICS.keys()
    assert all(m.direction != "none" for m in METRICS.values() if m.floor)
    assert all(m.name == name for name, m in METRICS.items())


@pytest.mark.mnist
@pytest.mark.slow
@pytest.mark.skipif("BIGAN_DATA" not in os.environ, reason="$BIGAN_DATA is not set")
def test_raw_pixels_of_mnist() -> None:
    """About half a minute."""
    images = load("mnist", offline=True)
    train, test = (
        SimpleNamespace(x=s.images.flatten(1).float() / 255, y=s.labels)
        for s in (images.train, images.test)
    )
    assert representation.knn1_accuracy(train.x, train.y, test.x, test.y) == 0.9691
