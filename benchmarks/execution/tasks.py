"""The tasks of a worker process: train runs, evaluate one, evaluate the control rows."""

import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.common.context import Context
from benchmarks.common.environment import environment
from benchmarks.common.files import read_json, read_lines, set_aside, write_json
from benchmarks.evaluation.protocol import LIGHT_VERSION
from benchmarks.evaluation.registry import METRICS
from benchmarks.execution.worker import (
    CONTROLS,
    Outcome,
    guarded,
    held,
    record,
    stopped,
    tell,
)
from benchmarks.planning.identity import configuration_digest, sources_of
from benchmarks.planning.outdated import recipe_of
from benchmarks.planning.plan import Job, evaluation_identity, is_evaluated, state
from datasets.registry import DATASETS

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from benchmarks.evaluation.evaluators import Evaluator
    from benchmarks.training.loop import Watch
    from datasets.images import Split

UNTRAINED_SEEDS = 3
_evaluators: dict[str, Any] = {}
"""Dataset -> its evaluator, loaded once in a process."""


def train(jobs: Sequence[Job], context: Context) -> dict[str, Outcome]:
    """Train runs that differ in the seed alone, together, and return label -> outcome.

    "trained" runs are left to `evaluate`. An error is recorded in their folders, never cached.
    """
    outcomes: dict[str, Outcome] = {job.label: "failed" for job in jobs}
    with ExitStack() as stack:
        mine = [job for job in jobs if stack.enter_context(held(job.label, job.folder))]
        try:
            if mine:
                outcomes |= _train(mine, context)
        except Exception as error:  # whatever a family's code raises becomes visible failed runs
            for job in mine:
                record(job.label, job.folder, error)
    for job in jobs:
        if (outcome := outcomes[job.label]) == "trained":
            tell("trained", job.label)
        else:
            tell("end", job.label, _steps(job) if outcome == "diverged" else 0, text=outcome)
    return outcomes


def evaluate(job: Job, context: Context) -> Outcome:
    """Evaluate a trained run; an error is recorded in its folder, never cached."""
    return guarded(job.label, job.folder, lambda: _evaluate(job, context))


def measure_controls(job: Job, folder: Path, context: Context) -> Outcome:
    """Evaluate the control rows of a dataset and its networks."""
    tell("start", CONTROLS)
    return guarded(CONTROLS, folder, lambda: _controls(job, folder, context))


def _train(jobs: Sequence[Job], context: Context) -> dict[str, Outcome]:
    import torch

    from benchmarks.training import loop

    torch.set_num_threads(jobs[0].run.training.threads)
    inception = context.weights is not None
    for job in jobs:
        for draft in job.folder.glob(".*.draft"):
            draft.unlink()  # left by a process that was killed while writing
        if state(job, with_inception=inception) == "to evaluate":
            _set_aside_damaged_weights(job)
    todo = [job for job in jobs if state(job) in ("missing", "outdated", "to resume")]
    outcomes: dict[str, Outcome] = dict.fromkeys([job.label for job in jobs], "trained")
    if stopped():
        return outcomes | dict.fromkeys([job.label for job in todo], "interrupted")
    if todo:
        evaluator = evaluator_for(todo[0].run.dataset, context)
        for job in todo:
            tell("start", job.label)
            _describe(job, context)
        statuses = loop.train(
            [job.run for job in todo],
            [training_split(job, evaluator) for job in todo],
            [job.folder for job in todo],
            torch.device(context.device),
            [_watch(job, evaluator) for job in todo],
        )
        outcomes |= {job.label: status for job, status in zip(todo, statuses, strict=True)}
    return outcomes


def evaluator_for(dataset: str, context: Context) -> "Evaluator":
    """Load a dataset and its reference features once in a process."""
    import torch

    from benchmarks.evaluation.evaluators import evaluator_of
    from datasets.loading import load

    if dataset not in _evaluators:
        images = load(dataset, context.data, context.offline).to(torch.device(context.device))
        _evaluators[dataset] = evaluator_of(images, context.cache)
    found: Evaluator = _evaluators[dataset]
    return found


def training_split(job: Job, evaluator: "Evaluator") -> "Split":
    """Return the images that a run trains on."""
    from datasets.images import without_class

    train = evaluator.images.train
    return train if job.run.left_out is None else without_class(train, job.run.left_out)


def _steps(job: Job) -> int:
    """Return after how many updates a training ended."""
    return int((read_json(job.folder / "training.json") or {}).get("steps", 0))


def _watch(job: Job, evaluator: "Evaluator") -> "Watch":
    """Return what a training tells and asks: the display, light metrics, whether to stop."""
    from benchmarks.training.loop import Watch

    return Watch(
        progress=lambda step, losses: tell("progress", job.label, step, losses),
        # The light metrics compare with the whole dataset, which such a run never saw.
        observe=None if job.run.left_out is not None else observer(job, evaluator),
        stop=stopped,
        say=lambda line: tell("say", job.label, text=line),
    )


def observer(job: Job, evaluator: "Evaluator") -> Callable[[Any, int], dict[str, Any]]:
    """Return what looks at a game under training without touching it or any of its streams."""
    import torch

    from benchmarks.evaluation.scoring import scoring_copy

    def observe(game: Any, step: int) -> dict[str, Any]:
        with torch.random.fork_rng(devices=[]):
            copy = scoring_copy(game, evaluator.images.train, evaluator.protocol)
            evaluator.draw_early(copy, job.folder, step)
            return {"protocol": LIGHT_VERSION} | evaluator.evaluate_light(copy)

    return observe


