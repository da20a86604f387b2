"""The newest checkpoint of a run: everything that is needed to go on to the bit."""

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from benchmarks.files import set_aside, whole

FILE = "checkpoint.pt"


def save(folder: Path, state: dict[str, Any]) -> None:
    """Replace the run's checkpoint, whole or not at all."""
    with whole(folder / FILE) as draft:
        torch.save(state, draft)


def load(folder: Path, device: torch.device, say: Callable[[str], None]) -> dict[str, Any] | None:
    """Return the checkpoint, or None if there is none that can be used here.

    A damaged one, and one of another kind of device (whose random streams differ), is set aside.
    """
    path = folder / FILE
    if not path.exists():
        return None
    try:
        state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
        kind = state["device"]
    except (
        RuntimeError,
        EOFError,
        OSError,
        KeyError,
        TypeError,
        ValueError,
        pickle.UnpicklingError,
    ):
        set_aside(path, "damaged", say)
        return None
    if kind != device.type:
        set_aside(path, f"of-{kind}", say)
        return None
    return state
