"""Seconds, and the rates of this machine that they are held against.

Every figure is the best of several rounds: other work on the machine can only slow a round down.
With one thread the process's own processor time is taken, which an idle machine's clock equals and
which other work on a busy one does not lengthen; with several threads it is the clock.
"""

import time
from collections.abc import Callable, Sequence

import torch

from benchmarks.speed.floor import Rates

ROUNDS, ROUND_SECONDS = 60, 0.002
REFERENCE = 512
"""The reference product is of two square matrices of this size, on one thread."""


def now() -> float:
    """Return the time by which things are measured at the present number of threads."""
    return time.process_time() if torch.get_num_threads() == 1 else time.perf_counter()


def seconds(function: Callable[[], object], repeats: int = 1) -> float:
    """Return the seconds of one call, the mean over some in a row."""
    start = now()
    for _ in range(repeats):
        function()
    return (now() - start) / repeats


def best(function: Callable[[], object], rounds: int = ROUNDS) -> float:
    """Return the seconds of a call in the best of several short rounds, after a warm-up."""
    function()
    repeats = max(1, round(ROUND_SECONDS / seconds(function)))
    return min(seconds(function, repeats) for _ in range(rounds))


def best_in_turn(functions: Sequence[Callable[[], object]], rounds: int) -> list[float]:
    """Return the best seconds of each, called in turn so that all meet the same machine."""
    for function in functions:
        function()
    taken = [[seconds(function) for function in functions] for _ in range(rounds)]
    return [min(column) for column in zip(*taken, strict=True)]


def reference_seconds() -> float:
    """Return the seconds of the reference product, by which times of other machines compare."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        a, b = torch.randn(2, REFERENCE, REFERENCE)
        out = torch.empty(REFERENCE, REFERENCE)
        return best(lambda: torch.mm(a, b, out=out))
    finally:
        torch.set_num_threads(threads)


_highest: dict[tuple[object, ...], float] = {}


def rates(batch: int, width: int, parameters: int) -> Rates:
    """Return the rates for products of a hidden layer and a copy of this many parameters.

    The highest measured for these sizes in this process: other work can only lower a rate, and a
    rate that is too low makes the floor too high.
    """
    threads = torch.get_num_threads()
    return Rates(
        product=_kept(("product", threads, batch, width), flops_rate(batch, width)),
        copy=_kept(("copy", threads, parameters), bytes_rate(parameters)),
    )


def _kept(key: tuple[object, ...], rate: float) -> float:
    _highest[key] = max(rate, _highest.get(key, 0.0))
    return _highest[key]


def flops_rate(batch: int, width: int) -> float:
    """Return FLOP/s over a hidden layer's three products: forward, input and weight gradient."""
    x, g = torch.randn(2, batch, width)
    w = torch.randn(width, width)
    y, dw = torch.empty(batch, width), torch.empty(width, width)
    products = (
        lambda: torch.mm(x, w.T, out=y),
        lambda: torch.mm(g, w, out=y),
        lambda: torch.mm(g.T, x, out=dw),
    )
    return len(products) * 2 * batch * width**2 / sum(map(best, products))


def bytes_rate(floats: int) -> float:
    """Return the bytes read and written per second by a copy of this many floats."""
    source = torch.randn(floats)
    target = torch.empty_like(source)
    return 2 * 4 * floats / best(lambda: target.copy_(source))
