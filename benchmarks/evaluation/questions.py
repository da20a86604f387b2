"""Each question's measures: metric name -> a function that computes it when it is asked.

Games and control rows are measured by the same functions. What several metrics need is computed
once, by the first that asks.
"""

from collections.abc import Callable, Mapping
from functools import cache, partial

import torch
from torch import Tensor

from benchmarks.evaluation.extractors.extractor import extract
from benchmarks.evaluation.measures import Lazy, Measures
from benchmarks.evaluation.metrics import (
    anomaly,
    disentanglement,
    fidelity,
    prior_match,
    reconstruction,
    representation,
)
from benchmarks.evaluation.metrics import samples as s
from benchmarks.evaluation.metrics.undefined import require
from benchmarks.evaluation.real_data import Real, Reference
from datasets.images import to_range, to_uint8


def features_and_logits(metric: str, x: Tensor, reference: Reference) -> tuple[Tensor, Tensor]:
    """Return the extractor's features and logits of images in [-1, 1].

    Raises:
        Undefined: an image is not finite.

    """
    require(bool(torch.isfinite(x).all()), metric, "needs finite images")
    return extract(reference.extractor, to_uint8(x))


def of_samples(x: Lazy, reference: Reference, real: Real | None = None) -> Measures:
    """Measure images as samples.

    Args:
        x: gives images in [-1, 1], (N, C, H, W), on the CPU.
        reference: the dataset.
        real: what to compare with; the training set if not given.

    """
    real = reference.real if real is None else real
    labels = reference.train.labels

    @cache
    def extracted() -> tuple[Tensor, Tensor]:
        return features_and_logits("every metric of samples", x(), reference)

    def features() -> Tensor:
        return extracted()[0]

    def classes() -> Tensor:
        return extracted()[1].argmax(1)

    @cache
    def precision_recall() -> tuple[float, float]:
        return fidelity.precision_recall(features(), real.subset_features)

    return {
        "fid_hybrid": lambda: fidelity.fid(features(), real.features),
        "coverage_hybrid": lambda: s.coverage(features(), real.subset_features),
        "kid_hybrid": lambda: fidelity.kid(features(), real.features),
        "is_hybrid": lambda: fidelity.inception_score(extracted()[1]),
        "precision_hybrid": lambda: precision_recall()[0],
        "recall_hybrid": lambda: precision_recall()[1],
        "density_hybrid": lambda: s.density(features(), real.subset_features),
        "classes_covered": lambda: s.classes_covered(classes(), labels),
        "class_kl": lambda: s.class_kl(classes(), labels),
        "copy_rate": lambda: s.copy_rate(features(), real.gallery, reference.test_features),
        "near_duplicates": lambda: s.near_duplicates(features(), real.subset_features),
        "hf_ratio": lambda: s.hf_ratio(x(), real.hf_share),
    } | _of_neighbours(x, reference.test_x, real)


def _of_neighbours(x: Lazy, test_x: Tensor, real: Real) -> Measures:
    """Measure how far samples are from training images, and test images from samples, in pixels."""

    def ratio(metric: str, queries: Tensor, gallery: Tensor) -> float:
        return s.nearest_ratio(metric, queries, gallery, real.test_distances)

    return {
        "nearest_real_ratio": lambda: ratio("nearest_real_ratio", x(), real.subset),
        "nearest_sample_ratio": lambda: ratio("nearest_sample_ratio", test_x, x()),
    }


def of_representation(train_x: Lazy, test_x: Lazy, name: str, reference: Reference) -> Measures:
    """Measure a representation of the training and test images by their labels.

    Args:
        train_x: gives (N, d).
        test_x: gives (M, d).
        name: "features" or "code", the end of the metrics' names.
        reference: the dataset.

    """
    train_y, test_y = reference.train.labels, reference.test.labels

    @cache
    def neighbours() -> Tensor:
        return representation.neighbour_labels(train_x(), train_y, test_x(), 5)

    @cache
    def probe() -> tuple[float, bool]:
        return representation.probe_accuracy(train_x(), train_y, test_x(), test_y)

    def few(per_class: int) -> float:
        return representation.few_label_accuracy(train_x(), train_y, test_x(), test_y, per_class)

    def of_gallery() -> float:
        chosen = reference.real.order[: representation.GALLERY]
        found = representation.neighbour_labels(train_x()[chosen], train_y[chosen], test_x(), 1)
        return representation.vote_accuracy(found, test_y)

    measures = {
        f"knn1_accuracy_{name}": lambda: representation.vote_accuracy(neighbours()[:, :1], test_y),
        f"knn5_accuracy_{name}": lambda: representation.vote_accuracy(neighbours(), test_y),
        f"probe_accuracy_{name}": lambda: probe()[0],
        f"probe_converged_{name}": lambda: float(probe()[1]),
        f"few10_accuracy_{name}": lambda: few(10),
        f"few100_accuracy_{name}": lambda: few(100),
        f"effective_rank_{name}": lambda: representation.effective_rank(test_x()),
    }
    if name == "features" and len(train_y) > representation.GALLERY:
        measures["knn1_50k_accuracy_features"] = of_gallery
    return measures


