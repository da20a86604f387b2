"""Worker processes: ended in the middle of an evaluation, and usable with a debugger."""

import multiprocessing
import subprocess
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from benchmarks.common.files import ROOT
from benchmarks.execution.worker import guarded, initialise, stopped, tell


def _measure_for_ever() -> None:
    tell("stage", "run", text="under way")
    while True:
        time.sleep(0.01)


def _evaluate(folder: Path) -> str:
    return guarded("run", folder, _measure_for_ever)


def _train() -> bool:
    """Go on until told to stop, as a training does: nothing may interrupt it."""
    tell("stage", "run", text="under way")
    while not stopped():
        time.sleep(0.01)
    return True


def test_an_evaluation_ends_at_once_when_the_command_is_stopped(tmp_path: Path) -> None:
    """It would never end by itself; a training beside it ends in its own way."""
    spawn = multiprocessing.get_context("spawn")
    queue, stop = spawn.Queue(), spawn.Event()
    with ProcessPoolExecutor(2, spawn, initialise, (queue, stop)) as pool:
        evaluation, training = pool.submit(_evaluate, tmp_path), pool.submit(_train)
        for _ in range(2):
            assert queue.get().text == "under way"
        stop.set()
        assert evaluation.result() == "interrupted"
        assert training.result()
        assert pool.submit(_evaluate, tmp_path).result() == "interrupted"  # not even begun
    assert not (tmp_path / "failure.txt").exists()


DEBUGGED = """
import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from benchmarks.execution.worker import initialise
if __name__ == "__main__":
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, spawn, initialise, (spawn.Queue(), spawn.Event())) as pool:
        print(pool.submit(input).result())
"""


def test_a_breakpoint_in_a_worker_can_be_answered(tmp_path: Path) -> None:
    (tmp_path / "debugged.py").write_text(DEBUGGED)
    done = subprocess.run(
        [sys.executable, tmp_path / "debugged.py"],
        input="an answer\n", env={"PYTHONPATH": str(ROOT)},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout == "an answer\n"
