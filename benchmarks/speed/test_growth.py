"""How BiGAN's cost grows with batch, width, image and number of seeds, and memory with steps."""

from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import torch

from benchmarks.common.context import cores
from benchmarks.speed import cases
from benchmarks.speed.conftest import Measure, floor_facts
from benchmarks.training.eager import EagerEngine
from benchmarks.training.loop import Training
from benchmarks.training.meters import memory_peak_mib, start_memory_peak
from zoo.build import assemble
from zoo.game import Batch
from zoo.registry import FAMILIES

SEED_STEPS = 50
ALONE = cases.Size("digits", ("training.stacked=false",))
FEW, MANY = 5, 40
GROWTH_MIB = 8.0
"""An allocator may still round; a leak of one batch of images a step would be twice this."""


def _measure_step(setting: str, folder: Path, measure: Measure, note: Callable[..., None]) -> None:
    size = cases.Size("mnist", (setting,))
    training = cases.training_of(cases.run_at("bigan", size), folder)
    work = cases.work_of(training)
    cases.rates_of(training)  # before and after: the higher counts
    best = measure(lambda: cases.step(training))
    batch = training.settings.batch_size
    note(seconds_per_image=best / batch, **floor_facts(work, cases.rates_of(training), best))


@pytest.mark.parametrize("batch", [32, 128, 512])
def test_batch(batch: int, tmp_path: Path, measure: Measure, note: Callable[..., None]) -> None:
    """A step of the MNIST networks by batch."""
    _measure_step(f"training.batch_size={batch}", tmp_path, measure, note)


@pytest.mark.parametrize("width", [64, 256, 1024])
def test_width(width: int, tmp_path: Path, measure: Measure, note: Callable[..., None]) -> None:
    """A step on MNIST's shapes by width."""
    _measure_step(f"networks.width={width}", tmp_path, measure, note)


@pytest.mark.parametrize("side", [8, 16, 32, 64])
def test_image(side: int, measure: Measure, note: Callable[..., None]) -> None:
    """A step of the MNIST networks by the side of a square image."""
    run = cases.run_at("bigan", cases.NETWORK_SIZES["mnist"])
    shape, n = (1, side, side), run.training.batch_size
    game = assemble(
        "bigan",
        {},
        **run.networks.model_dump(),
        image_shape=shape,
        seed_of=lambda network: len(network),
    )
    engine = EagerEngine(game.train().requires_grad_(False), torch.device("cpu"), run.training)
    z, labels = torch.randn(n, run.networks.latent_dim), torch.zeros(n, dtype=torch.long)
    batch = Batch(torch.rand(n, *shape) * 2 - 1, labels, z, {})
    best = measure(lambda: engine.play(game.turns[0], [batch], 0))
    note(seconds_per_pixel=best / n / side**2)


@pytest.mark.parametrize("seeds", [1, 2, 4, 8])
def test_seeds_together(
    seeds: int, tmp_path: Path, measure: Measure, note: Callable[..., None]
) -> None:
    """A digits step of a stack of so many seeds, on one thread (one seed runs beside its copy)."""
    size = cases.Size("digits", (f"training.stacked={max(seeds, 2)}",))
    training = cases.training_of(cases.run_at("bigan", size), tmp_path, seeds)
    best = measure(lambda: cases.step(training))
    note(seconds_per_step_and_seed=best / seeds)


@pytest.mark.parametrize("family", FAMILIES)
def test_memory(family: str, tmp_path: Path, measure: Measure, note: Callable[..., None]) -> None:
    """A process's memory after some steps and after many more; it may not grow."""
    training = cases.training_of(cases.run_at(family, cases.NETWORK_SIZES["mnist"]), tmp_path)
    measure(lambda: cases.step(training), spend=0.0)
    start_memory_peak(training.device)
    _steps(training, FEW)
    few = memory_peak_mib(training.device)
    if few is None:
        pytest.skip("this system does not tell a process's memory")
    start_memory_peak(training.device)
    _steps(training, MANY)
    many = memory_peak_mib(training.device) or 0.0
    note(grown_mib=many - few)
    assert many - few < GROWTH_MIB


def _steps(training: Training, steps: int) -> None:
    for _ in range(steps):
        cases.step(training)


@pytest.mark.parametrize("seeds", [1, 2])
def test_seeds_side_by_side(seeds: int, measure: Measure, note: Callable[..., None]) -> None:
    """Fifty digits steps of each seed, as many runs side by side as there are cores."""
    workers = min(seeds, cores())
    with ProcessPoolExecutor(workers, get_context("spawn")) as pool:
        list(pool.map(steps_of_seed, range(2 * workers)))  # every process has loaded its modules
        best = measure(lambda: list(pool.map(steps_of_seed, range(seeds))), spend=2.0, wall=True)
    note(workers=workers, seconds_per_step_and_seed=best / seeds / SEED_STEPS)


def steps_of_seed(seed: int) -> None:
    """Train a seed for some steps, from its first weights on, in a worker process."""
    torch.set_num_threads(1)
    with TemporaryDirectory() as folder:
        run = cases.run_at("bigan", ALONE, seed)
        training = cases.training_of(run, Path(folder))
        for _ in range(SEED_STEPS):
            cases.step(training)
