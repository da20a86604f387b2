"""What the suites share: threads, the measuring fixture, what every saved file says of itself."""

import time
from collections.abc import Callable, Iterator
from typing import Any, Protocol

import pytest
import torch
from pytest_benchmark.fixture import BenchmarkFixture
from threadpoolctl import threadpool_limits

from benchmarks.common.environment import environment
from benchmarks.speed import timing
from benchmarks.speed.floor import Rates, Work, floor_seconds

ROUNDS = (5, 300)


class Measure(Protocol):
    """Times a function through pytest-benchmark and returns its best seconds."""

    def __call__(
        self, function: Callable[[], object], spend: float = 1.0, wall: bool = False
    ) -> float:
        """Measure for about `spend` seconds; `wall` takes the clock whatever the threads."""
        ...


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Run on one thread, as the runs of a suite do; a test may ask for more."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    with threadpool_limits(1):
        yield
    torch.set_num_threads(before)


@pytest.fixture
def measure(benchmark: BenchmarkFixture) -> Measure:
    """Measure with pytest-benchmark, between two measurements of the reference product."""

    def run(function: Callable[[], object], spend: float = 1.0, wall: bool = False) -> float:
        function()
        # What pytest-benchmark's own marker does, once the number of threads is known.
        benchmark._timer = time.perf_counter if wall else timing.now
        start = benchmark._timer()
        function()
        once = benchmark._timer() - start
        rounds = min(max(ROUNDS[0], round(spend / once)), ROUNDS[1])
        before = timing.reference_seconds()
        benchmark.pedantic(function, rounds=rounds)  # type: ignore[no-untyped-call]  # as the library is
        benchmark.extra_info |= {
            "threads": torch.get_num_threads(),
            "clock": "wall" if wall or torch.get_num_threads() > 1 else "processor",
            "reference_seconds": min(before, timing.reference_seconds()),
        }
        # Without statistics (--benchmark-disable) the one call above is all there is.
        return once if benchmark.stats is None else float(benchmark.stats.stats.min)

    return run


@pytest.fixture
def note(benchmark: BenchmarkFixture) -> Callable[..., None]:
    """Return a function that keeps facts with the benchmark."""
    return lambda **facts: benchmark.extra_info.update(facts)


def floor_facts(work: Work, rates: Rates, best: float) -> dict[str, Any]:
    """Return what is kept of a step that has a floor."""
    floor = floor_seconds(work, rates)
    return {
        "flops": work.flops,
        "updates": work.updates,
        "calls": work.calls,
        "product_flops_per_second": rates.product,
        "copy_bytes_per_second": rates.copy,
        "floor_seconds": floor,
        "ratio": best / floor,
    }


def pytest_benchmark_update_machine_info(config: pytest.Config, machine_info: Any) -> None:
    """Say what the table needs, and leave the machine's name out."""
    machine_info.pop("node", None)
    facts = environment("cpu", 1)
    machine_info |= {name: facts[name] for name in ("processor", "cores", "packages")}
