"""What does it cost? Images per second, multiply-adds, time to a given quality."""

import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import torch
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

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


@torch.no_grad()
def multiply_adds(function: Callable[[Tensor], Tensor], inputs: Tensor) -> float:
    """Return the multiply-adds of matrix products and convolutions for one of the inputs."""
    with FlopCounterMode(display=False) as counter:
        function(inputs[:1])
    return float(counter.get_total_flops()) / 2


def seconds_to_tenth(light: Iterable[Mapping[str, Any]]) -> float | None:
    """Return the seconds of training until the light FID is a tenth of its first value.

    Args:
        light: the light evaluations in order, with "seconds" and, where measured, "fid_hybrid".

    """
    measured = [(row["seconds"], row["fid_hybrid"]) for row in light if "fid_hybrid" in row]
    reached = (seconds for seconds, fid in measured if fid <= measured[0][1] / 10)
    return next(reached, None)
