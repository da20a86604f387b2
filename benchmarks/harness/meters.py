"""What a run measures of itself: mean losses, pace after a warm-up, peak memory."""

import time
from pathlib import Path

import torch
from torch import Tensor

from zoo.game import Losses

WARM_UP = 20
"""Steps left out of the pace, at the start and after each resume: allocation, first kernels."""


class LossMeter:
    """Means of every named term since the last reading, kept on the device."""

    def __init__(self) -> None:
        self.sums: dict[str, Tensor] = {}
        self.counts: dict[str, int] = {}

    def add(self, losses: Losses) -> None:
        """Add one turn's terms."""
        for player, terms in losses.items():
            for term, value in terms.items():
                name = f"{player}/{term}"
                value = value.detach().float()
                self.sums[name] = self.sums[name] + value if name in self.sums else value
                self.counts[name] = self.counts.get(name, 0) + 1

    def read(self) -> dict[str, float]:
        """Return the means and start anew; the one place where a training waits for its device."""
        means = {name: total.item() / self.counts[name] for name, total in self.sums.items()}
        self.sums, self.counts = {}, {}
        return means


class Clock:
    """Seconds of training, and the pace of the steps after the warm-up."""

    def __init__(self, device: torch.device, seconds: float, paced: tuple[int, float]) -> None:
        self.device = device
        self.seconds = seconds
        self.paced_steps, self.paced_seconds = paced
        self.warm_up = WARM_UP
        self.steps = 0
        self.started = self._now()

    def step(self) -> None:
        """Count a training step."""
        if self.warm_up > 0:
            self.warm_up -= 1
            if self.warm_up == 0:
                self.pause()
                start_memory_peak(self.device)
                self.go()
        else:
            self.steps += 1

    def pause(self) -> None:
        """Stop counting time: something other than training follows."""
        elapsed = self._now() - self.started
        self.seconds += elapsed
        if self.steps:
            self.paced_steps += self.steps
            self.paced_seconds += elapsed
        self.steps = 0

    def go(self) -> None:
        """Count time again."""
        self.started = self._now()

    @property
    def steps_per_second(self) -> float | None:
        """Pace after the warm-up; None if no step came after it."""
        return self.paced_steps / self.paced_seconds if self.paced_steps else None

    def _now(self) -> float:
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)
        return time.perf_counter()


def start_memory_peak(device: torch.device) -> None:
    """Forget earlier peaks, so that the next reading is of what follows."""
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
    elif (clear := Path("/proc/self/clear_refs")).exists():
        clear.write_text("5")


def memory_peak_mib(device: torch.device) -> float | None:
    """Peak MiB since the start: tensors on CUDA, the whole process on a CPU (Linux only)."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) / 2**20
    status = Path("/proc/self/status")
    if not status.exists():
        return None
    lines = dict(line.split(":", 1) for line in status.read_text().splitlines() if ":" in line)
    return int(lines["VmHWM"].split()[0]) / 1024
