"""Does E fill the prior, and is the way between two draws smooth?

Codes and latents are rows (N, d) in standard normal coordinates; `gaussianised` brings those of
another prior there, so that every prior is measured with one formula. No single number sees every
defect (equal moments with another shape, a shell, dependence), hence several.
"""

import math

import numpy as np
import torch
from scipy import stats
from torch import Tensor

from benchmarks.evaluation.metrics.undefined import require, require_rows
from zoo.priors import Normal, Prior, Uniform

DIRECTIONS, DIRECTION_SEED = 500, 6
STEPS = 16
EDGE = 1e-6


def gaussianised(prior: Prior, z: Tensor) -> Tensor:
    """Map latents of a prior to where its draws are standard normal, (N, d) float64.

    U(-1, 1) goes through its distribution function; what lies outside is moved to its edge.
    """
    if isinstance(prior, Normal):
        return z.double()
    if isinstance(prior, Uniform):
        share = ((z.double() + 1) / 2).clamp(EDGE, 1 - EDGE)
        gaussian: Tensor = torch.special.ndtri(share)
        return gaussian
    raise TypeError(f"no standard normal coordinates are known for {type(prior).__name__}")


def latents_of(prior: Prior, gaussian: Tensor) -> Tensor:
    """Map standard normal coordinates back to latents of a prior, float32."""
    if isinstance(prior, Uniform):
        gaussian = 2 * torch.special.ndtr(gaussian) - 1
    return gaussian.float()


def frechet_to_normal(code: Tensor) -> float:
    """Return the Fréchet distance of codes to N(0, I), exactly: |m|^2 + tr S + d - 2 tr S^(1/2)."""
    require_rows("code_frechet", 2, codes=code)
    d = code.shape[1]
    spectrum = torch.linalg.eigvalsh(torch.cov(code.T).reshape(d, d)).clamp_min(0)
    return float(code.mean(0).square().sum() + (spectrum + 1 - 2 * spectrum.sqrt()).sum())


def sliced_wasserstein(code: Tensor) -> float:
    """Return the squared 2-Wasserstein distance to N(0, 1), mean over 500 fixed directions.

    Bonneel et al. 2015; sorted projections against the exact normal quantiles.
    """
    require_rows("code_sliced_wasserstein", 2, codes=code)
    generator = torch.Generator().manual_seed(DIRECTION_SEED)
    directions = torch.randn(code.shape[1], DIRECTIONS, generator=generator, dtype=torch.double)
    projected = (code @ (directions / directions.norm(dim=0))).sort(0).values
    quantiles = torch.special.ndtri((torch.arange(len(code)).double() + 0.5) / len(code))
    return float((projected - quantiles[:, None]).square().mean())


def mean_ks(code: Tensor) -> float:
    """Return each dimension's Kolmogorov-Smirnov distance to N(0, 1), mean over dimensions."""
    require_rows("code_ks", 2, codes=code)
    return float(np.mean([stats.kstest(column, "norm").statistic for column in code.T.numpy()]))


def norm_ks(code: Tensor) -> float:
    """Return the Kolmogorov-Smirnov distance of squared norms to chi squared with d degrees."""
    require_rows("code_norm_ks", 2, codes=code)
    squared = code.square().sum(1).numpy()
    return float(stats.kstest(squared, "chi2", args=(code.shape[1],)).statistic)


def mean_offset(code: Tensor) -> float:
    """Return |mean| of the codes, mean over dimensions."""
    require_rows("code_mean", 1, codes=code)
    return float(code.mean(0).abs().mean())


def mean_std(code: Tensor) -> float:
    """Return the standard deviation of the codes, mean over dimensions."""
    require_rows("code_std", 2, codes=code)
    return float(code.std(0).mean())


def great_circles(start: Tensor, end: Tensor) -> Tensor:
    """Return 17 points on the way between pairs of draws, (17, N, d), each again N(0, I).

    cos(t) start + sin(t) end: a straight line would pass near the centre, where no draw lies.
    """
    angle = torch.linspace(0, math.pi / 2, STEPS + 1, dtype=torch.double)[:, None, None]
    return angle.cos() * start.double() + angle.sin() * end.double()


def unevenness(path: Tensor) -> float:
    """Return the largest over the mean step along paths, mean over pairs: 1 even, 16 one jump.

    Args:
        path: features of the images on the way, (17, N, d).

    """
    metric = "interpolation_unevenness"
    require_rows(metric, 2, path=path)
    steps = path.double().diff(dim=0).norm(dim=2)
    moving = steps.sum(0) > 0
    require(bool(moving.any()), metric, "needs images that change on the way")
    return float((steps.amax(0) / steps.mean(0))[moving].mean())
