"""Feature Likelihood Divergence: how probable are unseen images under the samples?

Jiralerspong et al. 2023. Around every generated row stands an isotropic Gaussian whose width is
fitted to the training rows; the density of their mixture is then read at the test rows. Poor
samples need wide Gaussians, lost classes leave test rows without any, and a copied training row
gets a Gaussian so narrow that no test row is near it. Features are rows (N, d), standardised by the
training set's mean and standard deviation (the authors' code takes the test set's).
"""

import math

import torch
from torch import Tensor

from benchmarks.evaluation.metrics.undefined import require, require_rows

METRIC = "fld"
ITERATIONS = 20
BLOCK = 250
NARROWEST = 1e-3
"""The least variance, over that of a Gaussian on a training row that just reaches the next one.

It keeps the value of copied rows finite, in the thousands or more.
"""


def fld(generated: Tensor, train: Tensor, test: Tensor) -> float:
    """Return 100 times the nats per feature that test rows lose under samples; lower is better.

    0 if samples are like training rows, below 0 if they are nearer to the test rows. It is
    100 / d times the negative log likelihood of the test rows under the samples' mixture minus that
    under the training rows' own mixture (see `fitted_nll`).

    Args:
        generated: (N, d).
        train: as many training rows, (N, d).
        test: rows of the same distribution that the model never saw, (M, d).

    """
    require_rows(METRIC, 1, generated=generated)
    require(len(generated) == len(train), METRIC, "needs as many generated as training rows")
    return 100 * (fitted_nll(generated, train, test) - fitted_nll(None, train, test))


def fitted_nll(centres: Tensor | None, train: Tensor, test: Tensor) -> float:
    """Return the mean negative log likelihood of test rows in nats per feature.

    Of the mixture of N(c, v_c I), one for each centre c, all of equal weight. The variances v
    maximise the likelihood of the training rows, by expectation maximisation (20 steps from the
    nearest training row; the authors' code takes 50 steps of Adam from there). As in that code, the
    fit alone also has one wide Gaussian at the training mean, here N(0, I): training rows far from
    every centre make no centre wide.

    Args:
        centres: (K, d); None for the training rows, where the Gaussian of a row is fitted to the
            other ones: the level of perfect samples, which the authors get from two halves.
        train: (N, d), N > 1.
        test: (M, d).

    """
    require_rows(METRIC, 2, train=train)
    require_rows(METRIC, 1, test=test)
    mean, spread = train.double().mean(0), train.double().std(0)
    kept = spread > 0  # a constant feature tells nothing
    rows, unseen = (((x.double() - mean) / spread)[:, kept] for x in (train, test))
    among, d = _squared(rows, rows).fill_diagonal_(torch.inf), max(1, rows.shape[1])
    floor = NARROWEST * float(among.amin(0).median()) / d
    require(floor > 0, METRIC, "needs training rows that differ")
    middles = rows if centres is None else ((centres.double() - mean) / spread)[:, kept]
    near = among if centres is None else _squared(rows, middles)
    variances = fitted_variances(near, rows.square().sum(1), d, floor)
    return -float(log_density(_squared(unseen, middles), variances, d).mean()) / d


def fitted_variances(squared: Tensor, to_mean: Tensor, d: int, floor: float) -> Tensor:
    """Return the variance of each centre's Gaussian by expectation maximisation, (K,).

    Args:
        squared: squared distances of training rows to centres, (N, K); infinite where a row is not
            to count.
        to_mean: squared distances of training rows to the wide Gaussian's centre, (N,).
        d: number of features.
        floor: the smallest variance.

    """
    variances = (squared.amin(0) / d).clamp_min(floor)
    wide = -0.5 * to_mean - 0.5 * d * math.log(2 * math.pi)
    blocks = list(zip(torch.split(squared, BLOCK), torch.split(wide, BLOCK), strict=True))
    for _ in range(ITERATIONS):
        mass, moment = torch.zeros_like(variances), torch.zeros_like(variances)
        for near, far in blocks:
            joint = _log_joint(near, variances, d)
            share = (joint - torch.logaddexp(joint.logsumexp(1), far)[:, None]).exp_()
            mass += share.sum(0)
            moment += torch.where(share > 0, share * near, 0.0).sum(0)
        # A centre that explains nothing keeps its variance.
        variances = torch.where(mass > 0, moment / (d * mass), variances).clamp_min(floor)
    return variances


def log_density(squared: Tensor, variances: Tensor, d: int) -> Tensor:
    """Return the mixture's log density in nats of each row, (M,), at squared distances (M, K)."""
    blocks = torch.split(squared, BLOCK)
    return torch.cat([_log_joint(block, variances, d).logsumexp(1) for block in blocks])


def _log_joint(squared: Tensor, variances: Tensor, d: int) -> Tensor:
    """Return log(density / K) of each row under each of the K Gaussians."""
    level = -0.5 * d * (2 * math.pi * variances).log() - math.log(len(variances))
    return torch.addcmul(level, squared, -0.5 / variances)


def _squared(x: Tensor, centres: Tensor) -> Tensor:
    """Return squared distances, (N, K), of rows near the origin."""
    found = x.square().sum(1)[:, None] + centres.square().sum(1) - 2 * x @ centres.T
    return found.clamp_min(0)
