"""Images per second of a direction in inference mode."""

import time
from collections.abc import Callable
from statistics import median

import torch
from torch import Tensor

BATCH, ROUNDS, WARM_UP = 500, 7, 2


@torch.no_grad()
def images_per_second(function: Callable[[Tensor], Tensor], inputs: Tensor) -> float:
    """Return the median over rounds of one batch of up to 500 inputs, on the inputs' device."""
    batch = inputs[:BATCH]
    seconds = []
    for _ in range(WARM_UP + ROUNDS):
        _wait(batch.device)
        start = time.perf_counter()
        function(batch)
        _wait(batch.device)
        seconds.append(time.perf_counter() - start)
    return len(batch) / median(seconds[WARM_UP:])


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
