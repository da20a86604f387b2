"""Files that are either whole or absent: write under a temporary name, then rename."""

import fcntl
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
"""The checkout."""


@contextmanager
def whole(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`, renamed to it when the block ends without an error."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}.draft")
    try:
        yield draft
        os.replace(draft, path)
    finally:
        draft.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write a text file whole."""
    with whole(path) as draft:
        draft.write_text(text)


def write_json(path: Path, value: Any) -> None:
    """Write a JSON file whole."""
    write_text(path, json.dumps(value, indent=1) + "\n")


def set_aside(path: Path, why: str, say: Callable[[str], None]) -> None:
    """Rename a file that cannot be used, so that nothing computed is lost, and say so."""
    number = 1
    while (other := path.with_name(f"{path.name}.{why}-{number}")).exists():
        number += 1
    path.rename(other)
    say(f"{path} is {why}; set aside as {other.name}, its work is redone")


def read_json(path: Path, say: Callable[[str], None] | None = None) -> dict[str, Any] | None:
    """Read a JSON object; None if it is absent or damaged.

    A damaged file is set aside and that is said, if there is a `say`; else nothing is touched.
    """
    if not path.exists():
        return None
    try:
        value = json.loads(path.read_text())
        if not isinstance(value, dict):
            raise ValueError("not an object")
    except (ValueError, UnicodeDecodeError):
        if say is not None:
            set_aside(path, "damaged", say)
        return None
    return value


@contextmanager
def locked(folder: Path) -> Iterator[bool]:
    """Hold a folder for this process; yields False if another process holds it."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        yield True  # closing the file gives the lock back, also when the process is killed


def read_lines(path: Path) -> list[dict[str, Any]]:
    """Read JSON lines; a last line cut off by a crash is left out."""
    if not path.exists():
        return []
    rows = []
    for line in path.read_text(errors="replace").splitlines():
        try:
            rows.append(json.loads(line))
        except ValueError:
            break
    return rows
