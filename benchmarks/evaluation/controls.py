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
from benchmarks.evaluation.scoring import scoring_copy
from datasets.images import to_range
from zoo.game import Game

COST = ("generate_images_per_second", "encode_images_per_second")
SPLITS, SPLIT_SEED = 5, 4


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
    n = min(reference.protocol.samples, len(train) // 2)
    copies = (scoring_copy(game, train, reference.protocol) for game in untrained)
    games = [evaluate(copy, reference)[""] for copy in copies]
    return {
        f"real, {n:,} of train": _real_against_real(reference, n),
        f"real, {len(x):,} of test": [sample_metrics(x, reference)],
        "raw pixels": [representation_metrics(pixels[0], pixels[1], "features", reference)],
        "mean image": [reconstruction_metrics(mean, reference)],
        # Two places on: the ratio's own baseline is the image one place on.
        "random pair": [reconstruction_metrics(torch.roll(x, -2, dims=0), reference)],
        "untrained": [{k: v for k, v in metrics.items() if k not in COST} for metrics in games],
    }


def _real_against_real(reference: Reference, n: int) -> list[Metrics]:
    """Measure n training images against all the others, for several random splits."""
    images = reference.images.train.images.cpu()
    generator = torch.Generator().manual_seed(SPLIT_SEED)
    rows = []
    for _ in range(SPLITS):
        order = torch.randperm(len(images), generator=generator)
        others = reference.train_features[order[n:]]
        rows.append(sample_metrics(to_range(images[order[:n]]), reference, others))
    return rows
