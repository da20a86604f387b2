"""Encode a picture with a trained model: `python examples/encode_picture.py MODEL PICTURE OUT`.

Prints the code E(x) and writes G(E(x)) as OUT.
"""

import sys
from argparse import ArgumentParser
from pathlib import Path

import torch
from PIL import Image
from torchvision.transforms.functional import to_pil_image, to_tensor

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # the checkout, wherever we are

import zoo
from zoo.trained import ModelError, folder_of, recipe_of


def main(name: str, picture: str, out: str) -> None:
    """Encode a picture and write its reconstruction."""
    game = zoo.load(name)
    if "reconstruct" not in game.capabilities:
        raise ModelError(f"{name}: this family has no encoder and generator")
    channels, height, width = recipe_of(folder_of(name)).image_shape
    with Image.open(picture) as image:
        small = image.convert("L" if channels == 1 else "RGB").resize((width, height))
    x = to_tensor(small).unsqueeze(0) * 2 - 1  # (1, C, H, W) in [-1, 1]
    with torch.no_grad():
        code = game.encode(x)
        again = game.generate(code)
    print("E(x) =", " ".join(f"{value:.3f}" for value in code[0]))
    to_pil_image((again[0].clamp(-1, 1) + 1) / 2).save(out)


if __name__ == "__main__":
    parser = ArgumentParser(description="Encode a picture with a trained model.")
    parser.add_argument(
        "model", help="such as digits/bigan, or a run folder, results/runs/<dataset>/<row>/seed..."
    )
    parser.add_argument("picture", help="any picture; it is resized")
    parser.add_argument("out", help="where the reconstruction goes")
    given = parser.parse_args()
    try:
        main(given.model, given.picture, given.out)
    except (ModelError, OSError, ValueError) as error:  # the last: a format that Pillow lacks
        parser.error(str(error))
