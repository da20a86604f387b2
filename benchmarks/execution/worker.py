"""A worker process: it hears when to stop, tells the display its news, and holds one folder."""

import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from multiprocessing import parent_process
from pathlib import Path
from typing import Any, Literal, NamedTuple

from benchmarks.common.files import locked, write_text

Outcome = Literal["done", "trained", "diverged", "failed", "interrupted"]
CONTROLS = "controls"
"""The label of the control rows."""
GRACE_SECONDS = 60.0


class Event(NamedTuple):
    """News of a job: "start", "progress", "trained", "evaluate", "stage", "end" or "say".

    `step` is that of the news: updates so far, or after how many a run diverged.
    """

    kind: str
    label: str
    step: int = 0
    values: tuple[tuple[str, float], ...] = ()
    text: str = ""


class Stopped(BaseException):
    """The user stopped the command; no error, so that nothing that handles errors takes it."""


_queue: Any = None
_stop: Any = None
_may_end = False
"""Whether the task of this process may be ended in the middle."""


def initialise(queue: Any, stop: Any) -> None:
    """Set up a worker process: its way to tell, and the flag that ends it early."""
    global _queue, _stop
    _queue, _stop = queue, stop
    sys.stdin = open(0, closefd=False)  # noqa: SIM115 (a breakpoint in a family's losses asks)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides; see `stopped`
    signal.signal(signal.SIGUSR1, _end_task)
    threading.Thread(target=_hear_stop, args=(threading.main_thread().ident,), daemon=True).start()
    threading.Thread(target=_outlive_parent_briefly, daemon=True).start()


def stopped() -> bool:
    """Whether to stop with a checkpoint: the parent said so, or is gone."""
    parent = parent_process()
    return _stop.is_set() or (parent is not None and not parent.is_alive())


def guarded(label: str, folder: Path, task: Callable[[], None]) -> Outcome:
    """Do a task that needs a folder; an error is recorded there, and becomes an outcome.

    The task writes whole files alone, so it ends at once when the command is stopped.
    """
    outcome: Outcome = "failed"
    try:
        with held(label, folder) as mine, _ended_by_stop():
            if mine:
                task()
                outcome = "done"
                (folder / "failure.txt").unlink(missing_ok=True)
    except Stopped:
        outcome = "interrupted"
    except Exception as error:
        record(label, folder, error)
    tell("end", label, text=outcome)
    return outcome


@contextmanager
def _ended_by_stop() -> Iterator[None]:
    """Let `stop` end the work inside at once.

    Raises:
        Stopped: the command is stopped.

    """
    global _may_end
    _may_end = True
    try:
        if stopped():
            raise Stopped
        yield
    finally:
        _may_end = False


def _hear_stop(main_thread: int) -> None:
    """Wait for `stop`, then interrupt the main thread between two steps of its Python code."""
    _stop.wait()
    signal.pthread_kill(main_thread, signal.SIGUSR1)


def _end_task(number: int, frame: Any) -> None:
    if _may_end:
        raise Stopped


@contextmanager
def held(label: str, folder: Path) -> Iterator[bool]:
    """Hold a run's folder; yields False, and says so, if another command holds it."""
    with locked(folder) as free:
        if not free:
            tell("say", label, text=f"{label}: {folder} is in use by another command")
        yield free


def record(label: str, folder: Path, error: Exception) -> None:
    """Leave an error in a run's folder, and say so."""
    write_text(folder / "failure.txt", traceback.format_exc())
    tell("say", label, text=f"{label} failed: {error} (see {folder / 'failure.txt'})")


def _outlive_parent_briefly() -> None:
    """End this worker some time after its parent was killed; it would wait for work for ever."""
    parent = parent_process()
    if parent is not None:
        parent.join()
        time.sleep(GRACE_SECONDS)  # for a run under way to see `stopped` and write its checkpoint
        os._exit(1)


def tell(
    kind: str, label: str, step: int = 0, values: Mapping[str, float] | None = None, text: str = ""
) -> None:
    """Send news to the display."""
    _queue.put(Event(kind, label, step, tuple((values or {}).items()), text))
