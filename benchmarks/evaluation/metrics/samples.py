"""Do samples G(z) look like the data, in all its variety, and are they new?

Features are rows (N, d) of an extractor, centred and of unit mean square; images are float in
[-1, 1], (N, C, H, W); everything is on the CPU.
"""

import torch
from torch import Tensor
from torch.nn.functional import pad

from benchmarks.evaluation.metrics.undefined import require, require_rows

NEIGHBOURS = 5
RARE = 0.1
"""A class counts as covered above this share of its real rate."""
DUPLICATE = 0.1
"""A duplicate is nearer than this share of the median distance between real neighbours."""
HIGH_FREQUENCY = 0.25
BLOCK, GROUP, SPARE = 500, 64, 5


def nearest(queries: Tensor, gallery: Tensor, k: int = 1) -> tuple[Tensor, Tensor]:
    """Return distances and indices of each query's k nearest gallery rows, nearest first: (N, k).

    Euclidean: candidates by a single-precision product of centred rows, five more than asked,
    ordered by their distances in double precision. Exact unless neighbours are some thousand times
    nearer than the rows are to their centre; of up to six equally near rows the first.
    """
    centre = gallery.flatten(1).mean(0)
    rows, asked = gallery.flatten(1) - centre, queries.flatten(1) - centre
    candidates = min(len(rows), k + SPARE)
    # Rows at infinity fill the last group.
    filling = -len(rows) % GROUP
    squares = pad(rows.square().sum(1), (0, filling), value=torch.inf)
    rows = pad(rows, (0, 0, 0, filling))
    found = []
    for part in torch.split(asked, BLOCK):
        rough = torch.addmm(squares, part, rows.T, alpha=-2)
        index = _smallest(rough, candidates).sort(1).values
        exact = (rows[index].double() - part[:, None].double()).norm(dim=2)
        order = exact.sort(dim=1, stable=True)
        found.append((order.values[:, :k], index.gather(1, order.indices[:, :k])))
    distances, indices = zip(*found, strict=True)
    return torch.cat(distances), torch.cat(indices)


