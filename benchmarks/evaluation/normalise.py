"""The statistics of a scoring copy as a file, so that a trained game can be used elsewhere.

An evaluation leaves them in the run folder. For one that was evaluated before it did, or never:
`python -m benchmarks.evaluation.normalise RUN_FOLDER`.
"""

import sys
from pathlib import Path
from typing import Annotated

import typer
from safetensors.torch import save_file

from benchmarks.common.files import whole
from benchmarks.evaluation.protocol import PROTOCOLS
from benchmarks.evaluation.scoring import scoring_copy
from datasets.images import without_class
from datasets.loading import load
from datasets.registry import DatasetError
from zoo.game import Game
from zoo.trained import ModelError, filled, read, recipe_of, suffix, weights_of


def write_statistics(copy: Game, folder: Path, average: bool = False) -> None:
    """Write statistics.safetensors (statistics_average.safetensors): a scoring copy's buffers."""
    buffers = {name: value.cpu().contiguous() for name, value in copy.named_buffers()}
    with whole(folder / f"statistics{suffix(average)}.safetensors") as draft:
        save_file(buffers, draft)


def main(
    folder: Annotated[Path, typer.Argument(help="A run folder with weights.")],
    data: Annotated[Path | None, typer.Option(help="The only folder searched for data.")] = None,
) -> None:
    """Recompute the batch-norm statistics of a finished run from its training images."""
    try:
        recipe, run = recipe_of(folder), (read(folder / "config.json") or {})["run"]
        train = load(run["dataset"], data).train
        if run.get("left_out") is not None:
            train = without_class(train, run["left_out"])
        for average in (False, True):
            if average and not (folder / "weights_average.safetensors").exists():
                continue
            game = filled(recipe.assemble(), weights_of(folder, average), folder)
            copy = scoring_copy(game, train, PROTOCOLS[run["dataset"]])
            write_statistics(copy, folder, average)
    except (ModelError, DatasetError) as error:
        print(f"error: {error}", file=sys.stderr)
        raise typer.Exit(2) from error


if __name__ == "__main__":
    typer.run(main)
