"""How far a command is: bars on a terminal, plain lines elsewhere."""

import time
from collections.abc import Callable, Sequence
from types import TracebackType

from rich.console import Console, Group
from rich.live import Live
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Column
from rich.text import Text

from benchmarks.execution.eta import Pace
from benchmarks.execution.worker import CONTROLS, Event
from benchmarks.planning.plan import Job

PLAIN_SECONDS = 15.0
MOST = 0.99
"""What is said to be done before all is."""


class Display:
    """Shows the events of a command, and tells them to `hear`.

    Args:
        console: where to.
        groups: what is to be done, and what of it together; seeds that train together share a line.
        pace: knows the time left.
        quiet: show nothing but what is said.

    """

    def __init__(
        self, console: Console, groups: Sequence[Sequence[Job]], pace: Pace, quiet: bool = False
    ) -> None:
        self.console, self.quiet, self.pace = console, quiet, pace
        self.hear: Callable[[Event], None] = lambda event: None
        self.group = {job.label: _name(group) for group in groups for job in group}
        self.members = {_name(group): [job.label for job in group] for group in groups}
        self.steps = max(1, sum(pace.total.values()))
        self.tasks: dict[str, TaskID] = {}
        self.losses: dict[str, str] = {}
        self.spoke = time.monotonic()
        self.latest: dict[str, str] = {}
        self.on_terminal = console.is_terminal and not quiet
        self.progress = Progress(
            TextColumn("{task.description}", table_column=Column(no_wrap=True)),
            BarColumn(bar_width=24),
            TextColumn("{task.percentage:>3.0f}%"),
            TimeElapsedColumn(),
            TextColumn("{task.fields[note]}", style="dim"),
            console=console,
        )
        self.live = Live(console=console, get_renderable=self._view, transient=True)
        self.overall = self.progress.add_task("all runs", total=1.0, note="")
        self.left: float | None = None
        self.heard = time.monotonic()

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
            self._begin(self.group.get(label, label), self.pace.total.get(label, 1), "starting")
            if label == CONTROLS:  # nothing of them is trained
                self.pace.evaluate(label)
        elif event.kind == "progress":
            self._trained(event)
        elif event.kind == "trained":
            self.pace.trained([label])
        elif event.kind == "evaluate":
            self.pace.evaluate(label)
            self._forget(self.group[label])
            self._begin(label, 1, "evaluating")
            self.latest[label] = f"{label} evaluating"
        elif event.kind == "stage":
            self._stage(label, event.text)
        elif event.kind == "end":
            self._end(event)
        self.left, self.heard = self.pace.seconds_left(), time.monotonic()
        self.tick()

    def _stage(self, label: str, stage: str) -> None:
        """Say what of a run, or of the control rows, is being measured."""
        self.latest[label] = f"{label} evaluating: {stage}"
        if label in self.tasks:
            self.progress.update(self.tasks[label], note=f"evaluating: {stage}")

    def _begin(self, name: str, total: int, note: str) -> None:
        if name not in self.tasks:
            self.tasks[name] = self.progress.add_task(name, total=total, note=note)

    def _trained(self, event: Event) -> None:
        """Move the bar of a run, or of the seeds that train together: the first one's losses."""
        self.pace.update(event.label, event.step)
        name = self.group[event.label]
        if event.label != self.members[name][0] or name not in self.tasks:
            return
        losses = "  ".join(f"{term} {value:.3g}" for term, value in event.values)
        self.losses[name] = f"{event.label}: {losses}"
        totals = ", ".join(f"{player} {value:.3g}" for player, value in _totals(event).items())
        self.latest[name] = f"{name} {event.step}/{self.pace.total[event.label]} ({totals})"
        note = f"{event.step:,} updates"
        self.progress.update(self.tasks[name], completed=event.step, note=note)

    def _forget(self, name: str) -> None:
        self.latest.pop(name, None)
        self.losses.pop(name, None)
        if name in self.tasks:
            self.progress.remove_task(self.tasks.pop(name))

    def _end(self, event: Event) -> None:
        label, diverged = event.label, event.text == "diverged"
        self.pace.finish(label)
        self._forget(label)
        name = self.group.get(label, label)
        left = self.members.get(name, [label])
        left.remove(label)
        if not left:
            self._forget(name)
        if diverged or not self.quiet:
            where = f" at update {event.step:,}" if diverged else ""
            self.say(f"{label}: {event.text}{where}")

    def tick(self) -> None:
        """Show the time that is left now; away from a terminal, a line now and then."""
        share, now = sum(self.pace.done.values()) / self.steps, time.monotonic()
        if self.pace.unfinished:  # evaluations follow the last update
            share = min(share, MOST)
        left = None if self.left is None else max(0.0, self.left - (now - self.heard))
        note = "" if left is None else f"{_duration(left)} left"
        self.progress.update(self.overall, completed=share, note=note)
        if (
            not self.on_terminal
            and not self.quiet
            and (self.latest or not self.pace.unfinished)
            and now - self.spoke > PLAIN_SECONDS
        ):
            self.spoke = now
            self.say(f"{share:4.0%}  {note}  {'; '.join(self.latest.values())}")


def _name(group: Sequence[Job]) -> str:
    """Return what a group of seeds of one row is called."""
    if len(group) == 1:
        return group[0].label
    return f"{group[0].run.row} seeds {', '.join(str(job.run.seed) for job in group)}"


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
