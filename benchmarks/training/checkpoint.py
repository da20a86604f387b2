"""The newest checkpoint of a run: everything that is needed to go on to the bit."""

import hashlib
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from benchmarks.common.files import set_aside, whole

FILE = "checkpoint.pt"
DIGEST_BYTES = 32


def save(folder: Path, state: dict[str, Any]) -> None:
    """Replace the run's checkpoint, whole or not at all; its SHA-256 comes first in the file."""
    buffer = io.BytesIO()
    torch.save(state, buffer)
    content = buffer.getvalue()
    with whole(folder / FILE) as draft:
        draft.write_bytes(hashlib.sha256(content).digest() + content)


def load(folder: Path, device: torch.device, say: Callable[[str], None]) -> dict[str, Any] | None:
    """Return the checkpoint, or None if there is none that can be used here.

    A damaged one, and one of another kind of device (whose random streams differ), is set aside.
    """
    path = folder / FILE
    if not path.exists():
        return None
    content = path.read_bytes()
    digest, content = content[:DIGEST_BYTES], content[DIGEST_BYTES:]
    if hashlib.sha256(content).digest() != digest:
        set_aside(path, "damaged", say)
        return None
    state: dict[str, Any] = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    if state["device"] != device.type:
        set_aside(path, f"of-{state['device']}", say)
        return None
    return state
