"""Plant faults in copies of the checkout: does each move a golden number?

`python -m tests.regression.mutations` prints a table and ends with 1 if a fault is missed, or if
noise such as another machine's is taken for one. With words behind it (`clipping decay`) it plants
only faults with one of them in their names.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from queue import Queue
from tempfile import TemporaryDirectory

from tests.regression.fault import Planted
from tests.regression.planted import HARMLESS, PLANTED

ROOT = Path(__file__).resolve().parents[2]
COPIED = ("benchmarks", "zoo", "datasets", "results/published/models")
SIDE_BY_SIDE = 2
PROGRAM = """
import json, sys
from benchmarks.regression.numerics import moved_numbers
worst = {}
for move in moved_numbers(json.loads(sys.argv[1])):
    if move.times > worst.get(move.where, (0, ""))[0]:
        worst[move.where] = (move.times, move.quantity)
print("MOVED", json.dumps(worst))
"""
CLOSEST = """
import json, sys
from benchmarks.regression import golden
def all_pairs(case, engine, was, now, allowed):
    return [golden.Move(case, engine, name, a, b, allowed[name])
            for name, old in was.items() for a, b in zip(old, now[name], strict=True)]
from benchmarks.regression import training_golden as trainings
from benchmarks.regression import evaluation_golden as evaluations
trainings.compared = evaluations.compared = all_pairs
"""
"""With it every number counts as moved: how near noise comes to the tolerance."""


def main(words: list[str]) -> int:
    """Plant what is asked for, print what came of it, and return the exit code."""
    chosen = [p for p in [*PLANTED, *HARMLESS] if not words or any(w in p.what for w in words)]
    copies: Queue[Path] = Queue()
    with TemporaryDirectory() as folder, ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        for number in range(SIDE_BY_SIDE):
            copies.put(copy_of_checkout(Path(folder) / str(number)))
        print("| planted | largest move over its tolerance | where |\n|---|---:|---|")
        wrong = sum(pool.map(lambda planted: _judge(planted, copies), chosen))
    print(f"\n{len(chosen)} planted, {wrong} judged wrongly")
    return 1 if wrong else 0


def copy_of_checkout(folder: Path) -> Path:
    """Copy what golden numbers are computed from."""
    for part in COPIED:
        shutil.copytree(ROOT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
    return folder


@contextmanager
def planted_in(folder: Path, planted: Planted) -> Iterator[None]:
    """Change the file of a copy meanwhile.

    Raises:
        ValueError: the text to replace is not there as often as it should be.

    """
    path = folder / planted.file
    text = path.read_text()
    if text.count(planted.old) != planted.times:
        raise ValueError(f"{planted.what}: {planted.file} has {text.count(planted.old)} times:\n"
                         f"{planted.old}")  # fmt: skip
    path.write_text(text.replace(planted.old, planted.new))
    try:
        yield
    finally:
        path.write_text(text)


def moves(folder: Path, planted: Planted, closest: bool = False) -> dict[str, tuple[float, str]]:
    """Return golden case -> its largest move over the tolerance and where, in a changed copy.

    Args:
        folder: the copy.
        planted: what to change in it.
        closest: of every case, though it moved less than it may.

    """
    program = (CLOSEST if closest else "") + PROGRAM
    environment = os.environ | {"PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}
    with planted_in(folder, planted):
        done = subprocess.run(
            [sys.executable, "-c", program, json.dumps(planted.cases)],
            cwd=folder, env=environment, capture_output=True, text=True, check=False,
        )  # fmt: skip
    last = done.stdout.strip().splitlines()[-1:]
    if done.returncode or not last or not last[0].startswith("MOVED "):
        return {"it does not run": (float("inf"), done.stderr.strip().splitlines()[-1])}
    found: dict[str, tuple[float, str]] = json.loads(last[0].removeprefix("MOVED "))
    return found


def _judge(planted: Planted, copies: Queue[Path]) -> bool:
    """Plant, print a line of the table, and return whether it was judged wrongly."""
    harmless, folder = planted in HARMLESS, copies.get()
    try:
        found = moves(folder, planted, closest=harmless)
    finally:
        copies.put(folder)
    worst = max(found.values(), default=(0.0, ""), key=lambda move: move[0])
    where = next((case for case, move in found.items() if move == worst), "nowhere")
    caught = worst[0] > 1
    verdict = "" if caught != harmless else " **MISSED**" if not caught else " **NOT A FAULT**"
    quantity = f"{where}: {worst[1]}" if worst[1] else where
    print(f"| {planted.what}{verdict} | {worst[0]:.3g} | {quantity} |", flush=True)
    return caught == harmless


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
