"""Run folders as TensorBoard logs, while they are written: `python run_all.py --tensorboard`.

The logs are made from the run's own files (curve.jsonl, light.jsonl, pictures, metrics.json), so
they hold nothing that is not there, and can be thrown away.
"""

import json
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from benchmarks.common.errors import UserError
from benchmarks.common.files import read_json
from benchmarks.execution.worker import Event
from benchmarks.planning.plan import Job

EARLY = "samples-*.png"
GRIDS = ("samples", "truncated", "reconstructions", "interpolation", "neighbours")
FOLLOWED = ("progress", "evaluate", "end")
"""Events after which a run's files have grown. At "start" a resumed run may still cut them off."""


def logs_folder(results: Path) -> Path:
    """Return where `tensorboard --logdir` is to look."""
    return results / "tensorboard"


class Logs:
    """The logs of a plan's runs, one folder a run, begun anew by every command.

    Args:
        jobs: the plan's runs; what is there of finished ones is logged at once.
        results: folder of runs and reports.

    Raises:
        UserError: TensorBoard is not installed.

    """

    def __init__(self, jobs: Iterable[Job], results: Path) -> None:
        self.followers = {
            job.label: Follower(job.folder, logs_folder(results) / _place(job)) for job in jobs
        }
        for follower in self.followers.values():
            if (follower.folder / "training.json").exists():
                follower.update()

    def hear(self, event: Event) -> None:
        """Follow the run that an event is about."""
        if event.kind in FOLLOWED and event.label in self.followers:
            self.followers[event.label].update()


class Follower:
    """One run's log.

    Args:
        folder: the run's folder.
        log: where the log goes; what was there is removed.

    """

    def __init__(self, folder: Path, log: Path) -> None:
        self.folder = folder
        self.read = {"curve.jsonl": 0, "light.jsonl": 0}
        self.shown: set[str] = set()
        self.step = 0
        shutil.rmtree(log, ignore_errors=True)
        self.writer = _writer(log)

    def update(self) -> None:
        """Log what has come since the last call."""
        for name, group in (("curve.jsonl", "training"), ("light.jsonl", "light")):
            for line in self._new_lines(name):
                self.step = max(self.step, line["step"])
                self._scalars(group, line, line["step"])
        for path in sorted(self.folder.glob(EARLY)):
            self._picture(path, "samples", int(path.stem.split("-")[1]))
        metrics = read_json(self.folder / "metrics.json")
        if metrics is not None and "metrics" not in self.shown:
            self.shown.add("metrics")
            for row, values in metrics["rows"].items():
                self._scalars("-".join(filter(None, ("metrics", row))), values, self.step)
            for name in GRIDS:
                self._picture(self.folder / f"{name}.png", name, self.step)
        self.writer.flush()

    def _new_lines(self, name: str) -> list[dict[str, Any]]:
        """Return the whole lines that a file has more than at the last call."""
        path = self.folder / name
        if not path.exists():
            return []
        with path.open("rb") as file:
            file.seek(self.read[name])
            whole = [line for line in file if line.endswith(b"\n")]
        self.read[name] += sum(map(len, whole))
        return [json.loads(line) for line in whole]

    def _scalars(self, group: str, values: dict[str, Any], step: int) -> None:
        for name, value in values.items():
            if name not in ("step", "protocol") and value is not None:
                self.writer.add_scalar(f"{group}/{name}", value, step)

    def _picture(self, path: Path, name: str, step: int) -> None:
        if path.exists() and path.name not in self.shown:
            self.shown.add(path.name)
            with Image.open(path) as image:
                pixels = np.asarray(image.convert("RGB"))
            self.writer.add_image(name, pixels, step, dataformats="HWC")


def _writer(log: Path) -> Any:
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError as error:
        raise UserError(
            "--tensorboard: TensorBoard is not installed; pip install '.[tensorboard]'"
        ) from error
    return SummaryWriter(log)


def _place(job: Job) -> Path:
    return Path(job.run.dataset, job.run.row, job.folder.name)
