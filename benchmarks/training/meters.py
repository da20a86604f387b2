"""What a run measures of itself: mean losses, pace after a warm-up, peak memory."""

import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from zoo.game import Losses

WARM_UP = 20
"""Steps left out of the pace, at the start and after each resume: allocation, first kernels."""


class LossMeter:
    """Means of every named term since the last reading, one for each seed, kept on the device."""

    def __init__(self) -> None:
        self.sums: dict[str, Tensor] = {}
        self.counts: dict[str, int] = {}

    def add(self, losses: Losses) -> None:
        """Add one turn's terms, each of shape (S,)."""
        for player, terms in losses.items():
            for term, value in terms.items():
                name = f"{player}/{term}"
                self.sums[name] = self.sums[name] + value if name in self.sums else value
                self.counts[name] = self.counts.get(name, 0) + 1

    def read(self, seeds: int) -> list[dict[str, float]]:
        """Return each seed's means and start anew; here a training waits for its device."""
        means = {name: (sums / self.counts[name]).tolist() for name, sums in self.sums.items()}
        self.sums, self.counts = {}, {}
        return [{name: values[seed] for name, values in means.items()} for seed in range(seeds)]

    def state_dict(self, seed: int) -> dict[str, Any]:
        """Return what was added of one seed since the last reading."""
        sums = {name: sums[seed].clone() for name, sums in self.sums.items()}
        return {"sums": sums, "counts": dict(self.counts)}

    def load_state_dict(self, states: Sequence[dict[str, Any]], device: torch.device) -> None:
        """Go on from what was added of each seed."""
        names = states[0]["sums"]
        self.sums = {n: torch.stack([s["sums"][n] for s in states]).to(device) for n in names}
        self.counts = dict(states[0]["counts"])


class Clock:
    """Seconds of training; the pace and the memory peak of the steps after the warm-up."""

    def __init__(self, device: torch.device) -> None:
        self.device = device
        self.seconds = 0.0
        self.paced_steps, self.paced_seconds = 0, 0.0
        self.peak_mib: float | None = None
        self.warm_up = WARM_UP
        self.steps = 0
        self.started = self._now()

    def step(self) -> None:
        """Count a training step."""
        if self.warm_up == 0:
            self.steps += 1
            return
        self.warm_up -= 1
        if self.warm_up == 0:
            self.pause()
            self.go()

    def pause(self) -> None:
        """Stop counting: something other than training follows."""
        elapsed = self._now() - self.started
        self.seconds += elapsed
        if self.steps:
            self.paced_steps += self.steps
            self.paced_seconds += elapsed
            peak = memory_peak_mib(self.device)
            self.peak_mib = peak if self.peak_mib is None else max(self.peak_mib, peak or 0.0)
        self.steps = 0

    def go(self) -> None:
        """Count again, and forget what memory was used meanwhile."""
        start_memory_peak(self.device)
        self.started = self._now()

    def state_dict(self, seeds: int) -> dict[str, Any]:
        """Return what was measured so far, one seed's share of it."""
        return {
            "seconds": self.seconds / seeds,
            "paced_steps": self.paced_steps,
            "paced_seconds": self.paced_seconds / seeds,
            "peak_mib": self.peak_mib,
        }

    def load_state_dict(self, states: Sequence[dict[str, Any]]) -> None:
        """Go on from what was measured of each seed, with a new warm-up."""
        self.seconds = sum(state["seconds"] for state in states)
        self.paced_steps = states[0]["paced_steps"]
        self.paced_seconds = sum(state["paced_seconds"] for state in states)
        self.peak_mib = states[0]["peak_mib"]

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
    else:
        with suppress(OSError):  # Linux only, and not everywhere there
            Path("/proc/self/clear_refs").write_text("5")


def memory_peak_mib(device: torch.device) -> float | None:
    """Peak MiB since the start: tensors on CUDA, the whole process on a CPU (Linux only)."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) / 2**20
    try:
        status = Path("/proc/self/status").read_text()
    except OSError:
        return None
    peak = next((line for line in status.splitlines() if line.startswith("VmHWM:")), None)
    return None if peak is None else int(peak.split()[1]) / 1024