def _set_aside_damaged_weights(job: Job) -> None:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    def say(line: str) -> None:
        tell("say", job.label, text=line)

    try:
        load_file(job.folder / "weights.safetensors")
    except SafetensorError:
        for name in ("weights.safetensors", "training.json"):
            set_aside(job.folder / name, "damaged", say)


def _evaluate(job: Job, context: Context) -> None:
    import torch
    from safetensors.torch import load_file
    from threadpoolctl import threadpool_limits

    from benchmarks.evaluation.normalise import write_statistics
    from benchmarks.evaluation.scoring import scoring_copy
    from benchmarks.training.loop import build

    tell("evaluate", job.label)
    game = build(job.run)
    evaluator = evaluator_for(job.run.dataset, context)
    train = training_split(job, evaluator)
    torch.set_num_threads(context.threads)
    # NumPy's threads would fight with PyTorch's
    with threadpool_limits(1, user_api="blas"), _told(job.label):
        copies = {}
        for suffix, prefix in (("", ""), ("_average", "average")):
            path = job.folder / f"weights{suffix}.safetensors"
            if path.exists():
                game.load_state_dict(load_file(path))
                copies[prefix] = scoring_copy(game.to(evaluator.device), train, evaluator.protocol)
                write_statistics(copies[prefix], job.folder, average=prefix == "average")
        if not is_evaluated(job):
            _write_metrics(job, copies, evaluator, train)
        if context.weights is not None and not is_evaluated(job, "inception.json"):
            _write_inception(job, copies, context, evaluator)


def _told(label: str) -> "AbstractContextManager[None]":
    from benchmarks.evaluation.stages import heard_by

    return heard_by(lambda stage: tell("stage", label, text=stage))


def _write_metrics(
    job: Job, copies: dict[str, Any], evaluator: "Evaluator", train: "Split"
) -> None:
    """Evaluate a run's copies ("" for its weights, "average" for averaged ones) and draw them."""
    from benchmarks.evaluation.metrics.cost import seconds_to_tenth
    from benchmarks.evaluation.stages import announce

    start = time.perf_counter()
    rows: dict[str, Any] = {}
    curves = {}
    for prefix, copy in copies.items():
        if job.run.left_out is not None:
            rows[prefix] = evaluator.evaluate_anomaly(copy, train, job.run.left_out)
            continue
        for name, row in evaluator.evaluate(copy).items():
            rows["-".join(filter(None, (prefix, name)))] = row
    if job.run.left_out is None:
        curves = {"truncation": evaluator.truncation_curve(copies[""])}
    announce("pictures")
    evaluator.draw(copies[""], job.folder)
    training = read_json(job.folder / "training.json") or {}
    training["seconds_to_tenth"] = seconds_to_tenth(read_lines(job.folder / "light.jsonl"))
    training["evaluation_seconds"] = round(time.perf_counter() - start, 3)
    rows[""].metrics |= {name: training[name] for name in METRICS if training.get(name) is not None}
    content = {"identity": job.evaluation_identity, "curves": curves} | _columns(rows)
    write_json(job.folder / "metrics.json", content)


def _columns(rows: dict[str, Any]) -> dict[str, Any]:
    """Turn row name -> Row into "rows", "undefined" and "seconds", each row name -> values."""
    return {
        "rows": {name: row.metrics for name, row in rows.items()},
        "undefined": {name: row.undefined for name, row in rows.items() if row.undefined},
        "seconds": {name: row.seconds for name, row in rows.items()},
    }


def _write_inception(
    job: Job, copies: dict[str, Any], context: Context, evaluator: "Evaluator"
) -> None:
    from benchmarks.evaluation.evaluators import ImageEvaluator
    from benchmarks.evaluation.inception_metrics import InceptionReference

    assert context.weights is not None
    assert isinstance(evaluator, ImageEvaluator)
    real = InceptionReference(context.weights, evaluator.reference, context.cache)
    rows = {prefix: real.evaluate(copy) for prefix, copy in copies.items()}
    content = {"identity": job.evaluation_identity, "extractor": real.name}
    write_json(job.folder / "inception.json", content | _columns(rows))


def _controls(job: Job, folder: Path, context: Context) -> None:
    import torch
    from threadpoolctl import threadpool_limits

    from benchmarks.training.loop import build

    evaluator = evaluator_for(job.run.dataset, context)
    torch.set_num_threads(context.threads)
    leaves_out = job.run.left_out is not None
    seeds = range(DATASETS[job.run.dataset].classes if leaves_out else UNTRAINED_SEEDS)
    games = [build(job.run.model_copy(update={"seed": s})).to(evaluator.device) for s in seeds]
    with threadpool_limits(1, user_api="blas"), _told(CONTROLS):
        found = evaluator.controls(games, leaves_out)
    origin = environment(context.device, context.side_by_side) | {"sources": sources_of(job.run)}
    write_json(folder / "environment.json", origin)
    write_json(folder / "controls.json", recipe_of(job.run) | {"identity": job.identity})
    identity = evaluation_identity(job.identity, job.run.dataset)
    metrics = {name: [row.metrics for row in rows] for name, rows in found.rows.items()}
    content = {"identity": identity, "titles": found.titles, "rows": metrics}
    write_json(folder / "metrics.json", content)


def _describe(job: Job, context: Context) -> None:
    write_json(
        job.folder / "config.json",
        {
            **recipe_of(job.run),
            "identity": job.identity,
            "configuration": configuration_digest(job.run),
        },
    )
    origin = environment(context.device, context.side_by_side) | {"sources": sources_of(job.run)}
    write_json(job.folder / "environment.json", origin)
