"""Use a published model: `python examples/published_model.py digits/bigan OUT.png`.

Nothing is trained or downloaded. OUT.png has three rows: test images x, their reconstructions
G(E(x)), and samples G(z).
"""

import sys
from argparse import ArgumentParser
from pathlib import Path

import torch
from torch.nn.functional import interpolate
from torchvision.utils import save_image

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # the checkout, wherever we are

import zoo
from datasets.images import to_range
from datasets.loading import load
from zoo.trained import ModelError

COLUMNS, ZOOM = 12, 6


def main(name: str, out: str) -> None:
    """Encode and reconstruct test images, draw samples, and write all as one picture."""
    game = zoo.load(name)
    needed = {"reconstruct", "sample_prior"}
    if not needed <= game.capabilities:
        raise ModelError(f"{name} cannot do all of {sorted(needed)}: it lacks a direction")
    x = to_range(load(name.split("/")[0], offline=True).test.images[:COLUMNS])  # [-1, 1]
    with torch.no_grad():
        code = game.encode(x)  # (N, C, H, W) -> (N, d)
        again = game.generate(code)  # (N, d) -> (N, C, H, W)
        z = game.sample_prior(COLUMNS, torch.Generator().manual_seed(0))
        samples = game.generate(z)
    error = (again - x).square().mean().item()
    print(f"{name}: codes {tuple(code.shape)}, squared error per pixel {error:.4f}")
    rows = interpolate(torch.cat([x, again, samples]), scale_factor=ZOOM)
    save_image(rows, out, nrow=COLUMNS, normalize=True, value_range=(-1, 1))


if __name__ == "__main__":
    parser = ArgumentParser(description="Encode, reconstruct and sample with a published model.")
    parser.add_argument("model", help="dataset and row, such as digits/aegan")
    parser.add_argument("out", help="the picture to write")
    given = parser.parse_args()
    try:
        main(given.model, given.out)
    except (ModelError, OSError, ValueError) as error:
        parser.error(str(error))
