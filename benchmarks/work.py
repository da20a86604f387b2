"""What one worker process does: train a run, evaluate it, leave its files."""

import os
import signal
import threading
import time
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from multiprocessing import parent_process
from pathlib import Path
from typing import Any, Literal, NamedTuple

from benchmarks.environment import environment
from benchmarks.evaluation.protocol import LIGHT_VERSION
from benchmarks.evaluation.registry import METRICS
from benchmarks.files import locked, read_json, read_lines, set_aside, write_json, write_text
from benchmarks.identity import configuration_digest
from benchmarks.plan import Job, evaluation_identity, is_evaluated, state
from datasets.registry import DATASETS

Outcome = Literal["done", "diverged", "failed", "interrupted"]
UNTRAINED_SEEDS = 3
GRACE_SECONDS = 60.0


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


class Event(NamedTuple):
    """News of a job for the display: kind "start", "progress", "evaluate", "end" or "say"."""

    kind: str
    label: str
    step: int = 0
    values: tuple[tuple[str, float], ...] = ()
    text: str = ""


_queue: Any = None
_stop: Any = None
_references: dict[str, Any] = {}


def initialise(queue: Any, stop: Any) -> None:
    """Set up a worker process: its way to tell, and the flag that ends it early."""
    global _queue, _stop
    _queue, _stop = queue, stop
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides; see `stopped`
    threading.Thread(target=_outlive_parent_briefly, daemon=True).start()


def stopped() -> bool:
    """Whether to stop with a checkpoint: the parent said so, or is gone."""
    parent = parent_process()
    return _stop.is_set() or (parent is not None and not parent.is_alive())


def work(job: Job, orders: Orders) -> Outcome:
    """Bring one run as far as it goes; an error is recorded in its folder, never cached."""
    return _guarded(job.label, job.folder, lambda: _train_and_evaluate(job, orders))


def work_on_controls(job: Job, folder: Path, orders: Orders) -> Outcome:
    """Evaluate the control rows of a dataset and its networks."""
    return _guarded("controls", folder, lambda: _controls(job, folder, orders))


def _guarded(label: str, folder: Path, task: Callable[[], Outcome]) -> Outcome:
    outcome: Outcome = "interrupted"
    try:
        with locked(folder) as free:
            if not free:
                tell("say", label, text=f"{label}: {folder} is in use by another command")
                outcome = "failed"
            elif not stopped():
                tell("start", label)
                outcome = task()
                (folder / "failure.txt").unlink(missing_ok=True)
    except Exception as error:  # whatever a family's code raises becomes a visible failed run
        write_text(folder / "failure.txt", traceback.format_exc())
        tell("say", label, text=f"{label} failed: {error} (see {folder / 'failure.txt'})")
        outcome = "failed"
    tell("end", label, text=outcome)
    return outcome


def _outlive_parent_briefly() -> None:
    """End this worker some time after its parent was killed; it would wait for work for ever."""
    parent = parent_process()
    if parent is not None:
        parent.join()
        time.sleep(GRACE_SECONDS)  # for a run under way to see `stopped` and write its checkpoint
        os._exit(1)


def tell(
    kind: str, label: str, step: int = 0, values: Mapping[str, float] | None = None, text: str = ""
) -> None:
    """Send news to the display."""
    _queue.put(Event(kind, label, step, tuple((values or {}).items()), text))


def _train_and_evaluate(job: Job, orders: Orders) -> Outcome:
    import torch

    from benchmarks.evaluation.evaluate import evaluate_light
    from benchmarks.harness.loop import Watch, build, train

    def say(line: str) -> None:
        tell("say", job.label, text=line)

    torch.set_num_threads(job.run.training.threads)
    device = torch.device(orders.device)
    for draft in job.folder.glob(".*.draft"):
        draft.unlink()  # left by a process that was killed while writing
    inception = orders.inception is not None
    if state(job, with_inception=inception) == "to evaluate":
        _set_aside_damaged_weights(job, say)
    if state(job) in ("missing", "stale", "to resume"):
        reference = _reference(job.run.dataset, orders)
        _describe(job, orders)

        def observe(game: Any, step: int) -> dict[str, Any]:
            return {"protocol": LIGHT_VERSION} | evaluate_light(game, reference)

        watch = Watch(
            progress=lambda step, losses: tell("progress", job.label, step, losses),
            # The light metrics compare with the whole dataset, which such a run never saw.
            observe=observe if job.run.left_out is None else None,
            stop=stopped,
            say=say,
        )
        status = train(job.run, _training_split(job, reference), job.folder, device, watch)
        if status != "trained":
            return status
        if stopped():
            return "interrupted"  # the evaluation is left to the next command
    if state(job, with_inception=inception) == "to evaluate":
        tell("evaluate", job.label)
        _evaluate(job, orders, build(job.run))
    return "done"


