"""G and E of a trained run as ONNX files: `python -m zoo.export RUN_FOLDER OUT`."""

import sys
from pathlib import Path

import torch
from torch import Tensor, nn

from zoo.game import Game
from zoo.trained import ModelError, folder_of, load, recipe_of

EXAMPLES = 2
"""Batch size of the traced call; the files take any."""


class _Direction(nn.Module):
    """One of a game's methods as a module."""

    def __init__(self, game: Game, method: str) -> None:
        super().__init__()
        self.game, self.method = game, method

    def forward(self, inputs: Tensor) -> Tensor:
        outputs: Tensor = getattr(self.game, self.method)(inputs)
        return outputs


def export(run_folder: Path, out: Path, average: bool = False) -> list[Path]:
    """Write generator.onnx (z -> x) and encoder.onnx (x -> z), as far as the family has them.

    Images are (N, C, H, W) in [-1, 1] whatever the family's own range, latents (N, d); N is free.
    A stochastic encoder gives its mean.

    Args:
        run_folder: a finished run.
        out: the folder to write to.
        average: the averaged weights.

    Returns:
        The files written.

    Raises:
        ModelError: the run gives no model.

    """
    recipe, game = recipe_of(folder_of(run_folder)), load(run_folder, average)
    images = torch.zeros(EXAMPLES, *recipe.image_shape)
    latents = torch.zeros(EXAMPLES, recipe.networks["latent_dim"])
    out.mkdir(parents=True, exist_ok=True)
    written = []
    for method, name, given, taken in (
        ("generate", "generator", latents, ("z", "x")),
        ("encode", "encoder", images, ("x", "z")),
    ):
        if method in game.capabilities:
            path = out / f"{name}.onnx"
            _export(_Direction(game, method).eval(), given, path, *taken)
            written.append(path)
    return written


def _export(module: nn.Module, given: Tensor, path: Path, takes: str, gives: str) -> None:
    torch.onnx.export(
        module,
        (given,),
        path,
        input_names=[takes],
        output_names=[gives],
        dynamic_shapes={"inputs": {0: torch.export.Dim.DYNAMIC}},
        external_data=False,
        verbose=False,
    )


def main(arguments: list[str]) -> int:
    """Export a run folder; return the exit code."""
    average = "--average" in arguments
    places = [Path(argument) for argument in arguments if argument != "--average"]
    if len(places) != 2:
        print("usage: python -m zoo.export RUN_FOLDER OUT [--average]", file=sys.stderr)
        return 2
    try:
        for path in export(places[0], places[1], average):
            print(path)
    except ModelError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except ImportError as error:
        print(f"error: {error.name} is missing: pip install '.[onnx]'", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
