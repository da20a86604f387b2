"""The evaluation of a dataset: that of images, or that of points of a known mixture."""

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any, Protocol

import torch

from benchmarks.evaluation import controls, evaluate, pictures, points
from benchmarks.evaluation.control_rows import Measured
from benchmarks.evaluation.measures import Row
from benchmarks.evaluation.protocol import PROTOCOLS
from benchmarks.evaluation.protocol import Protocol as Sizes
from benchmarks.evaluation.real_data import Reference
from datasets.images import ImageSet, Split
from zoo.game import Game


class Evaluator(Protocol):
    """Measures and draws games on one dataset, which it has loaded.

    Every `copy` is a scoring copy of a game (see `scoring`) on the evaluator's device.
    """

    images: ImageSet
    device: torch.device
    protocol: Sizes

    def evaluate(self, copy: Game, only: Collection[str] | None = None) -> dict[str, Row]:
        """Measure a trained game: name of a readout ("" for the game itself) -> its numbers."""

    def evaluate_light(self, copy: Game) -> dict[str, float]:
        """Measure a game under training, on fewer samples."""

    def evaluate_anomaly(self, copy: Game, train: Split, left_out: int) -> Row:
        """Measure a game trained without a class as a detector of it."""

    def controls(self, untrained: Sequence[Game], leaves_out: bool = False) -> Measured:
        """Measure the control rows; with `leaves_out`, those of the anomaly evaluation."""

    def truncation_curve(self, copy: Game) -> list[dict[str, Any]]:
        """Measure truncated samples by threshold; empty where there is nothing to truncate."""

    def draw(self, copy: Game, folder: Path) -> None:
        """Write pictures of a trained game into its run's folder."""

    def draw_early(self, copy: Game, folder: Path, step: int) -> None:
        """Write a picture of a game under training after so many updates."""


class ImageEvaluator:
    """The evaluation of images; see `Evaluator`.

    Args:
        images: the dataset, on the device of the evaluation.
        cache: folder of what is computed once of real images; None keeps nothing.

    """

    def __init__(self, images: ImageSet, cache: Path | None = None) -> None:
        self.reference = Reference(images, cache)
        self.images, self.device = images, self.reference.device
        self.protocol = self.reference.protocol

    def evaluate(self, copy: Game, only: Collection[str] | None = None) -> dict[str, Row]:
        """Measure a trained game and its readouts."""
        return evaluate.evaluate(copy, self.reference, only)

    def evaluate_light(self, copy: Game) -> dict[str, float]:
        """Measure FID, reconstruction ratio, latent error and 1-NN on fewer samples."""
        return evaluate.evaluate_light(copy, self.reference)

    def evaluate_anomaly(self, copy: Game, train: Split, left_out: int) -> Row:
        """Measure a game trained without a class as a detector of it."""
        return evaluate.evaluate_anomaly(copy, self.reference, train, left_out)

    def controls(self, untrained: Sequence[Game], leaves_out: bool = False) -> Measured:
        """Measure the control rows of images."""
        if leaves_out:
            return controls.evaluate_anomaly_controls(self.reference, untrained)
        return controls.evaluate_controls(self.reference, untrained)

    def truncation_curve(self, copy: Game) -> list[dict[str, Any]]:
        """Measure truncated samples by threshold."""
        return evaluate.truncation_curve(copy, self.reference)

    def draw(self, copy: Game, folder: Path) -> None:
        """Write samples, reconstructions, interpolations, neighbours and codes."""
        pictures.draw(copy, self.reference, folder)

    def draw_early(self, copy: Game, folder: Path, step: int) -> None:
        """Write one row of samples."""
        pictures.draw_early(copy, folder, step, self.device)


class PointEvaluator:
    """The evaluation of points of a known mixture; see `Evaluator`.

    Args:
        images: the dataset, on the device of the evaluation.
        cache: not used; nothing of points is worth keeping.

    """

    def __init__(self, images: ImageSet, cache: Path | None = None) -> None:
        self.reference = points.PointReference(images)
        self.images, self.device = images, self.reference.device
        self.protocol = self.reference.protocol

    def evaluate(self, copy: Game, only: Collection[str] | None = None) -> dict[str, Row]:
        """Measure a trained game."""
        return points.evaluate(copy, self.reference, only)

    def evaluate_light(self, copy: Game) -> dict[str, float]:
        """Measure modes, reconstruction ratio and latent error on fewer points."""
        return points.evaluate_light(copy, self.reference)

    def evaluate_anomaly(self, copy: Game, train: Split, left_out: int) -> Row:
        """Points have no class that could be left out; planning refuses such a suite."""
        raise NotImplementedError("the anomaly evaluation is for images")

    def controls(self, untrained: Sequence[Game], leaves_out: bool = False) -> Measured:
        """Measure the control rows of points."""
        return points.evaluate_controls(self.reference, untrained)

    def truncation_curve(self, copy: Game) -> list[dict[str, Any]]:
        """Nothing is truncated."""
        return []

    def draw(self, copy: Game, folder: Path) -> None:
        """Write the coordinates of test points, samples and reconstructions."""
        points.draw(copy, self.reference, folder)

    def draw_early(self, copy: Game, folder: Path, step: int) -> None:
        """Nothing is drawn during training."""


def evaluator_of(images: ImageSet, cache: Path | None = None) -> Evaluator:
    """Return the evaluation of a loaded dataset.

    Args:
        images: the dataset, on the device of the evaluation.
        cache: folder of what is computed once of real images; None keeps nothing.

    """
    kind = PointEvaluator if PROTOCOLS[images.name].of_points else ImageEvaluator
    return kind(images, cache)
