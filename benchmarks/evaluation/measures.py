"""Metric name -> a function that computes it when it is asked; and what came out."""

import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, field

from torch import Tensor

from benchmarks.evaluation.metrics.undefined import Undefined
from benchmarks.evaluation.registry import METRICS
from benchmarks.evaluation.stages import announce

Measures = dict[str, Callable[[], float]]
Lazy = Callable[[], Tensor]


@dataclass
class Row:
    """What was measured of one row.

    Attributes:
        metrics: metric -> value.
        undefined: metric -> why it has no value.
        seconds: metric -> how long it took, shared work counted where it was first needed.

    """

    metrics: dict[str, float] = field(default_factory=dict)
    undefined: dict[str, str] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)


def given(x: Tensor) -> Lazy:
    """Give what is there already."""
    return lambda: x


def measure(measures: Measures, only: Collection[str] | None = None) -> Row:
    """Compute measures, all or only some; one that is not defined does not stop the others."""
    row = Row()
    for name, function in measures.items():
        if only is not None and name not in only:
            continue
        if metric := METRICS.get(name.rpartition("/")[2]):
            announce(metric.question)
        start = time.perf_counter()
        try:
            row.metrics[name] = function()
        except Undefined as error:
            row.undefined[name] = str(error)
        row.seconds[name] = round(time.perf_counter() - start, 4)
    return row


def merged(*parts: Measures) -> Measures:
    """Put measures together; several probes' flags become one: whether all of them converged."""
    measures = {name: function for part in parts for name, function in part.items()}
    flags = [measures.pop(name) for name in list(measures) if name.startswith("probe_converged_")]
    if flags:
        measures["probe_converged"] = lambda: min(flag() for flag in flags)
    return measures
