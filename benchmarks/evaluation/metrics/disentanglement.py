"""Does E(x) keep the factors of a picture apart?

No label tells a digit's factors, but some can be measured in the image itself, as in Morpho-MNIST
(Castro et al. 2019): how much ink, how slanted, how wide and how high.
"""

import numpy as np
import torch
from sklearn.linear_model import LinearRegression
from torch import Tensor

from benchmarks.evaluation.metrics.representation import standardised
from benchmarks.evaluation.metrics.undefined import require_rows

FACTORS = ("ink", "slant", "width", "height")


def measured_factors(x: Tensor) -> Tensor:
    """Return ink, slant, width and height of each image, (N, 4).

    Ink is the mean pixel in [0, 1]; width and height are standard deviations of the ink's place in
    pixels; slant is its horizontal shift per row. An image without ink has zeros.

    Args:
        x: images in [-1, 1], dark background, (N, C, H, W).

    """
    ink = (x.double().mean(1) + 1) / 2
    mass = ink.sum((1, 2)).clamp_min(1e-9)
    rows = torch.arange(x.shape[2], dtype=torch.double)[None, :, None]
    columns = torch.arange(x.shape[3], dtype=torch.double)[None, None]

    def mean(values: Tensor) -> Tensor:
        return (values * ink).sum((1, 2)) / mass

    down = rows - mean(rows)[:, None, None]
    across = columns - mean(columns)[:, None, None]
    vertical, horizontal, joint = mean(down**2), mean(across**2), mean(down * across)
    slant = joint / vertical.clamp_min(1e-9)
    return torch.stack([ink.mean((1, 2)), slant, horizontal.sqrt(), vertical.sqrt()], dim=1)


def linear_map(
    train_x: Tensor, train_f: Tensor, test_x: Tensor, test_f: Tensor
) -> tuple[Tensor, float]:
    """Return how much each code dimension weighs for each factor (d, k), and the mean test R².

    Least squares on codes and factors standardised by the training images; the weights are absolute
    coefficients, the importances of Eastwood & Williams 2018 for a linear regressor.

    """
    require_rows("factors_r2_code", 2, train=train_x, test=test_x)
    codes, test_codes = standardised(train_x, test_x)
    factors, test_factors = standardised(train_f, test_f)
    model = LinearRegression().fit(codes, factors)
    residual = np.square(test_factors - model.predict(test_codes)).mean(0)
    r2 = 1 - residual / np.square(test_factors - test_factors.mean(0)).mean(0)
    return torch.from_numpy(np.abs(model.coef_.T)).double(), float(r2.mean())


def disentanglement(importance: Tensor) -> float:
    """Return how far each dimension serves one factor: 1 one each, 0 all alike.

    Eastwood & Williams 2018, section 2: one minus the entropy over factors, in units of log(k),
    weighted by how much the dimension is used at all.

    Args:
        importance: of dimensions for factors, not negative, (d, k).

    """
    use = importance.sum(1)
    share = importance / use.clamp_min(1e-12)[:, None]
    order = 1 - torch.special.entr(share).sum(1) / np.log(importance.shape[1])
    return float((order * use).sum() / use.sum().clamp_min(1e-12))


def completeness(importance: Tensor) -> float:
    """Return how far each factor is told by one dimension, mean over factors; argument as above.

    A factor that no dimension tells counts as 0.
    """
    told = importance.sum(0)
    share = importance / told.clamp_min(1e-12)
    order = 1 - torch.special.entr(share).sum(0) / np.log(max(2, importance.shape[0]))
    return float((order * (told > 0)).mean())
