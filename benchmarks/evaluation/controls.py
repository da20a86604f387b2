"""Control rows: what the metrics say of things that need no training.

Without them the table misleads: raw pixels and an untrained encoder already classify well.
"""

from collections.abc import Iterable

import torch

from benchmarks.evaluation.evaluate import (
    Metrics,
    Reference,
    evaluate,
    reconstruction_metrics,
    representation_metrics,
    sample_metrics,
)
from datasets.images import to_range
from zoo.game import Game

COST = ("generate_images_per_second", "encode_images_per_second")


def evaluate_controls(reference: Reference, untrained: Iterable[Game]) -> dict[str, list[Metrics]]:
    """Return control row -> one set of metrics per repetition.

    Args:
        reference: the dataset.
        untrained: games as they are before their first step, one per seed.

    """
    train, test = reference.images.train, reference.images.test
    x = to_range(test.images).cpu()
    mean = to_range(train.images).cpu().mean(0, keepdim=True).expand_as(x)
    pixels = [to_range(split.images).cpu().flatten(1) for split in (train, test)]
    games = [evaluate(game, reference)[""] for game in untrained]
    return {
        "real images": [sample_metrics(x, reference)],
        "raw pixels": [representation_metrics(pixels[0], pixels[1], "features", reference)],
        "mean image": [reconstruction_metrics(x, mean, reference)],
        # Two places on: the ratio's own baseline is the image one place on.
        "random pair": [reconstruction_metrics(x, torch.roll(x, -2, dims=0), reference)],
        "untrained": [{k: v for k, v in metrics.items() if k not in COST} for metrics in games],
    }
