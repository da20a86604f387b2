"""Run the plan's tasks in worker processes, and show how far they are."""

import multiprocessing
import os
import signal
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from queue import Empty
from typing import Any

from benchmarks.common.context import Context, cores
from benchmarks.common.errors import UserError
from benchmarks.execution.progress import Display
from benchmarks.execution.tasks import evaluate, measure_controls, train
from benchmarks.execution.worker import CONTROLS, Outcome, initialise
from benchmarks.planning.config import Suite
from benchmarks.planning.plan import Job, controls_folder, controls_job

WORKER_BYTES = 3 * 2**30
"""Room for one worker with MNIST, its features and the kernels of 10,000 samples."""
POLL_SECONDS = 0.05


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
    """Return how many runs go at the same time: as many as cores and memory hold, one on a GPU."""
    if device == "cuda":
        return 1
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return max(1, min(cores() // threads, memory // WORKER_BYTES, jobs))


def execute(
    suite: Suite,
    groups: Sequence[Sequence[Job]],
    with_controls: bool,
    context: Context,
    display: Display,
) -> dict[str, Outcome]:
    """Work through groups of jobs (and the control rows) and return label -> outcome.

    Raises:
        KeyboardInterrupt: the user pressed Ctrl-C; what was under way has left checkpoints.

    """
    waiting = deque(_Task(train, (group,), tuple(job.label for job in group)) for group in groups)
    if with_controls:
        # Second: a long task at the end would leave the other workers idle.
        own = controls_job(suite, context.results), controls_folder(suite, context.results)
        waiting.insert(1, _Task(measure_controls, own, (CONTROLS,)))
    spawn = multiprocessing.get_context("spawn")
    queue, stop = spawn.Queue(), spawn.Event()
    pool = ProcessPoolExecutor(context.side_by_side, spawn, initialise, (queue, stop))
    jobs = {job.label: job for group in groups for job in group}
    try:
        with display:
            outcomes = _work(pool, waiting, jobs, context, lambda: _show_news(queue, display))
    except KeyboardInterrupt:
        stop.set()
        display.say("stopping: runs under way write their checkpoints (Ctrl-C again: do not wait)")
        _shut_down(pool)
        raise
    pool.shutdown()
    return outcomes


def _work(
    pool: ProcessPoolExecutor,
    waiting: deque[_Task],
    jobs: dict[str, Job],
    context: Context,
    show_news: Callable[[], None],
) -> dict[str, Outcome]:
    """Keep all workers busy until nothing is left to do."""
    outcomes: dict[str, Outcome] = {}
    running: dict[Future[Any], _Task] = {}
    while waiting or running:
        while waiting and len(running) < context.side_by_side:
            task = waiting.popleft()
            outcomes |= dict.fromkeys(task.labels, "failed")  # if its worker is killed
            with _not_for_workers(), suppress(BrokenProcessPool):
                running[pool.submit(task.function, *task.arguments, context)] = task
        for future in [future for future in running if future.done()]:
            found = _outcomes(future, running.pop(future))
            outcomes |= found
            # Evaluated before more is trained: results come early, and so does their cost.
            waiting.extendleft(_evaluations(found, jobs))
        show_news()
    show_news()
    return outcomes


def _evaluations(found: dict[str, Outcome], jobs: dict[str, Job]) -> Iterable[_Task]:
    """Return the evaluations of what has been trained, the last first."""
    trained = [label for label, outcome in found.items() if outcome == "trained"]
    return [_Task(evaluate, (jobs[label],), (label,)) for label in reversed(trained)]


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


def _show_news(queue: Any, display: Display) -> None:
    """Show the news that is there, or the first that comes, and let the clock tick."""
    with suppress(Empty):
        display.show(queue.get(timeout=POLL_SECONDS))
        while True:
            display.show(queue.get_nowait())
    display.tick()


def _outcomes(future: Future[Any], task: _Task) -> dict[str, Outcome]:
    """Return label -> outcome; "failed" if the worker was killed, by lack of memory for example."""
    try:
        found = future.result()
    except BrokenProcessPool:
        return dict.fromkeys(task.labels, "failed")
    return found if isinstance(found, dict) else {task.labels[0]: found}
