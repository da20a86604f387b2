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
from benchmarks.evaluation.protocol import VERSION
from benchmarks.evaluation.registry import METRICS
from benchmarks.files import locked, read_json, set_aside, write_json, write_text
from benchmarks.identity import configuration_digest
from benchmarks.plan import Job, evaluation_identity, state

Outcome = Literal["done", "diverged", "failed", "interrupted"]
UNTRAINED_SEEDS = 3
GRACE_SECONDS = 60.0


@dataclass(frozen=True)
class Orders:
    """What every worker of a command is told.

    Attributes:
        data: the only folder searched for data, if given.
        offline: never download.
        device: "cpu" or "cuda".
        threads: CPU threads an evaluation may use.
        side_by_side: how many runs share the machine.

    """

    data: Path | None
    offline: bool
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
    if state(job) == "to evaluate":
        _set_aside_damaged_weights(job, say)
    if state(job) in ("missing", "stale", "to resume"):
        reference = _reference(job.run.dataset, orders)
        _describe(job, orders)
        watch = Watch(
            progress=lambda step, losses: tell("progress", job.label, step, losses),
            observe=lambda game, step: {"protocol": VERSION} | evaluate_light(game, reference),
            stop=stopped,
            say=say,
        )
        status = train(job.run, reference.images.train, job.folder, device, watch)
        if status != "trained":
            return status
        if stopped():
            return "interrupted"  # the evaluation is left to the next command
    if state(job) == "to evaluate":
        tell("evaluate", job.label)
        _evaluate(job, orders, build(job.run))
    return "done"


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

    from benchmarks.evaluation import pictures
    from benchmarks.evaluation.evaluate import evaluate
    from benchmarks.evaluation.scoring import scoring_copy
    from datasets.images import to_range

    reference = _reference(job.run.dataset, orders)
    rows: dict[str, dict[str, float]] = {}
    torch.set_num_threads(orders.threads)
    with threadpool_limits(orders.threads):
        for suffix, prefix in (("", ""), ("_average", "average")):
            path = job.folder / f"weights{suffix}.safetensors"
            if not path.exists():
                continue
            game.load_state_dict(load_file(path))
            game.to(reference.device)
            copy = scoring_copy(game, reference.images.train, reference.protocol)
            for name, metrics in evaluate(copy, reference).items():
                rows["-".join(filter(None, (prefix, name)))] = metrics
            if not prefix:
                pictures.draw(copy, to_range(reference.images.test.images), job.folder)
    training = read_json(job.folder / "training.json") or {}
    rows[""] |= {name: training[name] for name in METRICS if training.get(name) is not None}
    write_json(job.folder / "metrics.json", {"identity": job.evaluation_identity, "rows": rows})


def _controls(job: Job, folder: Path, orders: Orders) -> Outcome:
    import torch
    from threadpoolctl import threadpool_limits

    from benchmarks.evaluation.controls import evaluate_controls
    from benchmarks.harness.loop import build

    reference = _reference(job.run.dataset, orders)
    torch.set_num_threads(orders.threads)
    seeds = range(UNTRAINED_SEEDS)
    games = (build(job.run.model_copy(update={"seed": s})).to(reference.device) for s in seeds)
    with threadpool_limits(orders.threads):
        rows = evaluate_controls(reference, games)
    write_json(folder / "environment.json", environment(orders.device, orders.side_by_side))
    identity = evaluation_identity(job.identity, job.run.dataset)
    write_json(folder / "metrics.json", {"identity": identity, "rows": rows})
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

    from benchmarks.evaluation.evaluate import Reference
    from datasets.loading import load

    if dataset not in _references:
        images = load(dataset, orders.data, orders.offline)
        _references[dataset] = Reference(images.to(torch.device(orders.device)))
    return _references[dataset]
