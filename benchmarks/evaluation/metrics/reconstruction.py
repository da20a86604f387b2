"""Do the two directions invert each other? x -> E -> G -> x and z -> G -> E -> z.

Images x and their reconstructions r are float in [-1, 1], (N, C, H, W), in no order of class;
errors are in units of [0, 1]. "A random pair" is an image and the next one.
"""

import math

import torch
from torch import Tensor

from benchmarks.evaluation.metrics.samples import high_frequency, nearest
from benchmarks.evaluation.metrics.undefined import require, require_rows

WINDOW, WINDOW_SIGMA = 11, 1.5
C1, C2 = 0.01**2, 0.03**2
RETRIEVED = 1000


def mse(x: Tensor, r: Tensor) -> float:
    """Return the mean squared error."""
    require_rows("reconstruction_mse", 1, images=x, reconstructions=r)
    return float(((x - r) / 2).double().square().mean())


def l1(x: Tensor, r: Tensor) -> float:
    """Return the mean absolute error."""
    require_rows("reconstruction_l1", 1, images=x, reconstructions=r)
    return float(((x - r) / 2).double().abs().mean())


def psnr(mean_squared_error: float) -> float:
    """Return 10 log10(1 / MSE) of a mean squared error, in decibels."""
    require(mean_squared_error > 0, "reconstruction_psnr", "is infinite for equal images")
    return -10 * math.log10(mean_squared_error)


def ssim(x: Tensor, r: Tensor) -> float:
    """Return the mean structural similarity (Wang et al. 2004), where the window fits whole.

    A Gaussian window of 11 x 11 pixels, standard deviation 1.5, smaller on smaller images; dynamic
    range 1; channels by themselves.
    """
    require_rows("reconstruction_ssim", 1, images=x, reconstructions=r)
    x, r = ((image.double() + 1).flatten(0, 1) / 2 for image in (x, r))
    side = min(x.shape[-2:])
    taps = _window(min(WINDOW, side - 1 + side % 2))
    down, across = (_sliding(taps, size) for size in x.shape[-2:])

    def blur(image: Tensor) -> Tensor:
        return down @ image @ across.T

    mean_x, mean_r = blur(x), blur(r)
    var_x, var_r = blur(x * x) - mean_x**2, blur(r * r) - mean_r**2
    covariance = blur(x * r) - mean_x * mean_r
    luminance = (2 * mean_x * mean_r + C1) / (mean_x**2 + mean_r**2 + C1)
    structure = (2 * covariance + C2) / (var_x + var_r + C2)
    return float((luminance * structure).mean())


def _window(size: int) -> Tensor:
    place = torch.arange(size, dtype=torch.double) - (size - 1) / 2
    taps = torch.exp(-place.square() / (2 * WINDOW_SIGMA**2))
    return taps / taps.sum()


def _sliding(taps: Tensor, size: int) -> Tensor:
    """Return the matrix that applies a filter to a line wherever it fits, (places, size)."""
    places = size - len(taps) + 1
    return torch.stack([torch.nn.functional.pad(taps, (i, places - 1 - i)) for i in range(places)])


def distance_ratio(metric: str, x: Tensor, r: Tensor) -> float:
    """Return mean ||x_i - r_i|| over mean ||x_{i+1} - r_i||: 0 ideal, 1 if r tells nothing of x.

    The BiGAN authors' ratio, of images or of rows.
    """
    require_rows(metric, 2, images=x, reconstructions=r)
    own = (x - r).flatten(1).double().norm(dim=1).mean()
    other = (x.roll(-1, dims=0) - r).flatten(1).double().norm(dim=1).mean()
    require(float(other) > 0, metric, "needs images that differ")
    return float(own / other)


def feature_ratio(x: Tensor, r: Tensor) -> float:
    """Return mean ||f(x_i) - f(r_i)||^2 over that of random pairs of real images, features (N, d).

    0 ideal; 1 if the reconstruction is as far from its image as another image is.
    """
    metric = "reconstruction_feature_ratio"
    require_rows(metric, 2, images=x, reconstructions=r)
    other = (x - x.roll(-1, dims=0)).double().square().sum(1).mean()
    require(float(other) > 0, metric, "needs images that differ")
    return float((x - r).double().square().sum(1).mean() / other)


def over_random_pair(metric: str, own: float, pair: float) -> float:
    """Return an error over the same error of random pairs of real images."""
    require(pair > 0, metric, "needs images that differ")
    return own / pair


def label_agreement(logits: Tensor, reconstruction_logits: Tensor) -> float:
    """Return the share of images whose reconstruction has the same predicted class; logits in."""
    require_rows("label_agreement", 1, logits=logits, reconstructions=reconstruction_logits)
    same = logits.argmax(1) == reconstruction_logits.argmax(1)
    return float(same.double().mean())


def retrieval(metric: str, x: Tensor, r: Tensor) -> float:
    """Return the share of i whose x_i is the nearest to r_i among the first 1,000.

    Of rows or images; it cannot be won by any other image of the same class.
    """
    require_rows(metric, 2, originals=x, reconstructions=r)
    x, r = x[:RETRIEVED], r[:RETRIEVED]
    found = nearest(r, x)[1][:, 0]
    return float((found == torch.arange(len(x))).double().mean())


def paired_hf_ratio(x: Tensor, r: Tensor) -> float:
    """Return the power of r above 0.25 cycles per pixel over that of x, median over images.

    The pairing cancels class and stroke width; flat images x are left out.
    """
    metric = "reconstruction_hf_ratio"
    require_rows(metric, 1, images=x, reconstructions=r)
    (high_x, _), (high_r, _) = high_frequency(x), high_frequency(r)
    seen = high_x > 0
    require(bool(seen.any()), metric, "needs images that are not flat")
    return float((high_r[seen] / high_x[seen]).median())


def latent_error(z: Tensor, recovered: Tensor) -> float:
    """Return mean ||E(G(z)) - z||^2 over mean ||z - mean z||^2, (N, d).

    0 if E inverts G; 1 if it answers with the prior's mean; 2 for an independent draw of the prior.

    """
    require_rows("latent_error", 2, latents=z, recovered=recovered)
    z, recovered = z.double(), recovered.double()
    return float((recovered - z).square().sum() / (z - z.mean(0)).square().sum())


def latent_recovered(z: Tensor, recovered: Tensor) -> float:
    """Return the share of dimensions with 1 - ||E(G(z)) - z||^2 / ||z - mean z||^2 above a half."""
    require_rows("latent_recovered", 2, latents=z, recovered=recovered)
    z, recovered = z.double(), recovered.double()
    error = (recovered - z).square().sum(0) / (z - z.mean(0)).square().sum(0)
    return float((error < 0.5).double().mean())
