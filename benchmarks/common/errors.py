"""Errors that are the user's to mend: a message and an exit code, never a traceback."""

from collections.abc import Iterable
from difflib import get_close_matches


class UserError(Exception):
    """Wrong input (exit code 2); the message names the file or option and what to do."""


def unknown(kind: str, name: str, known: Iterable[str]) -> UserError:
    """Return the error for a name that does not exist, with the nearest right one."""
    choices = sorted(known)
    near = get_close_matches(name, choices, n=1, cutoff=0.4)
    hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(choices) or 'none'}"
    return UserError(f"unknown {kind} {name!r}; {hint}")
