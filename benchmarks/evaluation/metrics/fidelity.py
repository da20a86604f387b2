"""FID, KID, IS, precision and recall through torch-fidelity, from features already extracted.

The only module that knows torch-fidelity. Its per-metric functions take features, so none of the
high-level entry's traps is near: no cache keyed by names, no loader that advances the global random
state, no unknown arguments swallowed, no order of layers. All sets of features are floating point,
on the CPU, with d > 1, and a set that cannot be measured is `Undefined`, which names the metric.
"""

from io import BytesIO

import numpy as np
import torch
from torch import Tensor, nn
from torch_fidelity.feature_extractor_inceptionv3 import (
    URL_INCEPTION_V3,
    FeatureExtractorInceptionV3,
)
from torch_fidelity.metric_fid import fid_features_to_statistics, fid_statistics_to_metric
from torch_fidelity.metric_isc import isc_features_to_metric
from torch_fidelity.metric_kid import kid_features_to_metric
from torch_fidelity.metric_prc import prc_features_to_metric

from benchmarks.evaluation.metrics.undefined import Undefined, require

Statistics = dict[str, np.ndarray]
SEED = 2020
NEIGHBOURS, DISTANCE_BLOCK = 3, 1000
EXTRAPOLATION_SIZES = 8
INCEPTION_URL: str = URL_INCEPTION_V3
"""Where torch-fidelity publishes the weights of its `inception-v3-compat`."""


def fid(
    generated: Tensor,
    reference: Tensor,
    *,
    name: str = "fid_hybrid",
    least_per_feature: int = 10,
) -> float:
    """Return the Fréchet distance of two sets of features (Heusel et al. 2017).

    Args:
        generated: features, (N, d); they may be constant, as those of a collapsed generator are.
        reference: features, (M, d).
        name: the metric's name, for errors.
        least_per_feature: how many times d each set must hold: below 10 the covariance is noisy.

    Raises:
        Undefined: too few samples in a set, or sets that cannot be compared.

    """
    _check_pair(name, generated, reference, least_per_feature=least_per_feature)
    return fid_of_statistics(fid_statistics(generated), fid_statistics(reference))


