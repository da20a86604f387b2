"""Where the command line prints."""

from rich.console import Console

console = Console(soft_wrap=False)


def say(line: str) -> None:
    """Print a plain line."""
    console.print(line, highlight=False, markup=False, soft_wrap=True)
