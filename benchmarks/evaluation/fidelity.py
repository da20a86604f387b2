"""FID, KID and IS through torch-fidelity, from features that are already extracted.

The only module that knows torch-fidelity. Its per-metric functions take features, so none of the
high-level entry's traps is near: no cache keyed by names, no loader that advances the global random
state, no unknown arguments swallowed, no order of layers.
"""

from torch import Tensor
from torch_fidelity.metric_fid import fid_features_to_statistics, fid_statistics_to_metric
from torch_fidelity.metric_isc import isc_features_to_metric
from torch_fidelity.metric_kid import kid_features_to_metric

SEED = 2020


def fid(generated: Tensor, reference: Tensor) -> float:
    """Return the Fréchet distance of two sets of features (Heusel et al. 2017).

    Args:
        generated: features, (N, d).
        reference: features, (M, d).

    Raises:
        ValueError: fewer than 10 d generated features; the covariance would be mostly noise.

    """
    if len(generated) < 10 * generated.shape[1]:
        raise ValueError(
            f"fid_hybrid needs at least {10 * generated.shape[1]} samples for features of width "
            f"{generated.shape[1]}, got {len(generated)}"
        )
    result = fid_statistics_to_metric(
        fid_features_to_statistics(generated), fid_features_to_statistics(reference), verbose=False
    )
    return float(result["frechet_inception_distance"])


def kid(generated: Tensor, reference: Tensor) -> float:
    """Return the unbiased kernel distance (Binkowski et al. 2018), all samples in one subset.

    Args:
        generated: features of unit mean square, (N, d): the kernel (x.y / d + 1)^3 is not
        scale-free.
        reference: features, (M, d); of the larger set a fixed random subset is taken.

    """
    result = kid_features_to_metric(
        generated,
        reference,
        kid_subsets=1,
        kid_subset_size=min(len(generated), len(reference)),
        kid_degree=3,
        kid_gamma=None,
        kid_coef0=1,
        rng_seed=SEED,
        verbose=False,
    )
    return float(result["kernel_inception_distance_mean"])


def inception_score(logits: Tensor) -> float:
    """Return the Inception Score of logits (N, classes), one split (Salimans et al. 2016)."""
    result = isc_features_to_metric(logits, splits=1, shuffle=False)
    return float(result["inception_score_mean"])
