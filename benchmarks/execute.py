"""Run the plan's jobs side by side in worker processes, and show how far they are."""

import multiprocessing
import os
import signal
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from pathlib import Path
from queue import Empty
from typing import Any, TypeVar

from benchmarks.config import Suite
from benchmarks.errors import UserError
from benchmarks.plan import Job, controls_folder, controls_job
from benchmarks.progress import Display
from benchmarks.work import Orders, evaluate, train, work_on_controls
from benchmarks.worker import Outcome, initialise

T = TypeVar("T")
WORKER_BYTES = 3 * 2**30
"""Room for one worker with MNIST, its features and the kernels of 10,000 samples."""


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
    evaluations: dict[str, Future[Outcome]] = {}
    outcomes: dict[str, Outcome] = {}
    jobs = {job.label: job for group in groups for job in group}
    with _not_for_workers():
        trainings = [pool.submit(train, group, orders) for group in groups]
        if with_controls:
            job, folder = controls_job(suite, results), controls_folder(suite, results)
            evaluations["controls"] = pool.submit(work_on_controls, job, folder, orders)
    try:
        with display:
            while trainings or not all(future.done() for future in evaluations.values()):
                for future in [future for future in trainings if future.done()]:
                    trainings.remove(future)
                    trained = _result(future, {})
                    outcomes |= trained
                    with _not_for_workers(), suppress(BrokenProcessPool):
                        for label in [label for label, o in trained.items() if o == "trained"]:
                            outcomes[label] = "failed"
                            evaluations[label] = pool.submit(evaluate, jobs[label], orders)
                _drain(queue, display, timeout=0.2)
            _drain(queue, display, timeout=0.05)
    except KeyboardInterrupt:
        stop.set()
        display.say("stopping: runs under way write their checkpoints (Ctrl-C again: do not wait)")
        _shut_down(pool)
        raise
    pool.shutdown()
    outcomes |= {label: _result(future, "failed") for label, future in evaluations.items()}
    return {label: outcomes.get(label, "failed") for label in jobs} | outcomes


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
    try:
        while True:
            display.show(queue.get(timeout=timeout))
    except Empty:
        return


def _result(future: Future[T], lost: T) -> T:
    """Return what a worker found, or `lost` if it was killed, by lack of memory for example."""
    try:
        return future.result()
    except BrokenProcessPool:
        return lost