def fid_infinity(
    generated: Tensor,
    reference: Tensor,
    *,
    name: str = "fid_infinity",
    least_per_feature: int = 10,
) -> float:
    """Return the Fréchet distance extrapolated to infinitely many samples (Chong & Forsyth 2020).

    The distance of n samples is too large by about a constant over n. It is taken at up to 8 sizes,
    evenly spaced in 1/n between a fifth of the samples (not below `least_per_feature` d) and all of
    them, and a straight line through them is read at 1/n = 0. A size has the mean of as many
    disjoint random subsets as there are, which the paper does not do: it halves the noise. The
    reference is always whole, so the bias of its own finite size stays, and a distance near 0 may
    come out below 0.

    Args:
        generated: features, (N, d), N at least twice `least_per_feature` d.
        reference: features, (M, d).
        name: the metric's name, for errors.
        least_per_feature: how many times d the smallest subset and the reference must hold.

    Raises:
        Undefined: too few samples in a set, or sets that cannot be compared.

    """
    _check_pair(name, generated, reference, least_per_feature=least_per_feature)
    least, whole = least_per_feature * generated.shape[1], len(generated)
    require(whole >= 2 * least, name, f"needs at least {2 * least} samples, got {whole}")
    inverse = np.linspace(1 / whole, 1 / max(whole // 5, least), EXTRAPOLATION_SIZES)
    sizes = np.unique(np.round(1 / inverse).astype(int))
    generator = torch.Generator().manual_seed(SEED)
    known = fid_statistics(reference)
    distances = []
    for size in sizes.tolist():
        order = torch.randperm(whole, generator=generator)
        parts = [order[i * size : (i + 1) * size] for i in range(whole // size)]
        found = [fid_of_statistics(fid_statistics(generated[part]), known) for part in parts]
        distances.append(np.mean(found))
    return float(np.polyfit(1 / sizes, distances, 1)[1])


def fid_statistics(features: Tensor) -> Statistics:
    """Return mean and covariance of features (N, d), double precision."""
    found: Statistics = fid_features_to_statistics(features)
    return found


def fid_of_statistics(generated: Statistics, reference: Statistics) -> float:
    """Return the Fréchet distance of two Gaussians given by `fid_statistics`."""
    result = fid_statistics_to_metric(generated, reference, verbose=False)
    return float(result["frechet_inception_distance"])


def kid(generated: Tensor, reference: Tensor, *, name: str = "kid_hybrid") -> float:
    """Return the unbiased kernel distance (Binkowski et al. 2018), in one subset.

    torch-fidelity compares sets of equal size only, so the smaller set is taken whole and of the
    larger one a fixed random subset. That leaves the estimate unbiased and costs variance alone; it
    depends on the larger set's order through the subset.

    Args:
        generated: features of unit mean square, (N, d): the kernel (x.y / d + 1)^3 is not
            scale-free.
        reference: features, (M, d).
        name: the metric's name, for errors.

    Raises:
        Undefined: fewer than two samples in a set, or sets that cannot be compared.

    """
    _check_pair(name, generated, reference, least=2)
    result = kid_features_to_metric(
        generated,
        reference,
        kid_subsets=1,
        kid_subset_size=min(len(generated), len(reference)),
        kid_kernel="poly",
        kid_kernel_poly_degree=3,
        kid_kernel_poly_gamma=None,
        kid_kernel_poly_coef0=1,
        rng_seed=SEED,
        verbose=False,
    )
    return float(result["kernel_inception_distance_mean"])


def precision_recall(generated: Tensor, real: Tensor) -> tuple[float, float]:
    """Return improved precision and recall, k = 3 (Kynkäänniemi et al. 2019), both in [0, 1].

    Precision is the share of generated samples within reach of a real one, recall the share of real
    samples within reach of a generated one; reach is the distance to the k-th neighbour in the own
    set.

    Args:
        generated: features, (N, d).
        real: features, (M, d).

    Raises:
        Undefined: no more than k samples in a set, or sets that cannot be compared.

    """
    _check_pair("precision_recall", generated, real, least=NEIGHBOURS + 1)
    result = prc_features_to_metric(
        # Distances come from x.x - 2 x.y + y.y, which in single precision loses close neighbours
        # as soon as the features are off centre.
        generated.double(),
        real.double(),
        prc_neighborhood=NEIGHBOURS,
        prc_batch_size=DISTANCE_BLOCK,
        save_cpu_ram=True,  # blocks of rows instead of whole distance matrices
        verbose=False,
    )
    return float(result["precision"]), float(result["recall"])


def inception_score(logits: Tensor, *, name: str = "is_hybrid") -> float:
    """Return the Inception Score of logits (N, classes), one split (Salimans et al. 2016).

    Raises:
        Undefined: fewer than two samples, or logits that are not finite (N, classes).

    """
    _check(name, "logits", logits, least=2)
    # A class of probability 0 in all samples would be 0 log 0; the floor, e^-700, changes nothing.
    floored = torch.maximum(logits.double(), logits.double().amax(1, keepdim=True) - 700)
    result = isc_features_to_metric(floored, splits=1, shuffle=False)
    return float(result["inception_score_mean"])


def inception_network(name: str, layers: list[str], state: dict[str, Tensor]) -> nn.Module:
    """Build torch-fidelity's `inception-v3-compat` with given weights: frozen, in eval mode.

    Its constructor can only download the weights or unpickle a file without restrictions. It is
    given a buffer written here, so what it unpickles is never a foreign file. The global random
    state stays as it is.

    Raises:
        RuntimeError: the names or shapes in `state` are not the network's.

    """
    buffer = BytesIO()
    torch.save(state, buffer)
    buffer.seek(0)
    with torch.random.fork_rng(devices=[]):  # weights are initialised before they are loaded
        network: nn.Module = FeatureExtractorInceptionV3(
            name, layers, feature_extractor_weights_path=buffer
        )
    return network


def _check_pair(
    name: str, generated: Tensor, reference: Tensor, *, least: int = 2, least_per_feature: int = 0
) -> None:
    """Raise Undefined if two sets cannot be compared, or all samples of the second are equal."""
    for role, features in (("generated", generated), ("reference", reference)):
        _check(name, role, features, least=least, least_per_feature=least_per_feature)
    if generated.shape[1] != reference.shape[1] or generated.dtype != reference.dtype:
        raise Undefined(
            f"{name}: generated and reference features differ in width or type: "
            f"{generated.shape[1]} {generated.dtype} and {reference.shape[1]} {reference.dtype}"
        )
    if (reference == reference[0]).all():
        raise Undefined(f"{name}: all reference features are equal; no distance has a meaning")


def _check(name: str, role: str, x: Tensor, *, least: int, least_per_feature: int = 0) -> None:
    """Raise Undefined if a set is not (N, d), N large enough and d > 1, of finite floats."""
    if x.ndim != 2 or x.shape[1] < 2 or not x.is_floating_point():
        raise Undefined(
            f"{name}: {role} must be floating point (N, d) with d > 1, got {x.dtype} "
            f"{tuple(x.shape)}"
        )
    needed = max(least, least_per_feature * x.shape[1])
    if len(x) < needed:
        raise Undefined(
            f"{name} needs at least {needed} samples for features of width {x.shape[1]}, "
            f"got {len(x)} ({role})"
        )
    if not torch.isfinite(x).all():
        raise Undefined(f"{name}: {role} with non-finite values")
