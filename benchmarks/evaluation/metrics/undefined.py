"""The one way a metric says that it has no value here."""

import torch
from torch import Tensor


class Undefined(ValueError):
    """A metric that its input does not define; the message names the metric, the input and why."""


def require(met: bool, metric: str, why: str) -> None:
    """Raise Undefined unless a metric's condition is met."""
    if not met:
        raise Undefined(f"{metric} {why}")


def require_rows(metric: str, least: int, **inputs: Tensor) -> None:
    """Raise Undefined unless every input is finite and has at least so many rows."""
    for name, x in inputs.items():
        require(len(x) >= least, metric, f"needs at least {least} rows of {name}, got {len(x)}")
        require(bool(torch.isfinite(x).all()), metric, f"has non-finite {name}")
