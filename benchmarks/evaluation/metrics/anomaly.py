"""Does a game trained without a class see that its images are strange?

The best-known use of BiGAN (Zenati et al. 2018): an image is anomalous if E and G do not bring it
back, or if the critic does not take (x, E(x)) for real.
"""

from sklearn.metrics import roc_auc_score
from torch import Tensor

from benchmarks.evaluation.metrics.undefined import require, require_rows


def auroc(metric: str, strangeness: Tensor, anomalous: Tensor) -> float:
    """Return the chance that an anomalous image is stranger than a normal one, .5 by guessing.

    Args:
        metric: whose number it is, for the error.
        strangeness: high for anomalies, (N,).
        anomalous: which images are, bool (N,).

    """
    require_rows(metric, 2, strangeness=strangeness)
    both = bool(anomalous.any()) and not bool(anomalous.all())
    require(both, metric, "needs normal and anomalous images")
    return float(roc_auc_score(anomalous.numpy(), strangeness.numpy()))
