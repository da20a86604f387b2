"""The model zoo: every family is a game over the same networks (see `zoo.game`).

Importing it loads no torch; `zoo.load` does when it is called.
"""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from zoo.game import Game


def load(folder: str | Path, average: bool = False) -> "Game":
    """Return the trained game of a run folder, ready to `generate`, `encode` and `reconstruct`.

    Args:
        folder: a run folder, results/runs/<dataset>/<family>/seed<n>-<identity>.
        average: the averaged weights of a family that keeps them, instead of the last ones.

    Returns:
        The game on the CPU, in inference mode, its parameters frozen. Images are (N, C, H, W) in
        [-1, 1], latents (N, d); `game.capabilities` says what it can do.

    Raises:
        zoo.trained.ModelError: no folder of a finished run, or one of other code.

    """
    from zoo import trained

    return trained.load(Path(folder), average)
