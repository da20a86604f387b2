"""The least time a training step could take: its arithmetic and its optimiser's traffic."""

from dataclasses import dataclass

ADAM_BYTES = 7 * 4
"""Per parameter and update: Adam reads p, g, m, v and writes p, m, v, in single precision."""


@dataclass(frozen=True)
class Work:
    """What a step must do.

    Attributes:
        flops: floating-point operations of its matrix products, forward and backward.
        updates: parameters moved, each counted as often as it moves.
        calls: tensor operations dispatched; they cost time in Python and PyTorch, not in the floor.

    """

    flops: int
    updates: int
    calls: int


@dataclass(frozen=True)
class Rates:
    """What the machine can do, measured in the same run.

    Attributes:
        product: floating-point operations per second of products of the networks' shapes.
        copy: bytes read and written per second by a copy as large as the parameters.

    """

    product: float
    copy: float


def floor_seconds(work: Work, rates: Rates) -> float:
    """Return the products' time plus the optimiser's; nothing else is free, but nothing is less."""
    return work.flops / rates.product + work.updates * ADAM_BYTES / rates.copy
