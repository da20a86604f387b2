"""What a worker process is told, and the data that its tasks share."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.planning.plan import Job

_references: dict[str, Any] = {}
"""Dataset -> its reference, loaded once in a process."""


@dataclass(frozen=True)
class Orders:
    """What every worker of a command is told.

    Attributes:
        data: the only folder searched for data, if given.
        offline: never download.
        cache: folder of what is computed once of real images.
        inception: the weights of Inception, if its metrics are wanted.
        device: "cpu" or "cuda".
        threads: CPU threads an evaluation may use.
        side_by_side: how many runs share the machine.

    """

    data: Path | None
    offline: bool
    cache: Path
    inception: Path | None
    device: str
    threads: int
    side_by_side: int


def reference_of(dataset: str, orders: Orders) -> Any:
    """Load a dataset and its reference features once in a process."""
    import torch

    from benchmarks.evaluation.evaluators import kind_of
    from datasets.loading import load

    if dataset not in _references:
        images = load(dataset, orders.data, orders.offline)
        images = images.to(torch.device(orders.device))
        _references[dataset] = kind_of(dataset).reference(images, orders.cache)
    return _references[dataset]


def training_split(job: Job, reference: Any) -> Any:
    """Return the images that a run trains on."""
    from datasets.images import without_class

    train = reference.images.train
    return train if job.run.left_out is None else without_class(train, job.run.left_out)
