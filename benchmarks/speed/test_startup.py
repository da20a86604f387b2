"""What a user waits for before anything is computed."""

import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from benchmarks.common.files import ROOT
from benchmarks.speed.conftest import Measure

COMMANDS = {"help": ["--help"], "list": ["--list"], "dry-run": ["--dry-run"]}


@pytest.mark.parametrize("command", COMMANDS)
def test_startup(command: str, tmp_path: Path, measure: Measure, note: Callable[..., None]) -> None:
    """A whole process, by the clock; `processor_seconds` is what it used itself."""
    results = ["--results", str(tmp_path)] if command == "dry-run" else []
    line = [sys.executable, "run_all.py", *COMMANDS[command], *results]
    used: list[float] = []

    def run() -> None:
        before = _children_seconds()
        subprocess.run(line, cwd=ROOT, check=True, capture_output=True)
        used.append(_children_seconds() - before)

    measure(run, spend=2.0, wall=True)
    note(processor_seconds=min(used))


def _children_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime
