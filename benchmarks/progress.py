"""How far a command is: bars on a terminal, plain lines elsewhere."""

import time
from collections.abc import Callable, Sequence
from types import TracebackType

from rich.console import Console, Group
from rich.live import Live
from rich.progress import BarColumn, Progress, TaskID, TextColumn
from rich.table import Column
from rich.text import Text

from benchmarks.plan import Job
from benchmarks.worker import Event

PLAIN_SECONDS = 15.0


class Pace:
    """Seconds per update of each family's run (its share of a group), and so the time left."""

    def __init__(self, groups: Sequence[Sequence[Job]], side_by_side: int) -> None:
        jobs = [job for group in groups for job in group]
        self.together = {job.label: len(group) for group in groups for job in group}
        self.family = {job.label: job.run.family for job in jobs}
        self.total = {job.label: job.run.training.steps for job in jobs}
        self.done = dict.fromkeys(self.total, 0)
        self.started: dict[str, tuple[float, int]] = {}
        self.rates: dict[str, float] = {}
        self.evaluating: dict[str, float] = {}
        self.evaluations: list[float] = []
        self.finished = 0
        self.side_by_side = side_by_side

    def update(self, label: str, step: int) -> None:
        """Take note of a run's step."""
        if label not in self.total:
            return
        now = time.monotonic()
        self.done[label] = step
        since, first = self.started.setdefault(label, (now, step))
        if step > first:
            share = (now - since) / self.together[label]
            self.rates[self.family[label]] = share / (step - first)

    def evaluate(self, label: str) -> None:
        """Take note that a run's evaluation begins."""
        self.evaluating[label] = time.monotonic()

    def finish(self, label: str) -> None:
        """Count a run as over."""
        if label in self.evaluating:
            self.evaluations.append(time.monotonic() - self.evaluating.pop(label))
        if label in self.total:
            self.done[label] = self.total[label]
            self.finished += 1

    def seconds_left(self) -> float | None:
        """Return the expected seconds to the end; unseen families count as the mean of the seen."""
        if not self.rates:
            return None
        mean = sum(self.rates.values()) / len(self.rates)
        left = sum(
            (self.total[label] - self.done[label]) * self.rates.get(self.family[label], mean)
            for label in self.total
        )
        if self.evaluations:
            once = sum(self.evaluations) / len(self.evaluations)
            left += once * (len(self.total) - self.finished)
        return left / self.side_by_side


class Display:
    """Shows the events of a command, and tells them to `hear`.

    Args:
        console: where to.
        groups: what is to be done, and what of it together.
        side_by_side: runs at a time.
        quiet: show nothing but what is said.

    """

    def __init__(
        self,
        console: Console,
        groups: Sequence[Sequence[Job]],
        side_by_side: int,
        quiet: bool = False,
    ) -> None:
        self.console, self.quiet = console, quiet
        self.hear: Callable[[Event], None] = lambda event: None
        self.pace = Pace(groups, side_by_side)
        self.steps = max(1, sum(self.pace.total.values()))
        self.tasks: dict[str, TaskID] = {}
        self.losses: dict[str, str] = {}
        self.spoke = time.monotonic()
        self.latest: dict[str, str] = {}
        self.on_terminal = console.is_terminal and not quiet
        self.progress = Progress(
            TextColumn("{task.description}", table_column=Column(no_wrap=True)),
            BarColumn(bar_width=24),
            TextColumn("{task.percentage:>3.0f}%"),
            TextColumn("{task.fields[note]}", style="dim"),
            console=console,
        )
        self.live = Live(console=console, get_renderable=self._view, transient=True)
        self.overall = self.progress.add_task("all runs", total=self.steps, note="")

    def __enter__(self) -> "Display":
        if self.on_terminal:
            self.live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.live.stop()

    def _view(self) -> Group:
        losses = (Text(line, style="dim") for line in self.losses.values())
        return Group(self.progress, *losses)

    def say(self, line: str) -> None:
        """Print a line above the bars."""
        self.console.print(line, highlight=False, markup=False, soft_wrap=True)

    def show(self, event: Event) -> None:
        """Show one event."""
        self.hear(event)
        label = event.label
        if event.kind == "say":
            self.say(event.text)
        elif event.kind == "start":
            total = self.pace.total.get(label, 1)
            self.tasks[label] = self.progress.add_task(label, total=total, note="starting")
        elif event.kind == "progress":
            self.pace.update(label, event.step)
            losses = "  ".join(f"{name} {value:.3g}" for name, value in event.values)
            self.losses[label] = f"{label}: {losses}"
            totals = ", ".join(f"{player} {value:.3g}" for player, value in _totals(event).items())
            self.latest[label] = f"{label} {event.step}/{self.pace.total[label]} ({totals})"
            self._task(label, completed=event.step, note=f"{event.step:,} updates")
        elif event.kind == "evaluate":
            self.pace.evaluate(label)
            self._task(label, note="evaluating")
            self.losses.pop(label, None)
            self.latest[label] = f"{label} evaluating"
        elif event.kind == "end":
            self._end(label, event.text)
        self._overall()

    def _task(self, label: str, completed: int | None = None, note: str = "") -> None:
        if label in self.tasks:
            self.progress.update(self.tasks[label], completed=completed, note=note)

    def _end(self, label: str, outcome: str) -> None:
        self.pace.finish(label)
        self.latest.pop(label, None)
        self.losses.pop(label, None)
        if label in self.tasks:
            self.progress.remove_task(self.tasks.pop(label))
        if not self.quiet:
            self.say(f"{label}: {outcome}")

    def _overall(self) -> None:
        done, left = sum(self.pace.done.values()), self.pace.seconds_left()
        note = "" if left is None else f"{_duration(left)} left"
        self.progress.update(self.overall, completed=done, note=note)
        if (
            not self.on_terminal
            and not self.quiet
            and time.monotonic() - self.spoke > PLAIN_SECONDS
        ):
            self.spoke = time.monotonic()
            self.say(f"{done / self.steps:4.0%}  {note}  {'; '.join(self.latest.values())}")


def _totals(event: Event) -> dict[str, float]:
    """Return each player's loss, the sum of its terms."""
    totals: dict[str, float] = {}
    for name, value in event.values:
        player = name.split("/")[0]
        totals[player] = totals.get(player, 0.0) + value
    return totals


def _duration(seconds: float) -> str:
    minutes, rest = divmod(int(seconds + 0.5), 60)
    return f"{minutes // 60} h {minutes % 60} min" if minutes >= 60 else f"{minutes}:{rest:02d}"
