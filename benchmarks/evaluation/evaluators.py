"""Which evaluation a dataset has: that of images, or that of points of a known mixture."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from benchmarks.evaluation import controls, evaluate, pictures, points
from benchmarks.evaluation.protocol import PROTOCOLS
from benchmarks.evaluation.real_data import Reference


@dataclass(frozen=True)
class Kind:
    """What a run's evaluation is made of; `reference` gives what the others take.

    Attributes:
        reference: (dataset, cache folder) -> the dataset as the evaluation sees it.
        evaluate: (copy, reference) -> row name -> what was measured.
        evaluate_light: (copy, reference) -> metrics, during training.
        controls: (reference, untrained games) -> the control rows as measured.
        truncation_curve: (copy, reference) -> fidelity by threshold.
        draw: (copy, reference, folder), for eyes.
        draw_early: (copy, folder, step, device), during training.

    """

    reference: Callable[..., Any]
    evaluate: Callable[..., Any]
    evaluate_light: Callable[..., Any]
    controls: Callable[..., Any]
    truncation_curve: Callable[..., Any]
    draw: Callable[..., None]
    draw_early: Callable[..., None]


IMAGES = Kind(
    reference=Reference,
    evaluate=evaluate.evaluate,
    evaluate_light=evaluate.evaluate_light,
    controls=controls.evaluate_controls,
    truncation_curve=evaluate.truncation_curve,
    draw=pictures.draw,
    draw_early=pictures.draw_early,
)
POINTS = Kind(
    reference=points.PointReference,
    evaluate=points.evaluate,
    evaluate_light=points.evaluate_light,
    controls=points.evaluate_controls,
    truncation_curve=lambda copy, reference: [],
    draw=points.draw,
    draw_early=lambda copy, folder, step, device: None,
)


def kind_of(dataset: str) -> Kind:
    """Return the evaluation of a dataset."""
    return POINTS if PROTOCOLS[dataset].of_points else IMAGES
