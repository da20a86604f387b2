"""How long the rest of a command will take."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from statistics import mean, median

from benchmarks.common.files import ROOT, read_json
from benchmarks.execution.worker import CONTROLS
from benchmarks.planning.plan import Job

PUBLISHED = ROOT / "results" / "published"
PARTS = ("train", "evaluation")
CONTROLS_IN_EVALUATIONS = 5.0
"""The control rows are about so many evaluations' work, until they have been seen."""


class Pace:
    """Seconds per update of each family's run (its share of a group), and so the time left.

    What has not been seen yet is taken to cost, beside what has been, as much as it did in
    published results on the same data.

    Args:
        groups: what is to be done, and what of it together.
        side_by_side: runs at a time.
        with_controls: whether the control rows are to be done too.
        typical: row name -> (seconds of training, of evaluation) once upon a time.
        clock: seconds from any origin.

    """

    def __init__(
        self,
        groups: Sequence[Sequence[Job]],
        side_by_side: int,
        with_controls: bool = False,
        typical: Mapping[str, tuple[float, float]] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.groups = [[job.label for job in group] for group in groups]
        jobs = {job.label: job for group in groups for job in group}
        self.together = {label: len(group) for group in self.groups for label in group}
        self.family = {label: job.run.row for label, job in jobs.items()}
        self.total = {label: job.run.training.steps for label, job in jobs.items()}
        self.done = dict.fromkeys(self.total, 0)
        self.started: dict[str, tuple[float, int]] = {}
        self.rates: dict[str, float] = {}
        self.evaluating: dict[str, float] = {}
        self.evaluations: list[float] = []
        self.unfinished = {*self.total, *([CONTROLS] if with_controls else [])}
        self.side_by_side, self.clock = side_by_side, clock
        known = typical or {}
        self.typical = {
            job.run.row: known.get(job.run.row, known.get(job.run.family)) for job in jobs.values()
        }

    def update(self, label: str, step: int) -> None:
        """Take note of a run's step."""
        if label not in self.total:
            return
        now = self.clock()
        self.done[label] = step
        since, first = self.started.setdefault(label, (now, step))
        if step > first:
            share = (now - since) / self.together[label]
            self.rates[self.family[label]] = share / (step - first)

    def trained(self, labels: Iterable[str]) -> None:
        """Take note that nothing of these runs is left to train, if anything ever was."""
        self.done |= {label: self.total[label] for label in labels}

    def evaluate(self, label: str) -> None:
        """Take note that a run's evaluation begins."""
        self.evaluating[label] = self.clock()

    def finish(self, label: str) -> None:
        """Count a run as over."""
        began = self.evaluating.pop(label, None)
        if began is not None and label != CONTROLS:
            self.evaluations.append(self.clock() - began)
        if label in self.total:
            self.done[label] = self.total[label]
        self.unfinished.discard(label)

    def seconds_left(self) -> float | None:
        """Return the expected seconds to the end; None before anything has been seen."""
        if not self.rates and self.done != self.total:
            return None
        trainings = [sum(map(self._training_left, group)) for group in self.groups]
        evaluation = self._evaluation()
        longest = max(trainings, default=0.0)  # nothing but control rows may be left
        work = sum(trainings) + evaluation * len(self.unfinished - {CONTROLS})
        if CONTROLS in self.unfinished:
            work += evaluation * CONTROLS_IN_EVALUATIONS
        # One group alone keeps one worker busy, however many there are.
        return max(work / self.side_by_side, longest)

    def _training_left(self, label: str) -> float:
        steps = self.total[label] - self.done[label]
        return steps * self._rate(self.family[label]) if steps else 0.0

    def _rate(self, family: str) -> float:
        """Return seconds per update: seen, or scaled from what the seen ones cost elsewhere."""
        if family in self.rates:
            return self.rates[family]
        scales = [rate / self._elsewhere(seen) for seen, rate in self.rates.items()]
        return mean(scales) * self._elsewhere(family)

    def _elsewhere(self, family: str) -> float:
        costs = {name: cost[0] for name, cost in self.typical.items() if cost is not None}
        return costs.get(family) or (mean(costs.values()) if costs else 1.0)

    def _evaluation(self) -> float:
        """Return seconds of an evaluation: seen, or what it cost elsewhere."""
        costs = [cost[1] for cost in self.typical.values() if cost is not None]
        return median(self.evaluations or costs or [0.0])  # the first loads what the others find


def typical_seconds(dataset: str) -> dict[str, tuple[float, float]]:
    """Return row name -> mean seconds of (training, evaluation) in published results on a dataset.

    From their reports alone: an unreadable one tells nothing, and the time left is then less sure.
    """
    found: dict[str, list[tuple[float, float]]] = {}
    for path in sorted(PUBLISHED.glob("*/report.json")):
        report = read_json(path) or {}
        for row in report.get("rows", []) if report.get("dataset") == dataset else []:
            means = [row["cells"].get(f"{part}_seconds", {}).get("mean") for part in PARTS]
            if row["readout"] == "" and None not in means:
                found.setdefault(row.get("id", row["name"]), []).append((means[0], means[1]))
    return {
        row: (mean(cost[0] for cost in costs), mean(cost[1] for cost in costs))
        for row, costs in found.items()
    }
