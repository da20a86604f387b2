"""What an evaluation is doing, for whoever listens."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_listener: ContextVar[Callable[[str], None] | None] = ContextVar("listener", default=None)


@contextmanager
def heard_by(listener: Callable[[str], None]) -> Iterator[None]:
    """Tell the stages of the evaluations inside to a listener by short names, each as it begins."""
    last = ""

    def hear(stage: str) -> None:
        nonlocal last
        if stage != last:
            last = stage
            listener(stage)

    token = _listener.set(hear)
    try:
        yield
    finally:
        _listener.reset(token)


def announce(stage: str) -> None:
    """Say what is being measured or drawn now."""
    listener = _listener.get()
    if listener is not None:
        listener(stage)