def _training_split(job: Job, reference: Any) -> Any:
    """Return the images that a run trains on."""
    from benchmarks.evaluation.reference import without_class

    train = reference.images.train
    return train if job.run.left_out is None else without_class(train, job.run.left_out)


def _set_aside_damaged_weights(job: Job, say: Callable[[str], None]) -> None:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        load_file(job.folder / "weights.safetensors")
    except SafetensorError:
        for name in ("weights.safetensors", "training.json"):
            set_aside(job.folder / name, "damaged", say)


def _evaluate(job: Job, orders: Orders, game: Any) -> None:
    import torch
    from safetensors.torch import load_file
    from threadpoolctl import threadpool_limits

    from benchmarks.evaluation.scoring import scoring_copy

    reference = _reference(job.run.dataset, orders)
    train = _training_split(job, reference)
    torch.set_num_threads(orders.threads)
    with threadpool_limits(1, user_api="blas"):  # NumPy's threads would fight with PyTorch's
        copies = {}
        for suffix, prefix in (("", ""), ("_average", "average")):
            path = job.folder / f"weights{suffix}.safetensors"
            if path.exists():
                game.load_state_dict(load_file(path))
                copies[prefix] = scoring_copy(game.to(reference.device), train, reference.protocol)
        if not is_evaluated(job):
            _write_metrics(job, copies, reference, train)
        if orders.inception is not None and not is_evaluated(job, "inception.json"):
            _write_inception(job, copies, orders, reference)


def _write_metrics(job: Job, copies: dict[str, Any], reference: Any, train: Any) -> None:
    """Evaluate a run's copies ("" for its weights, "average" for averaged ones) and draw them."""
    from benchmarks.evaluation import pictures
    from benchmarks.evaluation.cost import seconds_to_tenth
    from benchmarks.evaluation.evaluate import evaluate, evaluate_anomaly, truncation_curve

    start = time.perf_counter()
    rows: dict[str, Any] = {}
    for prefix, copy in copies.items():
        if job.run.left_out is not None:
            rows[prefix] = evaluate_anomaly(copy, reference, train, job.run.left_out)
            continue
        for name, row in evaluate(copy, reference).items():
            rows["-".join(filter(None, (prefix, name)))] = row
    curves = (
        {}
        if job.run.left_out is not None
        else {"truncation": truncation_curve(copies[""], reference)}
    )
    pictures.draw(copies[""], reference.test_x.to(reference.device), job.folder)
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


def _write_inception(job: Job, copies: dict[str, Any], orders: Orders, reference: Any) -> None:
    from benchmarks.evaluation.inception_metrics import InceptionReference

    assert orders.inception is not None
    real = InceptionReference(orders.inception, reference, orders.cache)
    rows = {prefix: real.evaluate(copy) for prefix, copy in copies.items()}
    content = {"identity": job.evaluation_identity, "extractor": real.name}
    write_json(job.folder / "inception.json", content | _columns(rows))


def _controls(job: Job, folder: Path, orders: Orders) -> Outcome:
    import torch
    from threadpoolctl import threadpool_limits

    from benchmarks.evaluation.controls import evaluate_anomaly_controls, evaluate_controls
    from benchmarks.harness.loop import build

    reference = _reference(job.run.dataset, orders)
    torch.set_num_threads(orders.threads)
    leaves_out = job.run.left_out is not None
    seeds = range(DATASETS[job.run.dataset].classes if leaves_out else UNTRAINED_SEEDS)
    games = [build(job.run.model_copy(update={"seed": s})).to(reference.device) for s in seeds]
    with threadpool_limits(1, user_api="blas"):
        rows = (evaluate_anomaly_controls if leaves_out else evaluate_controls)(reference, games)
    write_json(folder / "environment.json", environment(orders.device, orders.side_by_side))
    identity = evaluation_identity(job.identity, job.run.dataset)
    metrics = {name: [row.metrics for row in found] for name, found in rows.items()}
    write_json(folder / "metrics.json", {"identity": identity, "rows": metrics})
    return "done"


def _describe(job: Job, orders: Orders) -> None:
    write_json(
        job.folder / "config.json",
        {
            "run": job.run.model_dump(mode="json"),
            "identity": job.identity,
            "configuration": configuration_digest(job.run),
        },
    )
    write_json(job.folder / "environment.json", environment(orders.device, orders.side_by_side))


def _reference(dataset: str, orders: Orders) -> Any:
    """Load a dataset and its reference features once in a process."""
    import torch

    from benchmarks.evaluation.reference import Reference
    from datasets.loading import load

    if dataset not in _references:
        images = load(dataset, orders.data, orders.offline)
        _references[dataset] = Reference(images.to(torch.device(orders.device)), orders.cache)
    return _references[dataset]
