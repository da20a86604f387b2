"""The frame around the metrics: games, their copies, control rows and the reference."""

import random

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from benchmarks.evaluation.evaluate import evaluate, evaluate_light, truncation_curve
from benchmarks.evaluation.extractors.extractor import extract
from benchmarks.evaluation.measures import Row
from benchmarks.evaluation.metrics import fidelity, prior_match
from benchmarks.evaluation.real_data import Reference
from benchmarks.evaluation.registry import GATED, LIGHT, METRICS
from benchmarks.evaluation.scoring import mapped, prior_draws, scoring_copy
from datasets.images import to_range, to_uint8
from tests.helpers import tiny_game
from zoo.game import Game
from zoo.registry import FAMILIES


def named(question: str) -> set[str]:
    return {name for name, metric in METRICS.items() if metric.question == question}


INCEPTION = {name for name in METRICS if name.endswith("_inception")}
SAMPLES = named("samples") - INCEPTION - {"fid_sampling_sd"}
CODE = {name for name in named("representation") if name.endswith("_code")}
OF_MANY = {"knn1_50k_accuracy_features"}  # of data with more than 50,000 images
FEATURES = {name for name in named("representation") if name.endswith("_features")} - OF_MANY
LATENT_CYCLE = {"latent_error", "latent_recovered", "latent_retrieval", "sample_cycle_ratio"}
RECONSTRUCTIONS = named("consistency") - LATENT_CYCLE
PRIOR_MATCH = named("latents") - {"interpolation_unevenness"}
GENERATOR = {"fid_sampling_sd", "interpolation_unevenness", "generate_images_per_second",
             "generate_multiply_adds"}  # fmt: skip
ENCODER = {"probe_converged", "encode_images_per_second", "encode_multiply_adds"}


def expected_of(able: frozenset[str]) -> set[str]:
    """Return the metrics of a game that can do so much."""
    names: set[str] = set()
    prior = "sample_prior" in able
    if prior and "generate" in able:
        names |= SAMPLES | GENERATOR
    if "encode" in able:
        names |= FEATURES | CODE | ENCODER | (PRIOR_MATCH if prior else set())
        names -= set() if prior else {"inactive_code"}
    if prior and {"generate", "encode"} <= able:
        names |= LATENT_CYCLE
    if "reconstruct" in able:
        names |= RECONSTRUCTIONS
    return names


def scored(game: Game, reference: Reference) -> Game:
    return scoring_copy(game, reference.images.train, reference.protocol)


def timeless(row: Row) -> dict[str, float]:
    return {n: value for n, value in row.metrics.items() if not n.endswith("per_second")}


def random_streams() -> tuple[object, ...]:
    """Return the states of all global streams."""
    legacy = repr(np.random.get_state())  # noqa: NPY002
    return torch.get_rng_state().tolist(), legacy, random.getstate()


@pytest.mark.parametrize("family", FAMILIES)
def test_evaluation_measures_all_that_a_game_can_do(family: str, reference: Reference) -> None:
    game = tiny_game(family)
    before = {name: t.clone() for name, t in game.state_dict().items()}
    streams = random_streams()
    rows = evaluate(scored(game, reference), reference)
    light = evaluate_light(scored(game, reference), reference)
    assert random_streams() == streams, "a global random stream moved"
    assert all(torch.equal(t, before[name]) for name, t in game.state_dict().items())
    assert all(m.training for m in game.modules()), "the mode changed"
    row, able = rows[""], game.capabilities
    assert set(row.metrics) == expected_of(able)
    assert set(row.seconds) == set(row.metrics)
    assert not row.undefined
    assert set(rows) == ({"", "discriminator"} if family == "gan" else {""})
    if family == "gan":
        assert set(rows["discriminator"].metrics) == FEATURES | {"probe_converged"}
    assert all(np.isfinite(v) for r in rows.values() for v in r.metrics.values())
    readouts = {f"{n}/knn1_accuracy_features": rows[n].metrics for n in rows if n}
    assert set(light) == set(LIGHT) & row.metrics.keys() | readouts.keys()
    for name, own in ({"knn1_accuracy_features": row.metrics} | readouts).items():
        # On digits the same images again.
        assert light.get(name) == own.get("knn1_accuracy_features")
    if "latent_error" in light:  # the same function on fewer samples
        assert light["latent_error"] == pytest.approx(row.metrics["latent_error"], rel=0.2)
    if "reconstruction_ratio" in light:  # on digits the same images
        ratio = row.metrics["reconstruction_ratio"]
        assert light["reconstruction_ratio"] == pytest.approx(ratio, rel=0.05)


