"""Evaluate one trained game, in full or lightly, with the same functions in both."""

from collections.abc import Callable, Collection
from functools import cache, partial
from typing import Any

import torch
from torch import Tensor

from benchmarks.evaluation import questions as q
from benchmarks.evaluation.extractors.extractor import extract
from benchmarks.evaluation.measures import Lazy, Measures, Row, given, measure, merged
from benchmarks.evaluation.metrics import (
    cost,
    fidelity,
    prior_match,
    reconstruction,
    representation,
)
from benchmarks.evaluation.metrics.samples import nearest
from benchmarks.evaluation.real_data import Reference
from benchmarks.evaluation.scoring import latent_seed, mapped, prior_draws
from datasets.images import Split, to_range, to_uint8
from zoo.game import Game
from zoo.priors import Normal

PAIRS = 200
SAMPLE_SETS = 5
GALLERY = 5
"""Training images for each test image of a light 1-NN."""
TRUNCATIONS = (0.25, 0.5, 0.75, 1.0, 1.5, 2.0)


def evaluate(
    copy: Game, reference: Reference, only: Collection[str] | None = None
) -> dict[str, Row]:
    """Evaluate a game and its readouts: readout name ("" for the game itself) -> what was measured.

    What a game cannot do leaves its metrics out. Neither the game nor any global random state
    changes.

    Args:
        copy: a scoring copy of a trained game, on the reference's device.
        reference: the dataset.
        only: names of the metrics wanted; all if not given.

    """
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        rows = {"": measure(measures_of(copy, reference), only)}
        for name, readout in copy.readouts().items():
            features = _representation(readout.features, "features", reference)
            rows[name] = measure(merged(features), only)
    return rows


def evaluate_anomaly(copy: Game, reference: Reference, train: Split, left_out: int) -> Row:
    """Evaluate a game that was trained without a class as a detector of that class.

    Args:
        copy: a scoring copy.
        reference: the dataset, with the class.
        train: the training split without it.
        left_out: the class.

    """
    able, device, x = copy.capabilities, reference.device, reference.test_x
    signs: dict[str, Lazy] = {}
    if {"encode", "score"} <= able:
        signs["auroc_score"] = lambda: (
            -mapped(lambda part: copy.score(part, copy.encode(part)), x, device)
        )
    if "reconstruct" in able:
        signs["auroc_reconstruction"] = lambda: pixel_distance(
            x, mapped(copy.reconstruct, x, device)
        )
    if "features" in able:
        signs["auroc_nearest_features"] = lambda: nearest(
            mapped(copy.features, x, device),
            mapped(copy.features, to_range(train.images).cpu(), device),
        )[0][:, 0]
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        return measure(q.of_anomalies(signs, reference.test.labels, left_out))


def pixel_distance(x: Tensor, r: Tensor) -> Tensor:
    """Return the L2 distance of each image to its reconstruction, (N,)."""
    distance: Tensor = (x - r).flatten(1).norm(dim=1)
    return distance


def evaluate_light(copy: Game, reference: Reference) -> dict[str, float]:
    """Evaluate a scoring copy on fewer samples: FID, reconstruction ratio, latent error, 1-NN.

    A readout's metrics have its name before theirs: "discriminator/knn1_accuracy_features".
    """
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        able, device = copy.capabilities, reference.device
        measures: Measures = {}
        if {"sample_prior", "generate"} <= able:
            z = prior_draws(copy, reference.protocol.light_samples)
            x = mapped(copy.generate, z, device)
            if not torch.isfinite(x).all():
                return {}
            measures["fid_hybrid"] = lambda: fidelity.fid(
                extract(reference.extractor, to_uint8(x))[0], reference.train_features
            )
            if "encode" in able:
                measures["latent_error"] = lambda: reconstruction.latent_error(
                    z, mapped(copy.encode, x, device)
                )
        if "reconstruct" in able:
            test = reference.test_x[reference.light_test]
            measures["reconstruction_ratio"] = lambda: reconstruction.distance_ratio(
                "reconstruction_ratio", test, mapped(copy.reconstruct, test, device)
            )
        if "features" in able:
            measures["knn1_accuracy_features"] = partial(_light_1nn, copy.features, reference)
        for name, readout in copy.readouts().items():
            accuracy = partial(_light_1nn, readout.features, reference)
            measures[f"{name}/knn1_accuracy_features"] = accuracy
        return measure(measures).metrics


def _light_1nn(features: Callable[[Tensor], Tensor], reference: Reference) -> float:
    chosen = reference.real.order[: GALLERY * reference.protocol.light_samples]
    test, device = reference.light_test, reference.device
    train_f = mapped(features, to_range(reference.train.images[chosen]), device)
    test_f = mapped(features, reference.test_x[test], device)
    found = representation.neighbour_labels(train_f, reference.train.labels[chosen], test_f, 1)
    return representation.vote_accuracy(found, reference.test.labels[test])


