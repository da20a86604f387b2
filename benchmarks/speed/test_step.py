"""One generator-encoder update of every family, against its floor and against the usual loop."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from benchmarks.common.context import cores
from benchmarks.speed import cases, timing
from benchmarks.speed.conftest import Measure, floor_facts
from benchmarks.speed.floor import floor_seconds
from benchmarks.speed.peer import PeerLoop
from benchmarks.training.loop import build
from zoo.registry import FAMILIES

RECORDED: dict[str, float] = json.loads(Path(__file__).with_name("tripwire.json").read_text())
"""Step over floor, as it once was, by family and size."""
TRIPWIRE, ATTEMPTS = 3.0, 3
STEP_CASES = [
    *((family, size) for size in ("digits", "mnist") for family in FAMILIES),
    ("bigan", "mlp1024"),
]


def use_threads(size: str) -> None:
    """Set the threads of a size, or skip where the machine has fewer cores."""
    threads = cases.run_at("bigan", cases.NETWORK_SIZES[size]).training.threads
    if threads > cores():
        pytest.skip(f"needs {threads} cores")
    torch.set_num_threads(threads)


@pytest.mark.parametrize(("family", "size"), STEP_CASES)
def test_step(
    family: str, size: str, tmp_path: Path, measure: Measure, note: Callable[..., None]
) -> None:
    """A step of the harness; fails only when it is three times further from its floor than once."""
    use_threads(size)
    training = cases.training_of(cases.run_at(family, cases.NETWORK_SIZES[size]), tmp_path)
    work = cases.work_of(training)
    cases.rates_of(training)  # before and after: the higher counts
    best = measure(lambda: cases.step(training))
    rates = cases.rates_of(training)
    note(**floor_facts(work, rates, best))
    ratio, limit = best / floor_seconds(work, rates), TRIPWIRE * RECORDED[f"{family}-{size}"]
    for _ in range(ATTEMPTS):
        if ratio > limit:
            again = timing.best(lambda: cases.step(training))
            ratio = min(ratio, again / floor_seconds(work, cases.rates_of(training)))
    assert ratio <= limit, f"{ratio:.1f} times its floor; {limit:.1f} allowed"


@pytest.mark.parametrize("size", cases.NETWORK_SIZES)
def test_peer_loop(size: str, tmp_path: Path, measure: Measure, note: Callable[..., None]) -> None:
    """BiGAN as it is usually written; `speedup` is how much faster the harness is beside it."""
    use_threads(size)
    run = cases.run_at("bigan", cases.NETWORK_SIZES[size])
    training = cases.training_of(run, tmp_path)
    batch, latent = run.training.batch_size, run.networks.latent_dim
    peer = PeerLoop(build(run), cases.random_images(run.dataset), batch, latent)
    measure(peer.step)
    ours, theirs = timing.best_in_turn([lambda: cases.step(training), peer.step], rounds=20)
    seeds = len(training.members)
    note(speedup=theirs * seeds / ours, ours_seconds=ours / seeds, peer_seconds=theirs)