def _smallest(x: Tensor, k: int) -> Tensor:
    """Return the columns of each row's k smallest entries: columns are a multiple of 64.

    They lie in the k groups of columns with the smallest minima; one pass over x finds those.
    """
    groups = x.view(len(x), -1, GROUP)
    chosen = groups.amin(2).topk(min(k, groups.shape[1]), largest=False).indices
    members = groups.gather(1, chosen[:, :, None].expand(-1, -1, GROUP)).flatten(1)
    found = members.topk(k, largest=False).indices
    columns: Tensor = chosen.gather(1, found // GROUP) * GROUP + found % GROUP
    return columns


def own_radii(x: Tensor, k: int) -> Tensor:
    """Return each row's distance to its k-th nearest other row, (N,)."""
    return nearest(x, x, k + 1)[0][:, k]  # the nearest is the row itself


def coverage(generated: Tensor, real: Tensor) -> float:
    """Return the share of real rows with a generated row within their 5th-neighbour radius.

    Naeem et al. 2020, section 3.2. Equal distributions reach 1 - 2^-5 whatever the number of rows;
    a lost class costs its mass.
    """
    require_rows("coverage_hybrid", NEIGHBOURS + 1, generated=generated, real=real)
    radii = own_radii(real, NEIGHBOURS)
    return float((nearest(real, generated)[0][:, 0] <= radii).double().mean())


def density(generated: Tensor, real: Tensor) -> float:
    """Return how many real 5th-neighbour balls hold a generated row, over 5; 1 if as real.

    Naeem et al. 2020, section 3.1.
    """
    require_rows("density_hybrid", NEIGHBOURS + 1, generated=generated, real=real)
    radii, real = own_radii(real, NEIGHBOURS), real.double()
    blocks = torch.split(generated.double(), BLOCK)
    inside = sum(float((torch.cdist(block, real) <= radii).sum()) for block in blocks)
    return inside / (NEIGHBOURS * len(generated))


def clipped_density(generated: Tensor, real: Tensor) -> float:
    """Return how much of generated rows lies where real rows lie, in [0, 1]; 1 if as real.

    Clipped Density, k = 5 (Salvy et al. 2025, arXiv 2507.01761). The balls around real rows reach
    to their 5th neighbour, but at most to the median of those distances: an outlier's ball collects
    no more than others do. A row counts the balls that hold it over 5, at most 1. The mean over
    generated rows is divided by that of the real rows, each left out of its own ball, and is at
    most 1. These are all steps of the paper's Clipped Density; its analytical calibration belongs
    to Clipped Coverage alone, which is not computed here.

    Args:
        generated: (N, d).
        real: (M, d), M > 5.

    """
    metric = "clipped_density"
    require_rows(metric, 1, generated=generated)
    require_rows(metric, NEIGHBOURS + 1, real=real)
    distances, indices = nearest(real, real, NEIGHBOURS + 1)
    radii = distances[:, NEIGHBOURS].clamp(max=float(distances[:, NEIGHBOURS].quantile(0.5)))
    require(float(radii.max()) > 0, metric, "needs real rows that differ")
    other = indices != torch.arange(len(real))[:, None]
    other[:, -1] &= ~other.all(1)  # more equal rows than neighbours: the row is not among them
    held = indices[other & (distances <= radii[:, None])]
    usual = _clipped_share(torch.bincount(held, minlength=len(real)))
    centre = real.double().mean(0)
    balls, blocks = real.double() - centre, torch.split(generated.double() - centre, BLOCK)
    counts = torch.cat([(torch.cdist(block, balls) <= radii).sum(1) for block in blocks])
    return min(1.0, _clipped_share(counts) / usual)


def _clipped_share(counts: Tensor) -> float:
    """Return the mean over rows of the balls that hold them over 5, each at most 1."""
    return float((counts.double() / NEIGHBOURS).clamp(max=1).mean())


def classes_covered(predicted: Tensor, labels: Tensor) -> float:
    """Return how many classes occur at more than a tenth of their real rate.

    Args:
        predicted: class of each sample by the extractor, (N,).
        labels: classes of the training set, (M,).

    """
    found, real = _histograms("classes_covered", predicted, labels)
    return float((found > RARE * real)[real > 0].sum())


def class_kl(predicted: Tensor, labels: Tensor) -> float:
    """Return KL(samples || training set) of the class histograms in nats; arguments as above."""
    found, real = _histograms("class_kl", predicted, labels)
    require(bool((real > 0).all()), "class_kl", "needs every class in the training set")
    return float(torch.special.xlogy(found, found / real).sum())


def _histograms(metric: str, predicted: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    require_rows(metric, 1, predicted=predicted, labels=labels)
    classes = int(max(predicted.max(), labels.max())) + 1
    found, real = (torch.bincount(y, minlength=classes).double() for y in (predicted, labels))
    return found / found.sum(), real / real.sum()


def nearest_ratio(metric: str, queries: Tensor, gallery: Tensor, usual: Tensor) -> float:
    """Return the mean distance of queries to their nearest in a gallery, over the usual ones.

    Args:
        metric: whose number it is, for the error.
        queries: rows or images.
        gallery: rows or images.
        usual: the same distances between real images, (M,).

    """
    require_rows(metric, 1, queries=queries, gallery=gallery)
    require(float(usual.mean()) > 0, metric, "needs real images that differ")
    return float(nearest(queries, gallery)[0].mean() / usual.mean())


def copy_rate(generated: Tensor, train: Tensor, held_out: Tensor) -> float:
    """Return the share of generated rows nearer to training rows than to held-out rows.

    .5 for fresh data, 1 for copies of the training rows; a tie counts half. A simple form of the
    data-copying test of Meehan et al. 2020.

    Args:
        generated: (N, d).
        train: (M, d).
        held_out: as many rows of the same distribution that the model never saw, (M, d).

    """
    require_rows("copy_rate", 1, generated=generated, train=train, held_out=held_out)
    require(len(train) == len(held_out), "copy_rate", "needs as many training as held-out rows")
    to_train, to_held_out = (nearest(generated, gallery)[0] for gallery in (train, held_out))
    return float(((to_train < to_held_out) + 0.5 * (to_train == to_held_out)).double().mean())


def near_duplicates(generated: Tensor, real: Tensor) -> float:
    """Return the share of generated rows with another one nearer than real rows usually are."""
    require_rows("near_duplicates", 2, generated=generated, real=real)
    usual = own_radii(real, 1).median()
    require(float(usual) > 0, "near_duplicates", "needs real images that differ")
    return float((own_radii(generated, 1) < DUPLICATE * usual).double().mean())


def high_frequency(x: Tensor) -> tuple[Tensor, Tensor]:
    """Return each image's power above 0.25 cycles per pixel and its whole power, mean left out.

    Args:
        x: images, (N, C, H, W); powers are (N,), summed over channels.

    """
    height, width = x.shape[-2:]
    fy, fx = torch.fft.fftfreq(height), torch.fft.fftfreq(width)
    radius = (fy[:, None].square() + fx[None].square()).sqrt()
    x = x.double()
    # Before, not after the transform: its rounding would give a flat image a spectrum.
    power = torch.fft.fft2(x - x.mean((2, 3), keepdim=True)).abs().square().sum(1)
    power[:, 0, 0] = 0
    return (power * (radius > HIGH_FREQUENCY)).sum((1, 2)), power.sum((1, 2))


def high_frequency_share(x: Tensor) -> Tensor:
    """Return the share of each image's power above 0.25 cycles per pixel, (N,); 0 if it is flat."""
    high, whole = high_frequency(x)
    return torch.where(whole > 0, high / whole.clamp_min(1e-300), 0.0)


def hf_ratio(x: Tensor, real_share: Tensor) -> float:
    """Return the mean high-frequency share of images over that of real ones, (M,).

    Unlike a Laplacian's variance it ignores contrast and shifts; a thin stroke counts as sharp.
    """
    require_rows("hf_ratio", 1, images=x, real=real_share)
    require(float(real_share.mean()) > 0, "hf_ratio", "needs real images that are not flat")
    return float(high_frequency_share(x).mean() / real_share.mean())