def test_all_metrics_are_some_families_or_measured_elsewhere() -> None:
    everything = frozenset().union(*(tiny_game(f).capabilities for f in FAMILIES))
    of_training = {"train_seconds", "seconds_to_tenth", "train_images_per_second",
                   "peak_memory_mib", "parameters", "evaluation_seconds"}  # fmt: skip
    elsewhere = INCEPTION | named("anomaly") | named("stability") | named("modes")
    elsewhere |= of_training | OF_MANY
    assert expected_of(everything) == set(METRICS) - elsewhere


@pytest.fixture(scope="module")
def first(reference: Reference) -> Row:
    return evaluate(scored(tiny_game("bigan"), reference), reference)[""]


def test_two_evaluations_are_equal_bit_for_bit(reference: Reference, first: Row) -> None:
    game = tiny_game("bigan")
    second = evaluate(scored(game, reference), reference)[""]
    assert timeless(first) == timeless(second)
    only = {"fid_hybrid", "latent_error", "reconstruction_ssim"}
    some = evaluate(scored(game, reference), reference, only)[""]
    assert some.metrics == {name: first.metrics[name] for name in some.metrics}
    assert set(some.metrics) == only


def test_other_weights_give_other_numbers(reference: Reference, first: Row) -> None:
    other = evaluate(scored(tiny_game("bigan", 1), reference), reference)[""].metrics
    same = {name for name, value in timeless(first).items() if other[name] == value}
    counted = {"classes_covered", "recall_hybrid", "precision_hybrid", "coverage_hybrid",
               "density_hybrid", "near_duplicates", "inactive_code", "latent_recovered",
               "probe_converged", "latent_retrieval", "image_retrieval", "label_agreement",
               "label_agreement_ratio", "copy_rate", "is_hybrid", "class_kl"}  # fmt: skip
    assert same <= counted | {"generate_multiply_adds", "encode_multiply_adds"}


# what needs more than one set of draws


def test_sampling_sd_and_unevenness_by_hand(reference: Reference) -> None:
    copy = scored(tiny_game("bigan"), reference)
    names = {"fid_sampling_sd", "interpolation_unevenness", "fid_hybrid"}
    row = evaluate(copy, reference, names)[""].metrics

    def features(z: Tensor) -> Tensor:
        with torch.no_grad():
            return extract(reference.extractor, to_uint8(copy.generate(z)))[0]

    fids = [fidelity.fid(features(prior_draws(copy, 1297, 1 + 1000 * i)), reference.train_features)
            for i in range(5)]  # fmt: skip
    assert row["fid_hybrid"] == pytest.approx(fids[0], rel=1e-5)
    assert row["fid_sampling_sd"] == pytest.approx(np.std(fids, ddof=1), rel=1e-3)
    z = prior_draws(copy, 400)
    angles = np.linspace(0, np.pi / 2, 17)
    path = [features((np.cos(a) * z[:200] + np.sin(a) * z[200:]).float()) for a in angles]
    expected = prior_match.unevenness(torch.stack(path))
    assert row["interpolation_unevenness"] == pytest.approx(expected, rel=1e-2)


def test_cycles_go_the_right_way_round(reference: Reference, first: Row) -> None:
    copy = scored(tiny_game("bigan"), reference)
    z = prior_draws(copy, 1297)
    with torch.no_grad():
        x = copy.generate(z)
        recovered = copy.encode(x)
        again = copy.generate(recovered)
    own, other = ((a - again).flatten(1).norm(dim=1).mean() for a in (x, x.roll(-1, dims=0)))
    assert first.metrics["sample_cycle_ratio"] == pytest.approx(float(own / other), rel=1e-4)
    error = (recovered - z).square().sum() / (z - z.mean(0)).square().sum()
    assert first.metrics["latent_error"] == pytest.approx(float(error), rel=1e-4)


def test_truncation_curve(reference: Reference) -> None:
    curve = truncation_curve(scored(tiny_game("bigan"), reference), reference)
    assert [point["threshold"] for point in curve] == [0.25, 0.5, 0.75, 1.0, 1.5, 2.0, None]
    assert all({"fid_hybrid", "recall_hybrid", "hf_ratio"} <= point.keys() for point in curve)
    assert truncation_curve(scored(tiny_game("autoencoder"), reference), reference) == []


# games that fail