def measures_of(copy: Game, reference: Reference) -> Measures:
    """Return everything that can be measured of a game, lazily."""
    able, device, test_x = copy.capabilities, reference.device, reference.test_x
    parts: list[Measures] = []
    x: Lazy | None = None
    if {"sample_prior", "generate"} <= able:
        z = prior_draws(copy, reference.protocol.samples)
        x = cache(lambda: mapped(copy.generate, z, device))
        parts += [q.of_samples(x, reference), _of_prior_draws(copy, z, x, reference)]
    if "encode" in able:
        parts += _of_encoder(copy, reference)
    if x is not None and "encode" in able:
        parts.append(_latent_cycle(copy, z, x, device))
    if "reconstruct" in able:
        r = cache(lambda: mapped(copy.reconstruct, test_x, device))
        parts.append(q.of_reconstructions(r, reference))
    return merged(*parts)


def _of_prior_draws(copy: Game, z: Tensor, x: Lazy, reference: Reference) -> Measures:
    """Measure what needs further draws of the prior, and the cost of G."""
    device, batch = reference.device, z[: cost.BATCH].to(reference.device)

    def fid_sampling_sd() -> float:
        fids = []
        for index in range(SAMPLE_SETS):
            draws = prior_draws(copy, len(z), latent_seed(index))
            drawn = x() if index == 0 else mapped(copy.generate, draws, device)
            features, _ = q.features_and_logits("fid_sampling_sd", drawn, reference)
            fids.append(fidelity.fid(features, reference.train_features))
        return float(torch.tensor(fids).std())

    def unevenness() -> float:
        assert copy.prior is not None
        ends = prior_match.gaussianised(copy.prior, z[: 2 * PAIRS])
        path = prior_match.great_circles(ends[:PAIRS], ends[PAIRS:])
        flat = prior_match.latents_of(copy.prior, path.flatten(0, 1))
        images = mapped(copy.generate, flat, device)
        features, _ = q.features_and_logits("interpolation_unevenness", images, reference)
        return prior_match.unevenness(features.view(*path.shape[:2], -1))

    return {
        "fid_sampling_sd": fid_sampling_sd,
        "interpolation_unevenness": unevenness,
        "generate_images_per_second": lambda: cost.images_per_second(copy.generate, batch),
        "generate_multiply_adds": lambda: cost.multiply_adds(copy.generate, batch),
    }


def _of_encoder(copy: Game, reference: Reference) -> list[Measures]:
    device, test_x = reference.device, reference.test_x

    @cache
    def train_code() -> Tensor:
        return mapped(copy.encode, to_range(reference.train.images), device)

    @cache
    def test_code() -> Tensor:
        return mapped(copy.encode, test_x, device)

    prior = copy.prior
    variance = None if prior is None else float(prior_draws(copy, 10_000).var(0).mean())
    batch = test_x[: cost.BATCH].to(device)
    parts = [
        _representation(copy.features, "features", reference),
        q.of_representation(train_code, test_code, "code", reference),
        q.of_code(train_code, test_code, reference, variance),
        {
            "encode_images_per_second": lambda: cost.images_per_second(copy.encode, batch),
            "encode_multiply_adds": lambda: cost.multiply_adds(copy.encode, batch),
        },
    ]
    if prior is not None:
        parts.append(q.of_prior_match(cache(lambda: prior_match.gaussianised(prior, test_code()))))
    return parts


def _latent_cycle(copy: Game, z: Tensor, x: Lazy, device: torch.device) -> Measures:
    @cache
    def recovered() -> Tensor:
        return mapped(copy.encode, x(), device)

    def again() -> Tensor:
        return mapped(copy.generate, recovered(), device)

    return q.of_latent_cycle(z, recovered, x, again)


def _representation(
    function: Callable[[Tensor], Tensor], name: str, reference: Reference
) -> Measures:
    device = reference.device
    train_x = cache(lambda: mapped(function, to_range(reference.train.images), device))
    test_x = cache(lambda: mapped(function, reference.test_x, device))
    return q.of_representation(train_x, test_x, name, reference)


def truncation_curve(copy: Game, reference: Reference) -> list[dict[str, Any]]:
    """Return fidelity and diversity of truncated samples (Brock et al. 2019) by threshold.

    On the light number of samples; the last entry, without a threshold, is the whole prior. Empty
    for a game that cannot generate or whose prior is not Gaussian.
    """
    able, n = copy.capabilities, reference.protocol.light_samples
    if not {"sample_prior", "generate"} <= able or not isinstance(copy.prior, Normal):
        return []
    curve = []
    wanted = ("fid_hybrid", "precision_hybrid", "recall_hybrid", "coverage_hybrid", "hf_ratio")
    for threshold in (*TRUNCATIONS, None):
        generator = torch.Generator().manual_seed(latent_seed(0))
        z = copy.sample_prior(n, generator, threshold)
        x = mapped(copy.generate, z, reference.device)
        row = measure(q.of_samples(given(x), reference, reference.light_real), wanted)
        curve.append({"threshold": threshold} | row.metrics)
    return curve
