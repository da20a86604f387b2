"""Does E(x) know what the picture is? Labels are used here and nowhere else.

Features are rows, (N, d) for training and (M, d) for test images, labels (N,) and (M,).
"""

import numpy as np
import torch
from scipy import optimize, stats
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits
from torch import Tensor

from benchmarks.evaluation.metrics.samples import nearest
from benchmarks.evaluation.metrics.undefined import require, require_rows

C, MAX_ITERATIONS, TOLERANCE, RIDGE = 1.0, 1000, 3e-5, 0.01
FEW_DRAWS, FEW_SEED = 5, 5
INACTIVE = 0.01
GALLERY = 50_000
"""The most training images among which the BiGAN authors' code looks for the nearest."""


def neighbour_labels(train_x: Tensor, train_y: Tensor, test_x: Tensor, k: int) -> Tensor:
    """Return the labels of each test row's k nearest training rows, nearest first, (M, k).

    Plain Euclidean, nothing normalised, exact: the protocol of the BiGAN paper (Donahue et al.
    2017, section 4.2).

    """
    require_rows("knn_accuracy", k, train=train_x)
    require_rows("knn_accuracy", 1, test=test_x)
    return train_y[nearest(test_x, train_x, k)[1]]


def vote_accuracy(neighbours: Tensor, test_y: Tensor) -> float:
    """Return the accuracy of the neighbours' majority, (M, k); a tie goes to the lowest label."""
    majority = stats.mode(neighbours.numpy(), axis=1).mode
    return float((torch.from_numpy(majority) == test_y).double().mean())


def probe_accuracy(
    train_x: Tensor, train_y: Tensor, test_x: Tensor, test_y: Tensor
) -> tuple[float, bool]:
    """Return a linear probe's test accuracy, and whether its solver converged.

    Multinomial logistic regression, C = 1 (fixed, never tuned), on features standardised by the
    training set. A dimension that does not vary is left at zero.

    """
    train, test = standardised(train_x, test_x)
    return _fitted_accuracy(train, train_y, test, test_y)


def crelu_probe_accuracy(
    train_x: Tensor, train_y: Tensor, test_x: Tensor, test_y: Tensor
) -> tuple[float, bool]:
    """Return the same of a probe on relu(x) and relu(-x) of the standardised features.

    The second probe of BigBiGAN (Donahue & Simonyan 2019): it reads what a single neuron can.
    """
    both = (np.concatenate([x.clip(0), (-x).clip(0)], 1) for x in standardised(train_x, test_x))
    train, test = both
    return _fitted_accuracy(train, train_y, test, test_y)


def few_label_accuracy(
    train_x: Tensor, train_y: Tensor, test_x: Tensor, test_y: Tensor, per_class: int
) -> float:
    """Return a probe's test accuracy from few labels, mean over five fixed draws of them.

    Raises:
        Undefined: a class has too few images.

    """
    metric = f"few{per_class}_accuracy"
    least = int(torch.bincount(train_y).min())
    require(least >= per_class, metric, f"needs {per_class} images of each class, got {least}")
    generator = torch.Generator().manual_seed(FEW_SEED)
    scores = []
    for _ in range(FEW_DRAWS):
        order = torch.randperm(len(train_y), generator=generator)
        chosen = torch.cat([order[train_y[order] == c][:per_class] for c in torch.unique(train_y)])
        accuracy, _ = probe_accuracy(train_x[chosen], train_y[chosen], test_x, test_y)
        scores.append(accuracy)
    return float(np.mean(scores))


def effective_rank(x: Tensor) -> float:
    """Return exp(entropy) of the normalised covariance spectrum (Roy & Vetterli 2007), 1 to d."""
    require_rows("effective_rank", 2, features=x)
    spectrum = torch.linalg.eigvalsh(torch.cov(x.double().T).reshape(x.shape[1], -1)).clamp_min(0)
    require(float(spectrum.sum()) > 0, "effective_rank", "needs features that vary")
    share = spectrum / spectrum.sum()
    return float(torch.special.entr(share).sum().exp())


def inactive_share(code: Tensor, prior_variance: float) -> float:
    """Return the share of dimensions with less than a hundredth of the prior's variance."""
    require_rows("inactive_code", 2, code=code)
    return float((code.double().var(0) < INACTIVE * prior_variance).double().mean())


def standardised(train_x: Tensor, test_x: Tensor) -> tuple[np.ndarray, np.ndarray]:
    """Return both sets with the training set's mean 0 and standard deviation 1, float32."""
    require_rows("probe_accuracy", 1, train=train_x, test=test_x)
    scaler = StandardScaler().fit(train_x.double().numpy())
    train, test = (scaler.transform(x.double().numpy()) for x in (train_x, test_x))
    return train.astype(np.float32), test.astype(np.float32)


def _fitted_accuracy(
    train: np.ndarray, train_y: Tensor, test: np.ndarray, test_y: Tensor
) -> tuple[float, bool]:
    require(len(torch.unique(train_y)) > 1, "probe_accuracy", "needs at least two classes")
    weights, bias, converged = fit_probe(torch.from_numpy(train), train_y)
    predicted = (torch.from_numpy(test) @ weights.T + bias).argmax(1)
    return float((predicted == test_y).double().mean()), converged


def fit_probe(x: Tensor, y: Tensor) -> tuple[Tensor, Tensor, bool]:
    """Return a logistic regression's weights (k, d), bias (k,) and whether its solver converged.

    The objective of scikit-learn's LogisticRegression(C=1): mean cross-entropy + |w|^2 / (2 C N),
    which has one minimum. Its solver (L-BFGS) is run on whitened features, w = P v, where it needs
    a fourth of the steps and ends nearer to that minimum.

    Args:
        x: standardised features, (N, d) float32.
        y: labels 0 ... k - 1, (N,).

    """
    n, d, k = len(x), x.shape[1], int(y.max()) + 1
    spectrum, basis = torch.linalg.eigh((x.T @ x).double() / n)
    whitening = (basis * (spectrum.clamp_min(0) + RIDGE).rsqrt()).float()
    white, metric = x @ whitening, whitening.T @ whitening / (C * n)
    rows = torch.arange(n)

    def objective(flat: np.ndarray) -> tuple[float, np.ndarray]:
        parameters = torch.from_numpy(flat).float().view(k, d + 1)
        v, bias = parameters[:, :d], parameters[:, d]
        log_p = torch.log_softmax(torch.addmm(bias, white, v.T), dim=1)
        shrunk = v @ metric
        loss = -log_p[rows, y].double().mean() + (shrunk * v).double().sum() / 2
        slope = log_p.exp()
        slope[rows, y] -= 1
        gradient = torch.cat([slope.T @ white / n + shrunk, slope.mean(0)[:, None]], dim=1)
        return float(loss), gradient.double().flatten().numpy()

    options = {"maxiter": MAX_ITERATIONS, "gtol": TOLERANCE, "ftol": 0.0, "maxls": 50}
    start = np.zeros(k * (d + 1))
    with threadpool_limits(1, user_api="blas"):  # SciPy's own threads would fight with PyTorch's
        found = optimize.minimize(objective, start, jac=True, method="L-BFGS-B", options=options)
    solution = torch.from_numpy(found.x).float().view(k, d + 1)
    return solution[:, :d] @ whitening.T, solution[:, d], bool(found.success)
