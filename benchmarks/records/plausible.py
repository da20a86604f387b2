"""Which numbers a record cannot hold: not finite, of no metric, or out of a metric's range."""

import json
import math
from collections.abc import Iterator, Mapping
from typing import Any

from benchmarks.evaluation.registry import METRICS, bounds
from datasets.registry import DATASETS

SLACK = 1e-6
"""How far rounding may carry a metric out of its range."""
WHEN = ("step", "seconds", "threshold")
"""Where on a curve a line is: not negative; without a threshold it is the whole prior."""


def faults(files: Mapping[str, bytes], dataset: str) -> Iterator[str]:
    """Say which numbers of a record no run can have.

    Args:
        files: name -> content.
        dataset: what the record is of.

    """
    classes = DATASETS[dataset].classes
    for name in ("metrics.json", "inception.json", "light.jsonl", "curve.jsonl"):
        if name not in files:
            continue
        try:
            yield from (f"{name}: {line}" for line in _faults(name, files[name], classes))
        except (ValueError, AttributeError, TypeError, KeyError) as error:
            yield f"{name} cannot be read ({error})"


def _faults(name: str, content: bytes, classes: int) -> Iterator[str]:
    if name == "curve.jsonl":  # losses: any number, or none where it was not finite
        for line in _lines(content):
            yield from (f"{key} is {value!r}" for key, value in line.items() if not is_loss(value))
    elif name == "light.jsonl":
        for line in _lines(content):
            yield from _metrics({key.rpartition("/")[2]: v for key, v in line.items()}, classes)
    else:
        found = json.loads(content)
        if not found["rows"] or set(found.get("titles", found["rows"])) != set(found["rows"]):
            yield "its rows are not those that it names"
        for values in found["rows"].values():
            for own in values if isinstance(values, list) else [values]:
                yield from _metrics(own, classes)
        for line in list(found.get("curves", {}).get("truncation", [])):
            yield from _metrics(line, classes)


def _lines(content: bytes) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in content.decode().splitlines()]
    if not all(isinstance(line, dict) for line in lines):
        raise TypeError("a line is no object")
    return lines


def _metrics(values: Mapping[str, Any], classes: int) -> Iterator[str]:
    for name, value in values.items():
        if name == "protocol" or (name == "threshold" and value is None):
            continue
        if name in WHEN:
            if not (_is_finite(value) and value >= 0):
                yield f"{name} is {str(value)[:20]}"
        elif name not in METRICS:
            yield f"{name} is no metric"
        elif not _is_plausible(name, value, classes):
            yield f"{name} is {str(value)[:20]}, which no run can have"


def _is_plausible(name: str, value: Any, classes: int) -> bool:
    low, high = bounds(METRICS[name], classes)
    return _is_finite(value) and low - SLACK <= value <= high + SLACK


def is_loss(value: Any) -> bool:
    """Whether a value is a finite number, or None in the place of one that was not."""
    return value is None or _is_finite(value)


def _is_finite(value: Any) -> bool:
    """Whether a value is a number that a float can hold."""
    try:
        number = isinstance(value, (int, float)) and not isinstance(value, bool)
        return number and math.isfinite(value)
    except OverflowError:
        return False
