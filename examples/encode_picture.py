"""Load a trained family and encode a picture: `python examples/encode_picture.py RUN PICTURE OUT`.

Prints the code E(x) and writes G(E(x)) as OUT.
"""

import sys
from pathlib import Path

import torch
from PIL import Image
from torchvision.transforms.functional import to_pil_image, to_tensor

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # the checkout, wherever we are

import zoo
from zoo.trained import recipe_of


def main(run_folder: str, picture: str, out: str) -> None:
    """Encode a picture and write its reconstruction."""
    game = zoo.load(run_folder)
    channels, height, width = recipe_of(Path(run_folder)).image_shape
    with Image.open(picture) as image:
        small = image.convert("L" if channels == 1 else "RGB").resize((width, height))
    x = to_tensor(small).unsqueeze(0) * 2 - 1  # (1, C, H, W) in [-1, 1]
    with torch.no_grad():
        code = game.encode(x)
        again = game.generate(code)
    print("E(x) =", " ".join(f"{value:.3f}" for value in code[0]))
    to_pil_image((again[0].clamp(-1, 1) + 1) / 2).save(out)


if __name__ == "__main__":
    main(*sys.argv[1:])
