"""Train an extractor: `python -m benchmarks.evaluation.extractors.train mnist --data DIR`.

Writes extractors/<dataset>-hybrid-v1-<digest>.safetensors and prints its name and test accuracy.
The committed files were made so; a new one has another name, and naming it in `protocol.py` is a
new protocol version.
"""

from pathlib import Path
from typing import Annotated

import torch
import torch.nn.functional as F
import typer
from safetensors.torch import save_file
from torch import Tensor, nn

from benchmarks.evaluation.extractors.extractor import FOLDER, HybridExtractor, extract, file_digest
from datasets.images import ImageSet, Split
from datasets.loading import load
from datasets.registry import DATASETS

WIDTH = {"digits": 32, "mnist": 64}
EPOCHS = {"digits": 150, "mnist": 6}
BATCH = 128
RECONSTRUCTION_WEIGHT = 80.0
"""On the mean squared pixel error in [0, 1]: a tenth of the sum over MNIST's 784 pixels."""


def train(images: ImageSet, width: int, epochs: int) -> HybridExtractor:
    """Train on cross-entropy plus weighted reconstruction error, and fix the feature scale."""
    torch.manual_seed(0)
    info = DATASETS[images.name]
    extractor = HybridExtractor(info.image_shape, width, info.classes)
    pixels = images.train.images[0].numel()
    decoder = nn.Sequential(nn.Linear(width, 512), nn.ReLU(), nn.Linear(512, pixels), nn.Sigmoid())
    modules = nn.ModuleList([extractor, decoder]).train()
    steps = epochs * (len(images.train) // BATCH)
    optimiser = torch.optim.Adam(modules.parameters(), lr=2e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 2e-3, total_steps=steps)
    generator = torch.Generator().manual_seed(0)
    for _ in range(steps):
        x, y = images.train.draw(BATCH, generator)
        raw = extractor.raw(x)
        error = F.mse_loss(decoder(raw), x.flatten(1).float() / 255)
        loss = F.cross_entropy(extractor.classifier(raw), y) + RECONSTRUCTION_WEIGHT * error
        optimiser.zero_grad()
        torch.autograd.backward(loss)
        optimiser.step()
        schedule.step()
    extractor.eval()
    features, _ = extract(extractor, images.train.images)
    extractor.shift.copy_(features.mean(0))
    extractor.spread.copy_((features - features.mean(0)).square().mean().sqrt())
    return extractor


def accuracy(extractor: HybridExtractor, split: Split) -> float:
    """Return the classification accuracy in [0, 1]."""
    _, logits = extract(extractor, split.images)
    return (logits.argmax(1) == split.labels).double().mean().item()


def main(dataset: str, data: Annotated[Path | None, typer.Option()] = None) -> None:
    """Train the extractor of a dataset and write it under its digest's name."""
    images = load(dataset, data)
    extractor = train(images, WIDTH[dataset], EPOCHS[dataset])
    state: dict[str, Tensor] = dict(extractor.state_dict())
    state["image_shape"] = torch.tensor(DATASETS[dataset].image_shape)
    draft = FOLDER / f"{dataset}.draft"
    save_file(state, draft)
    name = f"{dataset}-hybrid-v1-{file_digest(draft)}"
    draft.rename(FOLDER / f"{name}.safetensors")
    print(f"{name}: test accuracy {accuracy(extractor, images.test):.4f}")


if __name__ == "__main__":
    typer.run(main)
