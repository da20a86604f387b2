"""The model zoo: every family is a game over the same networks (see `zoo.game`).

Importing it loads no torch; `zoo.load` does when it is called.
"""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from zoo.game import Game


def load(name: str | Path, average: bool = False) -> "Game":
    """Return a trained game, ready to `generate`, `encode` and `reconstruct`.

    Args:
        name: a published model, such as "digits/bigan", or a run folder,
            results/runs/<dataset>/<row>/seed<n>-<identity>.
        average: the averaged weights of a family that keeps them, instead of the last ones.

    Returns:
        The game on the CPU, in inference mode, its parameters frozen. Images are (N, C, H, W) in
        [-1, 1], latents (N, d); `game.capabilities` says what it can do.

    Raises:
        zoo.trained.ModelError: no such model, no folder of a finished run, one of other code, or
            files that are not those that were published.

    """
    from zoo import trained

    return trained.load(name, average)