def of_code(
    train_z: Lazy, test_z: Lazy, reference: Reference, variance: float | None = None
) -> Measures:
    """Measure what is asked of E(x) alone.

    Args:
        train_z: gives codes of the training images, (N, d).
        test_z: gives codes of the test images, (M, d).
        reference: the dataset.
        variance: the prior's, of each dimension, if there is one.

    """
    train_y, test_y = reference.train.labels, reference.test.labels

    @cache
    def crelu() -> tuple[float, bool]:
        return representation.crelu_probe_accuracy(train_z(), train_y, test_z(), test_y)

    @cache
    def linear() -> tuple[Tensor, float]:
        train_f, test_f = (
            disentanglement.measured_factors(to_range(split.images))
            for split in (reference.train, reference.test)
        )
        return disentanglement.linear_map(train_z(), train_f, test_z(), test_f)

    measures: Measures = {
        "crelu_probe_accuracy_code": lambda: crelu()[0],
        "probe_converged_crelu": lambda: float(crelu()[1]),
        "factors_r2_code": lambda: linear()[1],
        "disentanglement_code": lambda: disentanglement.disentanglement(linear()[0]),
        "completeness_code": lambda: disentanglement.completeness(linear()[0]),
    }
    if variance is not None:
        measures["inactive_code"] = lambda: representation.inactive_share(test_z(), variance)
    return measures


def of_prior_match(code: Lazy) -> Measures:
    """Measure codes against the prior, in its standard normal coordinates (N, d)."""
    return {
        "code_frechet": lambda: prior_match.frechet_to_normal(code()),
        "code_sliced_wasserstein": lambda: prior_match.sliced_wasserstein(code()),
        "code_ks": lambda: prior_match.mean_ks(code()),
        "code_norm_ks": lambda: prior_match.norm_ks(code()),
        "code_mean": lambda: prior_match.mean_offset(code()),
        "code_std": lambda: prior_match.mean_std(code()),
    }


def of_reconstructions(r: Lazy, reference: Reference) -> Measures:
    """Measure reconstructions of all test images, in [-1, 1], (N, C, H, W), on the CPU."""
    x, other = reference.test_x, reference.test_x.roll(-1, dims=0)
    logits, f = reference.test_logits, reference.test_features

    @cache
    def extracted() -> tuple[Tensor, Tensor]:
        return features_and_logits("every metric of reconstructions", r(), reference)

    @cache
    def ssim() -> float:
        return reconstruction.ssim(x, r())

    def over_pair(metric: str, error: Callable[[Tensor, Tensor], float]) -> float:
        return reconstruction.over_random_pair(metric, error(x, r()), error(x, other))

    def dssim_ratio() -> float:
        pair = 1 - reconstruction.ssim(x, other)
        return reconstruction.over_random_pair("reconstruction_dssim_ratio", 1 - ssim(), pair)

    return {
        "reconstruction_mse": lambda: reconstruction.mse(x, r()),
        "reconstruction_mse_ratio": lambda: over_pair(
            "reconstruction_mse_ratio", reconstruction.mse
        ),
        "reconstruction_ratio": lambda: reconstruction.distance_ratio(
            "reconstruction_ratio", x, r()
        ),
        "reconstruction_l1": lambda: reconstruction.l1(x, r()),
        "reconstruction_l1_ratio": lambda: over_pair("reconstruction_l1_ratio", reconstruction.l1),
        "reconstruction_psnr": lambda: reconstruction.psnr(reconstruction.mse(x, r())),
        "reconstruction_ssim": ssim,
        "reconstruction_dssim_ratio": dssim_ratio,
        "reconstruction_feature_ratio": lambda: reconstruction.feature_ratio(f, extracted()[0]),
        "label_agreement": lambda: reconstruction.label_agreement(logits, extracted()[1]),
        "label_agreement_ratio": lambda: _label_ratio(logits, extracted()[1]),
        "image_retrieval": lambda: reconstruction.retrieval("image_retrieval", x, r()),
        "reconstruction_hf_ratio": lambda: reconstruction.paired_hf_ratio(x, r()),
    }


def _label_ratio(logits: Tensor, of_reconstructions: Tensor) -> float:
    """Return the share of classes that reconstructions lose, over that of a random pair."""
    lost = 1 - reconstruction.label_agreement(logits, of_reconstructions)
    pair = 1 - reconstruction.label_agreement(logits, logits.roll(-1, dims=0))
    return reconstruction.over_random_pair("label_agreement_ratio", lost, pair)


def of_latent_cycle(z: Tensor, recovered: Lazy, x: Lazy, again: Lazy) -> Measures:
    """Measure z -> G -> E -> z: draws (N, d), E(G(z)), images G(z) and G(E(G(z)))."""
    return {
        "latent_error": lambda: reconstruction.latent_error(z, recovered()),
        "latent_recovered": lambda: reconstruction.latent_recovered(z, recovered()),
        "latent_retrieval": lambda: reconstruction.retrieval("latent_retrieval", z, recovered()),
        "sample_cycle_ratio": lambda: reconstruction.distance_ratio(
            "sample_cycle_ratio", x(), again()
        ),
    }


def of_anomalies(signs: Mapping[str, Lazy], labels: Tensor, left_out: int) -> Measures:
    """Measure signs of the class left out.

    Args:
        signs: metric -> gives the strangeness of each image, (N,).
        labels: classes of the images, (N,).
        left_out: the class that training never saw.

    """

    def auroc(metric: str, sign: Lazy) -> float:
        return anomaly.auroc(metric, sign(), labels == left_out)

    return {metric: partial(auroc, metric, sign) for metric, sign in signs.items()}
