"""Run the plan's jobs side by side in worker processes, and show how far they are."""

import multiprocessing
import os
import signal
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from queue import Empty
from typing import Any

from benchmarks.common.errors import UserError
from benchmarks.execution.context import Orders
from benchmarks.execution.eta import CONTROLS
from benchmarks.execution.progress import Display
from benchmarks.execution.tasks import evaluate, train, work_on_controls
from benchmarks.execution.worker import Outcome, initialise
from benchmarks.planning.config import Suite
from benchmarks.planning.plan import Job, controls_folder, controls_job

WORKER_BYTES = 3 * 2**30
"""Room for one worker with MNIST, its features and the kernels of 10,000 samples."""


@dataclass(frozen=True)
class _Task:
    """A worker's next piece of work: what it calls, and whose it is."""

    function: Callable[..., Any]
    arguments: tuple[Any, ...]
    labels: tuple[str, ...]


def resolve_device(device: str, suite: Suite) -> str:
    """Return "cpu" or "cuda" for what the user asked.

    Raises:
        UserError: CUDA is asked for and absent, or the precision needs it.

    """
    import torch

    available = torch.cuda.is_available()
    if device == "auto":
        device = "cuda" if available else "cpu"
    if device == "cuda" and not available:
        raise UserError("--device cuda: PyTorch sees no CUDA device here; use --device cpu")
    if device == "cpu" and suite.training.precision == "bf16":
        raise UserError("training.precision=bf16 needs a CUDA device; on a CPU use fp32")
    return device


def workers(device: str, threads: int, jobs: int) -> int:
    """Return how many runs go side by side: as many as cores and memory hold, one on a GPU."""
    if device == "cuda":
        return 1
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return max(1, min(cores() // threads, memory // WORKER_BYTES, jobs))


def execute(
    suite: Suite,
    groups: Sequence[Sequence[Job]],
    side_by_side: int,
    results: Path,
    with_controls: bool,
    data: Path | None,
    offline: bool,
    inception: Path | None,
    device: str,
    display: Display,
) -> dict[str, Outcome]:
    """Work through groups of jobs (and the control rows) and return label -> outcome.

    Raises:
        KeyboardInterrupt: the user pressed Ctrl-C; what was under way has left checkpoints.

    """
    threads = max(1, cores() // side_by_side)
    orders = Orders(data, offline, results / "cache", inception, device, threads, side_by_side)
    context = multiprocessing.get_context("spawn")
    queue, stop = context.Queue(), context.Event()
    pool = ProcessPoolExecutor(side_by_side, context, initialise, (queue, stop))
    waiting = deque(_Task(train, (group,), tuple(job.label for job in group)) for group in groups)
    if with_controls:
        # Second: a long task at the end would leave the other workers idle.
        own = controls_job(suite, results), controls_folder(suite, results)
        waiting.insert(1, _Task(work_on_controls, own, (CONTROLS,)))
    jobs = {job.label: job for group in groups for job in group}
    outcomes: dict[str, Outcome] = {}
    running: dict[Future[Any], _Task] = {}
    try:
        with display:
            while waiting or running:
                while waiting and len(running) < side_by_side:
                    task = waiting.popleft()
                    outcomes |= dict.fromkeys(task.labels, "failed")  # if its worker is killed
                    with _not_for_workers(), suppress(BrokenProcessPool):
                        running[pool.submit(task.function, *task.arguments, orders)] = task
                for future in [future for future in running if future.done()]:
                    found = _outcomes(future, running.pop(future))
                    outcomes |= found
                    # Evaluated before more is trained: results come early, and so does their cost.
                    trained = [label for label, outcome in found.items() if outcome == "trained"]
                    display.pace.trained(trained)
                    waiting.extendleft(
                        _Task(evaluate, (jobs[label],), (label,)) for label in reversed(trained)
                    )
                _drain(queue, display, timeout=0.05)
            _drain(queue, display, timeout=0.05)
    except KeyboardInterrupt:
        stop.set()
        display.say("stopping: runs under way write their checkpoints (Ctrl-C again: do not wait)")
        _shut_down(pool)
        raise
    pool.shutdown()
    return outcomes


@contextmanager
def _not_for_workers() -> Iterator[None]:
    """Start workers that inherit that Ctrl-C is not for them; the parent tells them by `stop`."""
    previous = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, previous)


def _shut_down(pool: ProcessPoolExecutor) -> None:
    """Wait for the workers; a second Ctrl-C ends them at once."""
    try:
        pool.shutdown(wait=True, cancel_futures=True)
    except KeyboardInterrupt:
        for child in multiprocessing.active_children():
            child.terminate()
        raise


def cores() -> int:
    """Return how many CPU cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _drain(queue: Any, display: Display, timeout: float) -> None:
    """Show the news that is there, or the first that comes."""
    try:
        display.show(queue.get(timeout=timeout))
        while True:
            display.show(queue.get_nowait())
    except Empty:
        return


def _outcomes(future: Future[Any], task: _Task) -> dict[str, Outcome]:
    """Return label -> outcome; "failed" if the worker was killed, by lack of memory for example."""
    try:
        found = future.result()
    except BrokenProcessPool:
        return dict.fromkeys(task.labels, "failed")
    return found if isinstance(found, dict) else {task.labels[0]: found}