class Constant(nn.Module):
    """Answers every input with one value, in the shape of a network's answer."""

    def __init__(self, network: nn.Module, value: float) -> None:
        super().__init__()
        self.network, self.value = network, value

    def forward(self, x: Tensor) -> Tensor:
        answer: Tensor = self.network(x)
        return torch.full_like(answer, self.value)


def with_constant(name: str, value: float, reference: Reference) -> Game:
    copy = scored(tiny_game("bigan"), reference)
    setattr(copy, name, Constant(getattr(copy, name), value))
    return copy


def test_a_generator_of_nan_keeps_what_does_not_need_it(reference: Reference) -> None:
    copy = with_constant("G", torch.nan, reference)
    row = evaluate(copy, reference)[""]
    broken = SAMPLES | LATENT_CYCLE | RECONSTRUCTIONS
    broken |= {"fid_sampling_sd", "interpolation_unevenness"}
    assert set(row.undefined) == broken
    assert set(row.metrics) == expected_of(copy.capabilities) - broken
    assert evaluate_light(copy, reference) == {}


def test_an_encoder_of_nan_keeps_what_does_not_need_it(reference: Reference) -> None:
    copy = with_constant("mean", torch.nan, reference)
    row = evaluate(copy, reference)[""]
    assert set(row.metrics) >= SAMPLES | GENERATOR | FEATURES
    broken = CODE | PRIOR_MATCH | RECONSTRUCTIONS | LATENT_CYCLE
    assert broken <= set(row.undefined) | {"probe_converged"}
    assert set(row.metrics) | set(row.undefined) == expected_of(copy.capabilities)


def test_a_generator_of_one_image_is_scored(reference: Reference) -> None:
    copy = with_constant("G", 0.3, reference)
    row = evaluate(copy, reference)[""]
    assert set(row.undefined) == {"interpolation_unevenness", "sample_cycle_ratio"}
    found = row.metrics
    assert found["fid_hybrid"] > 20
    assert found["fid_sampling_sd"] == 0
    assert found["near_duplicates"] == 1
    assert found["hf_ratio"] == found["reconstruction_hf_ratio"] == 0
    assert found["reconstruction_ratio"] == pytest.approx(1, abs=0.01)
    assert found["latent_recovered"] == 0


def test_an_encoder_of_one_code_is_scored(reference: Reference) -> None:
    row = evaluate(with_constant("mean", 0.3, reference), reference)[""]
    assert set(row.undefined) == {"effective_rank_code"}
    found = row.metrics
    assert found["inactive_code"] == 1
    assert found["code_std"] == found["completeness_code"] == 0
    assert found["code_mean"] == pytest.approx(0.3)
    assert found["latent_error"] == pytest.approx(1 + 0.3**2, rel=0.05)
    assert found["knn1_accuracy_code"] < 0.2
    assert found["image_retrieval"] < 0.05


# the scoring copy


@pytest.mark.parametrize("family", ["bigan", "autoencoder"])
def test_batch_norm_statistics_are_those_of_the_scored_inputs(
    family: str, reference: Reference
) -> None:
    game = tiny_game(family).train()
    with torch.no_grad():
        for _ in range(50):  # other batches than those that are scored
            game.reconstruct(torch.randn(16, 1, 8, 8) * 5)
    copy = scored(game, reference)
    x = to_range(reference.images.train.images)
    # what must go through: real images through E, prior draws through G (codes without a prior)
    z = torch.randn(4000, 4) if family == "bigan" else copy.encode(x)
    for name, first, inputs in (("E", 4, x), ("G", 1, z)):
        network = copy.networks[name]
        norm, hidden = network[first], network[:first](inputs)  # type: ignore[index]
        spread = hidden.std(0)
        assert ((norm.running_mean - hidden.mean(0)).abs() < 0.1 * spread).all(), name
        assert ((norm.running_var.sqrt() / spread - 1).abs() < 0.1).all(), name
    assert not any(m.training for m in copy.modules())
    images = to_range(reference.images.test.images)
    one, many = (mapped(copy.encode, images[:n], reference.device) for n in (1, 9))
    assert torch.allclose(one[0], many[0], atol=1e-5), "an image depends on its batch mates"


def test_registry_is_consistent() -> None:
    assert set(LIGHT) <= METRICS.keys()
    assert set(GATED) <= METRICS.keys()
    assert all(m.direction != "none" for m in METRICS.values() if m.floor)
    assert all((m.direction == "target") == (m.target is not None) for m in METRICS.values())
    assert all(m.name == name for name, m in METRICS.items())
