"""How BiGAN's cost grows with batch, width and number of seeds."""

from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import torch

from benchmarks.execute import cores
from benchmarks.speed import cases
from benchmarks.speed.conftest import Measure, floor_facts

SEED_STEPS = 50


def _measure_step(setting: str, folder: Path, measure: Measure, note: Callable[..., None]) -> None:
    size = cases.Size("mnist", (setting,))
    training = cases.training_of(cases.run_of("bigan", size), folder)
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


@pytest.mark.parametrize("seeds", [1, 2, 4])
def test_seeds(seeds: int, measure: Measure, note: Callable[..., None]) -> None:
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
        run = cases.run_of("bigan", cases.SIZES["digits"], seed)
        training = cases.training_of(run, Path(folder))
        for _ in range(SEED_STEPS):
            cases.step(training)
