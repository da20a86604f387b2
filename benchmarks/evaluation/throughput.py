"""Images per second of a direction in inference mode."""

import time
from collections.abc import Callable

import torch
from torch import Tensor

BATCH, ROUNDS, ROUND_SECONDS = 500, 5, 0.05


@torch.no_grad()
def images_per_second(function: Callable[[Tensor], Tensor], inputs: Tensor) -> float:
    """Return the best of several rounds of batches of up to 500 inputs, on the inputs' device.

    The best, because other runs may share the machine: they can only slow a round down.
    """
    batch = inputs[:BATCH]
    once = _seconds(function, batch, repeats=2) / 2  # a warm-up, and how long a round must be
    repeats = max(1, round(ROUND_SECONDS / once))
    best = min(_seconds(function, batch, repeats) for _ in range(ROUNDS))
    return repeats * len(batch) / best


def _seconds(function: Callable[[Tensor], Tensor], batch: Tensor, repeats: int) -> float:
    _wait(batch.device)
    start = time.perf_counter()
    for _ in range(repeats):
        function(batch)
    _wait(batch.device)
    return time.perf_counter() - start


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
