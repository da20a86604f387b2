"""Points against the modes of the mixture they should come from.

Points are coordinates (N, d), modes their centres (K, d), both in the data's own units. All modes
have one spread and one weight, so the most responsible component is the nearest.
"""

import torch
from torch import Tensor

from benchmarks.evaluation.metrics.undefined import require_rows

REACH = 3.0
"""Standard deviations round a mode within which a sample counts as one of its points."""


def nearest_modes(points: Tensor, centres: Tensor) -> tuple[Tensor, Tensor]:
    """Return each point's distance to its nearest mode, and which one that is: (N,) and (N,)."""
    found = torch.cdist(points, centres, compute_mode="donot_use_mm_for_euclid_dist").min(1)
    return found.values, found.indices


def modes_covered(points: Tensor, centres: Tensor) -> float:
    """Return how many modes are the nearest of at least one point (Dumoulin et al. 2017)."""
    require_rows("modes_covered", 1, points=points)
    return float(len(set(nearest_modes(points, centres)[1].tolist())))


def on_modes(points: Tensor, centres: Tensor, std: float) -> float:
    """Return the share of points within three standard deviations of a mode.

    In the plane the mixture itself reaches 1 - exp(-9/2) = .989.
    """
    require_rows("on_modes", 1, points=points)
    return float((nearest_modes(points, centres)[0] <= REACH * std).double().mean())


def mode_kl(points: Tensor, centres: Tensor) -> float:
    """Return KL(share of points by nearest mode || equal shares) in nats; ln K for one mode."""
    require_rows("mode_kl", 1, points=points)
    counts = torch.bincount(nearest_modes(points, centres)[1], minlength=len(centres))
    share = counts.double() / len(points)
    return float(torch.special.xlogy(share, share * len(centres)).sum())


def mode_kept(x: Tensor, r: Tensor, centres: Tensor) -> float:
    """Return the share of points x whose reconstructions r are nearest to the same mode."""
    require_rows("mode_kept", 1, points=x, reconstructions=r)
    same = nearest_modes(x, centres)[1] == nearest_modes(r, centres)[1]
    return float(same.double().mean())


def reconstruction_distance(x: Tensor, r: Tensor) -> float:
    """Return the mean Euclidean distance of points x to their reconstructions r."""
    require_rows("reconstruction_distance", 1, points=x, reconstructions=r)
    return float((x - r).norm(dim=1).mean())
