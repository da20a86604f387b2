"""Does E(x) know what the picture is? Labels are used here and nowhere else."""

import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.preprocessing import StandardScaler
from torch import Tensor

MAX_ITERATIONS = 1000


def knn1_accuracy(train_x: Tensor, train_y: Tensor, test_x: Tensor, test_y: Tensor) -> float:
    """Return the 1-nearest-neighbour accuracy: plain Euclidean, nothing normalised, exact.

    Args:
        train_x: gallery features, (N, d).
        train_y: gallery labels, (N,).
        test_x: query features, (M, d).
        test_y: query labels, (M,).

    Source: the protocol of the BiGAN paper (Donahue et al. 2017, section 4.2).

    """
    classifier = KNeighborsClassifier(1, algorithm="brute")
    classifier.fit(train_x.numpy(), train_y.numpy())
    return float(classifier.score(test_x.numpy(), test_y.numpy()))


def probe_accuracy(
    train_x: Tensor, train_y: Tensor, test_x: Tensor, test_y: Tensor
) -> tuple[float, bool]:
    """Return a linear probe's test accuracy, and whether its solver converged.

    Multinomial logistic regression, C = 1 (fixed, never tuned), on features standardised by the
    training set. A dimension that does not vary is left at zero.

    """
    scaler = StandardScaler().fit(train_x.double().numpy())
    probe = LogisticRegression(C=1.0, solver="lbfgs", max_iter=MAX_ITERATIONS, tol=1e-4)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", ConvergenceWarning)
        probe.fit(_standardised(scaler, train_x), train_y.numpy())
    converged = not any(issubclass(w.category, ConvergenceWarning) for w in caught)
    return float(probe.score(_standardised(scaler, test_x), test_y.numpy())), converged


def _standardised(scaler: StandardScaler, x: Tensor) -> np.ndarray:
    return np.asarray(scaler.transform(x.double().numpy()), dtype=np.float32)
