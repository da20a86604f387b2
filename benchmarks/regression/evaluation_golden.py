"""Golden evaluations: what the protocol says of small committed models, and what has moved.

Paired numbers, of the same weights on the same images, see evaluation faults that tables of newly
trained runs hide in the spread of their seeds. docs/contributing.md has the measurements that chose
the tolerances.
"""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from benchmarks.evaluation.control_rows import Measured
from benchmarks.evaluation.evaluators import Evaluator, evaluator_of
from benchmarks.evaluation.protocol import LIGHT_VERSION, VERSION
from benchmarks.evaluation.registry import METRICS
from benchmarks.evaluation.scoring import scoring_copy
from benchmarks.regression.golden import Move, Numbers, compared, read_table, rounded
from datasets.images import without_class
from datasets.loading import load
from zoo.game import Game
from zoo.registry import FAMILIES
from zoo.trained import Recipe, check_digests, filled, recipe_of, weights_of

TABLE = Path(__file__).with_name("evaluation_golden.json")
MODELS = Path(__file__).resolve().parents[2] / "results" / "published" / "models" / "digits"
CONTROLS, POINTS = "controls", "points"
CASES = (*(family for family in FAMILIES if (MODELS / family).is_dir()), CONTROLS, POINTS)
LEFT_OUT = 3
"""The class that the anomaly evaluation takes for strange, though these models know it."""
WANTED = tuple(name for name in METRICS if not name.endswith("_per_second"))
"""Every metric but those that a clock measures."""
SHARE, SMALLEST = 1e-4, 1e-2
"""Largest difference, as a share of the number or of this, if the number is smaller."""
ROUGH = {"fid_sampling_sd": 10, "interpolation_unevenness": 10}
"""Differences of near numbers, and largest steps: so many times that share."""
COUNTED = {
    **dict.fromkeys(("accuracy", "agreement", "retrieval", "recovered", "mode_kept"), 0.003),
    **dict.fromkeys(("coverage", "precision", "recall", "copy_rate", "duplicates"), 0.003),
    **dict.fromkeys(("density", "class_kl", "on_modes", "mode_kl"), 0.003),
    "auroc": 0.0005,
}
"""Part of a name -> largest difference of a metric that counts: one of digits' 500 test images is
0.002 of an accuracy, and may be at a border that rounding moves."""


def of_case(name: str) -> Numbers:
    """Evaluate a family's committed model, or control rows, or points.

    Returns row and metric, "light" or "anomaly" before those of these evaluations -> value.

    Args:
        name: one of `CASES`.

    """
    if name == POINTS:
        return _points()
    evaluator = _evaluator("digits")
    if name == CONTROLS:
        return _rows(evaluator.controls([_untrained("bigan", "digits")]))
    folder, train = MODELS / name, evaluator.images.train
    check_digests(folder)
    game = filled(recipe_of(folder).assemble(), weights_of(folder, average=False), folder)
    copy = scoring_copy(game, train, evaluator.protocol)
    rows = evaluator.evaluate(copy, WANTED)
    anomaly = evaluator.evaluate_anomaly(copy, without_class(train, LEFT_OUT), LEFT_OUT)
    light = evaluator.evaluate_light(copy)
    truncated = evaluator.truncation_curve(copy)[:2] if name == "bigan" else []
    return {
        **{f"{row or 'game'} {m}": [rounded(v)] for row, r in rows.items() for m, v in
           r.metrics.items()},
        **{f"anomaly {m}": [rounded(v)] for m, v in anomaly.metrics.items()},
        **{f"light {m}": [rounded(v)] for m, v in light.items()},
        **{f"truncated {m}": [rounded(line[m]) for line in truncated]
           for m in (truncated[0] if truncated else ()) if m != "threshold"},
    }  # fmt: skip


def moved(name: str, golden: Mapping[str, Any]) -> list[Move]:
    """Evaluate a case and return which of its golden numbers that moves.

    Args:
        name: one of `CASES`.
        golden: quantity -> numbers, the case's entry of the table.

    """
    allowed = {
        quantity: allowed_of(quantity, min(map(abs, numbers)))
        for quantity, numbers in golden.items()
    }
    return compared(f"evaluation of {name}", "", golden, of_case(name), allowed)


def allowed_of(quantity: str, value: float) -> float:
    """Return the largest difference that is no move, for a quantity whose golden number is this."""
    metric = quantity.rpartition(" ")[2]
    counted = [room for part, room in COUNTED.items() if part in metric]
    return counted[0] if counted else ROUGH.get(metric, 1) * SHARE * max(abs(value), SMALLEST)


def versions() -> dict[str, str]:
    """Return the protocol's versions, which a moved number needs raised."""
    return {"protocol": VERSION, "light": LIGHT_VERSION}


@cache
def table() -> dict[str, Any]:
    """Return the committed golden evaluations: case -> its numbers, and the versions."""
    return read_table(TABLE)


@cache
def _evaluator(dataset: str) -> Evaluator:
    return evaluator_of(load(dataset))


def _untrained(family: str, dataset: str) -> Game:
    """Return a game with first weights that depend on PyTorch's random numbers alone."""
    points = dataset == "gaussians"
    body = "ali_toy_paper" if points else "mlp"
    networks = {"body": body, "width": 16, "latent_dim": 2 if points else 16, "prior": "normal"}
    return Recipe(family, {}, networks, (2, 1, 1) if points else (1, 8, 8)).assemble()


def _points() -> Numbers:
    evaluator, game = _evaluator("gaussians"), _untrained("ali", "gaussians")
    copy = scoring_copy(game, evaluator.images.train, evaluator.protocol)
    light = evaluator.evaluate_light(copy)
    numbers = _rows(evaluator.controls([game]))
    return numbers | {f"light {metric}": [rounded(value)] for metric, value in light.items()}


def _rows(controls: Measured) -> Numbers:
    """Return the numbers of control rows, one for each repetition."""
    return {
        f"{row} {metric}": [rounded(r.metrics[metric]) for r in repetitions]
        for row, repetitions in controls.rows.items()
        for metric in repetitions[0].metrics
        if metric in WANTED
    }
