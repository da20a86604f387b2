"""Trainings to be timed: the real harness on random images, nothing to download."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

from benchmarks.planning.config import Run
from benchmarks.planning.plan import jobs
from benchmarks.planning.suites import load_suite, override
from benchmarks.speed import timing
from benchmarks.speed.floor import Rates, Work
from benchmarks.training.loop import Member, Training, Watch
from datasets.images import Split
from datasets.registry import DATASETS

IMAGE_COUNT = 4096
SEEDS = 3
"""Trained at once where a suite stacks them, as many as the digits suite has."""


@dataclass(frozen=True)
class Size:
    """A suite's networks and batch, with some settings changed."""

    suite: str
    settings: tuple[str, ...] = ()


NETWORK_SIZES = {
    "digits": Size("digits"),
    "mnist": Size("mnist"),
    "mlp1024": Size("mnist", ("networks.width=1024", "training.threads=2")),
}


def run_at(family: str, size: Size, seed: int = 0) -> Run:
    """Return the run of a family at a size."""
    suite = override(load_suite(size.suite), size.settings, families=[family])
    return jobs(suite, Path(), [seed])[0].run


def random_images(dataset: str) -> Split:
    """Return images of noise in a dataset's shape; a step costs the same on them."""
    info, generator = DATASETS[dataset], torch.Generator().manual_seed(0)
    images = torch.randint(256, (IMAGE_COUNT, *info.image_shape), generator=generator)
    labels = torch.randint(info.classes, (IMAGE_COUNT,), generator=generator)
    return Split(images.to(torch.uint8), labels)


def training_of(run: Run, folder: Path, seeds: int = SEEDS) -> Training:
    """Return a training of the harness, of so many seeds where the suite stacks them."""
    device, data = torch.device("cpu"), random_images(run.dataset)
    numbers = range(seeds if run.training.stacked else 1)
    runs = [run.model_copy(update={"seed": seed}) for seed in numbers]
    return Training([Member(own, data, folder, Watch(), device) for own in runs], device)


def step(training: Training) -> None:
    """Make one generator-encoder update: all turns of the game, as the loop plays them."""
    for turn in training.turns:
        for _ in range(turn.repeats):
            training.play_turn(turn)
    training.step += 1


def work_of(training: Training) -> Work:
    """Count what a step does, by making one after a first, in which optimisers set up."""
    step(training)
    with _Counter() as counter:
        step(training)
    updates = sum(
        turn.repeats * sum(p.numel() for p in training.engine.optimisers[player].parameters)
        for turn in training.turns
        for player in turn.players
    )
    return Work(counter.flops, updates, counter.calls)


def rates_of(training: Training) -> Rates:
    """Measure this machine with the shapes of a training, at the present number of threads."""
    parameters = sum(p.numel() for m in training.members for p in m.game.parameters())
    run = training.members[0].run
    return timing.rates(run.training.batch_size, run.networks.width, parameters)


class _Counter(TorchDispatchMode):  # type: ignore[no-untyped-call]  # untyped in PyTorch
    """Counts tensor operations, and the FLOPs of those that PyTorch's FLOP counter knows.

    The counter itself hooks into modules, which spectral norm's weights do not allow in
    `torch.autograd.grad`.
    """

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # untyped in PyTorch
        self.calls = self.flops = 0

    def __torch_dispatch__(
        self,
        func: Any,
        types: Iterable[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        result = func(*args, **(kwargs or {}))
        self.calls += 1
        if func.overloadpacket in flop_registry:
            self.flops += flop_registry[func.overloadpacket](
                *args, **(kwargs or {}), out_val=result
            )
        return result
