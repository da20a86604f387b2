"""Run the plan's jobs side by side in worker processes, and show how far they are."""

import multiprocessing
import os
import signal
from collections.abc import Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from queue import Empty
from typing import Any

from benchmarks.config import Suite
from benchmarks.errors import UserError
from benchmarks.plan import Job, controls_folder, controls_job
from benchmarks.progress import Display
from benchmarks.work import Orders, Outcome, initialise, work, work_on_controls

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
    todo: Sequence[Job],
    results: Path,
    with_controls: bool,
    data: Path | None,
    offline: bool,
    inception: Path | None,
    device: str,
    display: Display,
) -> dict[str, Outcome]:
    """Work through jobs (and the control rows) and return label -> outcome.

    Raises:
        KeyboardInterrupt: the user pressed Ctrl-C; what was under way has left checkpoints.

    """
    side_by_side = workers(device, suite.training.threads, len(todo) + with_controls)
    threads = max(1, cores() // side_by_side)
    orders = Orders(data, offline, results / "cache", inception, device, threads, side_by_side)
    context = multiprocessing.get_context("spawn")
    queue, stop = context.Queue(), context.Event()
    pool = ProcessPoolExecutor(side_by_side, context, initialise, (queue, stop))
    futures: dict[str, Future[Outcome]] = {}
    # Workers inherit that Ctrl-C is not for them; the parent tells them by `stop`.
    previous = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        for job in todo:
            futures[job.label] = pool.submit(work, job, orders)
        if with_controls:
            job, folder = controls_job(suite, results), controls_folder(suite, results)
            futures["controls"] = pool.submit(work_on_controls, job, folder, orders)
    finally:
        signal.signal(signal.SIGINT, previous)
    try:
        with display:
            _follow(futures, queue, display)
    except KeyboardInterrupt:
        stop.set()
        display.say("stopping: runs under way write their checkpoints (Ctrl-C again: do not wait)")
        _shut_down(pool)
        raise
    pool.shutdown()
    return {label: _outcome(future) for label, future in futures.items()}


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


def _follow(futures: dict[str, Future[Outcome]], queue: Any, display: Display) -> None:
    while not all(future.done() for future in futures.values()):
        _drain(queue, display, timeout=0.2)
    _drain(queue, display, timeout=0.05)


def _drain(queue: Any, display: Display, timeout: float) -> None:
    try:
        while True:
            display.show(queue.get(timeout=timeout))
    except Empty:
        return


def _outcome(future: Future[Outcome]) -> Outcome:
    try:
        return future.result()
    except BrokenProcessPool:
        return "failed"  # the worker was killed, by lack of memory for example
