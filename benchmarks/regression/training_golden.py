"""What the golden trainings give, by the real training loop, and what has moved.

In double precision two machines differ by rounding of about 1e-16, which a dozen updates turn into
1e-10 at most, so that a tolerance of 1e-6 sees faults far too small for single precision.
docs/contributing.md has the measurements that chose quantities, lengths and tolerances.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor
from torch.nn.functional import pad

from benchmarks.common.files import read_lines
from benchmarks.planning.config import Run
from benchmarks.regression.golden import Move, Numbers, compared, read_table, rounded
from benchmarks.regression.training_cases import BOTH, Case
from benchmarks.training.loop import Watch, build, train
from datasets.images import Split, without_class
from datasets.loading import load
from zoo.game import Game

TABLE = Path(__file__).with_name("training_golden.json")
TOLERANCE = {"double": 1e-6, "single": 1e-2}
"""Largest difference, as a share of the number (of the norm, for projections)."""
SMALLEST, SMALLEST_NORM = 1e-3, 1e-6
"""Losses and norms are compared as if they were at least this large: differences of scores may
vanish, and some first weights are zero."""
CPU = torch.device("cpu")


def of_case(case: Case, engine: str) -> Numbers:
    """Train a case's seeds with an engine and return what is compared, one value for each seed.

    Quantities: mean of every loss term, norm of every player's last gradient, and norm and a fixed
    projection of every network's first weights, of their change, of the change of averaged weights,
    and of the buffers (batch-norm statistics, spectral norm's vectors).
    """
    runs = case.of_engine(engine)
    with precision(case.precision), TemporaryDirectory() as folder, torch.random.fork_rng([]):
        folders = [Path(folder) / str(run.seed) for run in runs]
        for own in folders:
            own.mkdir()
        first = [build(run) for run in runs]
        split = data_of(case.run)
        statuses = train(runs, [split] * len(runs), folders, CPU, [Watch()] * len(runs))
        if statuses != ["trained"] * len(runs):
            return {}
        found = [_of_seed(game, own) for game, own in zip(first, folders, strict=True)]
    return {name: [rounded(v) for own in found for v in own.get(name, [])] for name in found[0]}


def moved(case: Case, engine: str, golden: Mapping[str, Any]) -> list[Move]:
    """Train a case with an engine and return which of its golden numbers that moves.

    Args:
        case: what to train.
        engine: "eager" or "stacked".
        golden: quantity -> numbers, the case's entry of the table.

    """
    share = TOLERANCE[case.precision]
    was = {name: numbers for name, numbers in golden.items() if isinstance(numbers, list)}
    allowed = {name: share * scale_of(name, numbers) for name, numbers in was.items()}
    return compared(case.name, engine, was, of_case(case, engine), allowed)


def scale_of(quantity: str, numbers: Sequence[float]) -> float:
    """Return what a tolerance is a share of: the smallest number, or norm, of a quantity."""
    if quantity.startswith("loss"):
        return max(SMALLEST, min(map(abs, numbers)))
    norms = numbers if quantity.startswith("gradient") else numbers[::2]
    return max(SMALLEST_NORM, min(map(abs, norms)))


@cache
def table() -> dict[str, Any]:
    """Return the committed golden trainings: case -> its run's digest and its numbers."""
    return read_table(TABLE)


def engines_of(cases: Sequence[Case]) -> list[tuple[Case, str]]:
    """Return every case with each engine that must give its numbers."""
    return [(case, engine) for case in cases for engine in BOTH if engine in case.engines]


@contextmanager
def precision(name: str) -> Iterator[None]:
    """Build networks and draw numbers in "double" or "single" precision meanwhile."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64 if name == "double" else torch.float32)
    try:
        yield
    finally:
        torch.set_default_dtype(before)


@cache
def _split(dataset: str) -> Split:
    """Return a training split; MNIST's place is taken by enlarged digits, which need no files."""
    if dataset != "mnist":
        return load(dataset).train
    digits = load("digits").train
    enlarged = digits.images.repeat_interleave(3, 2).repeat_interleave(3, 3)
    return Split(pad(enlarged, (2, 2, 2, 2)), digits.labels)


def data_of(run: Run) -> Split:
    """Return what a golden run trains on."""
    split = _split(run.dataset)
    return split if run.left_out is None else without_class(split, run.left_out)


def _of_seed(first: Game, folder: Path) -> Numbers:
    """Return the quantities of one finished run folder."""
    line = (read_lines(folder / "curve.jsonl") or [{}])[-1]
    numbers = {
        f"{'gradient' if name.endswith('/grad_norm') else 'loss'} {name}": [float(value)]
        for name, value in line.items()
        if name not in ("step", "seconds")
    }
    last = load_file(folder / "weights.safetensors")
    buffers = [last[name] for name, value in first.named_buffers() if value.is_floating_point()]
    if buffers:
        numbers["buffers"] = _norm_and_projection(buffers)
    averaged = folder / "weights_average.safetensors"
    states = {"change": last} | ({"average": load_file(averaged)} if averaged.exists() else {})
    for network, module in first.networks.items():
        weights = {f"{network}.{name}": p.detach() for name, p in module.named_parameters()}
        if weights:
            numbers[f"first {network}"] = _norm_and_projection(list(weights.values()))
        for name, state in states.items() if weights else ():
            changes = [state[own] - weight for own, weight in weights.items()]
            numbers[f"{name} {network}"] = _norm_and_projection(changes)
    return numbers


def _norm_and_projection(tensors: Sequence[Tensor]) -> list[float]:
    """Return the norm of all numbers, and their sum along a fixed direction of unit numbers.

    The direction is the cosine of a ramp, the same on every machine; a permutation of the numbers,
    or a change of sign, leaves the norm alone but not this.
    """
    flat = torch.cat([tensor.double().flatten() for tensor in tensors])
    direction = torch.cos(torch.arange(1, len(flat) + 1, dtype=torch.double).square() * 0.7)
    return [float(flat.norm()), float(flat @ direction / direction.norm())]
