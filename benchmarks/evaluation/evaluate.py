"""Evaluate one trained game, in full or lightly, with the same functions in both."""

from collections.abc import Callable

import torch
from torch import Tensor

from benchmarks.evaluation import consistency, fidelity, representation
from benchmarks.evaluation.extractor import HybridExtractor, extract, load_extractor
from benchmarks.evaluation.protocol import PROTOCOLS, Protocol
from benchmarks.evaluation.scoring import mapped, prior_draws, scoring_copy
from benchmarks.evaluation.throughput import images_per_second
from datasets.images import ImageSet, to_range, to_uint8
from zoo.game import Game

Metrics = dict[str, float]
SUBSET_SEED = 3


class Reference:
    """A dataset as the evaluation sees it; what depends on real images alone is computed once.

    Args:
        images: the dataset, on the device of the evaluation.

    """

    def __init__(self, images: ImageSet) -> None:
        # Real and generated features must come from the same arithmetic, here and in every command.
        torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
        self.images = images
        self.protocol: Protocol = PROTOCOLS[images.name]
        self.device = images.train.images.device
        self.extractor: HybridExtractor = load_extractor(self.protocol.extractor, self.device)
        self.train_features, _ = extract(self.extractor, images.train.images)
        _, self.test_logits = extract(self.extractor, images.test.images)
        order = torch.randperm(
            len(images.test), generator=torch.Generator().manual_seed(SUBSET_SEED)
        )
        self.light_test = order[: self.protocol.light_samples]


def sample_metrics(x: Tensor, reference: Reference, against: Tensor | None = None) -> Metrics:
    """Measure images as samples: FID, KID and IS.

    Args:
        x: images in [-1, 1], (N, C, H, W).
        reference: the dataset.
        against: features to compare with; the whole training set's if not given.

    """
    features, logits = extract(reference.extractor, to_uint8(x))
    against = reference.train_features if against is None else against
    return {
        "fid_hybrid": fidelity.fid(features, against),
        "kid_hybrid": fidelity.kid(features, against),
        "is_hybrid": fidelity.inception_score(logits),
    }


def reconstruction_metrics(reconstruction: Tensor, reference: Reference) -> Metrics:
    """Measure reconstructions of all test images, in [-1, 1], (N, C, H, W)."""
    x = to_range(reference.images.test.images).cpu()
    _, logits = extract(reference.extractor, to_uint8(reconstruction))
    return {
        "reconstruction_mse": consistency.reconstruction_mse(x, reconstruction),
        "reconstruction_ratio": consistency.reconstruction_ratio(x, reconstruction),
        "label_agreement": consistency.label_agreement(reference.test_logits, logits),
    }


def representation_metrics(
    train_x: Tensor, test_x: Tensor, name: str, reference: Reference
) -> Metrics:
    """Measure a representation of the training and test images by its labels.

    Args:
        train_x: (N, d).
        test_x: (M, d).
        name: "features" or "code", the end of the metrics' names.
        reference: the dataset.

    """
    train_y, test_y = reference.images.train.labels.cpu(), reference.images.test.labels.cpu()
    accuracy, converged = representation.probe_accuracy(train_x, train_y, test_x, test_y)
    return {
        f"knn1_accuracy_{name}": representation.knn1_accuracy(train_x, train_y, test_x, test_y),
        f"probe_accuracy_{name}": accuracy,
        "probe_converged": float(converged),
    }


def evaluate(copy: Game, reference: Reference) -> dict[str, Metrics]:
    """Evaluate a game and its readouts: readout name ("" for the game itself) -> metric -> value.

    What a game cannot do leaves its metrics out. Neither the game nor any global random state
    changes.

    Args:
        copy: a scoring copy of a trained game, on the reference's device.
        reference: the dataset.

    """
    with torch.random.fork_rng(devices=[]):
        rows = {"": _evaluate_game(copy, reference)}
        for name, readout in copy.readouts().items():
            rows[name] = _representation(readout.features, "features", reference)
    return rows


def evaluate_light(game: Game, reference: Reference) -> Metrics:
    """Evaluate a game under training on fewer samples: FID, reconstruction ratio, latent error."""
    with torch.random.fork_rng(devices=[]):
        copy = scoring_copy(game, reference.images.train, reference.protocol)
        able, result = copy.capabilities, Metrics()
        device, n = reference.device, reference.protocol.light_samples
        if {"sample_prior", "generate"} <= able:
            z = prior_draws(copy, n)
            x = mapped(copy.generate, z, device)
            if not torch.isfinite(x).all():
                return {}
            features, _ = extract(reference.extractor, to_uint8(x))
            result["fid_hybrid"] = fidelity.fid(features, reference.train_features)
            if "encode" in able:
                recovered = mapped(copy.encode, x, device)
                result["latent_error"] = consistency.latent_error(z, recovered)
        if "reconstruct" in able:
            x = to_range(reference.images.test.images[reference.light_test.to(device)]).cpu()
            result["reconstruction_ratio"] = consistency.reconstruction_ratio(
                x, mapped(copy.reconstruct, x, device)
            )
    return result


def _evaluate_game(copy: Game, reference: Reference) -> Metrics:
    able, device = copy.capabilities, reference.device
    metrics = Metrics()
    test_x = to_range(reference.images.test.images).cpu()
    if {"sample_prior", "generate"} <= able:
        z = prior_draws(copy, reference.protocol.samples)
        x = mapped(copy.generate, z, device)
        metrics |= sample_metrics(x, reference)
        metrics["generate_images_per_second"] = images_per_second(copy.generate, z.to(device))
        if "encode" in able:
            metrics["latent_error"] = consistency.latent_error(z, mapped(copy.encode, x, device))
    if "encode" in able:
        code = _representation(copy.encode, "code", reference)
        features = _representation(copy.features, "features", reference)
        converged = min(code["probe_converged"], features["probe_converged"])
        metrics |= code | features | {"probe_converged": converged}
        metrics["encode_images_per_second"] = images_per_second(copy.encode, test_x.to(device))
    if "reconstruct" in able:
        metrics |= reconstruction_metrics(mapped(copy.reconstruct, test_x, device), reference)
    return metrics


def _representation(
    function: Callable[[Tensor], Tensor], name: str, reference: Reference
) -> Metrics:
    images, device = reference.images, reference.device
    train_x = mapped(function, to_range(images.train.images), device)
    test_x = mapped(function, to_range(images.test.images), device)
    return representation_metrics(train_x, test_x, name, reference)
