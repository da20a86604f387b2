"""The display: the time left on another machine than that of the kept results; what it says."""

import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from rich.console import Console

from benchmarks import cli
from benchmarks.common.context import Context
from benchmarks.execution import progress, scheduler
from benchmarks.execution.eta import Pace
from benchmarks.execution.progress import Display
from benchmarks.execution.worker import CONTROLS, Event
from benchmarks.planning import plan, suites
from benchmarks.planning.plan import Job

SIDE_BY_SIDE = 2
CONTROL_ROWS = 15.0
COSTS = {
    **{"gan": (5.8, 1.7), "autoencoder": (5.3, 1.8), "bigan": (23.3, 3.3)},
    **{"bigan_qp": (48.6, 3.0), "aegan": (42.8, 3.2), "bigbigan": (65.8, 3.1)},
}
"""Seconds of training and of evaluation of the digits suite's rows, on a slow machine."""


def groups(suite: str, families: list[str] | None = None) -> list[list[Job]]:
    """Return a suite's groups in the order in which they are trained, the costliest first."""
    chosen = suites.override(suites.load_suite(suite), [], families)
    jobs = plan.jobs(chosen, Path("results"), range(chosen.seeds))
    return plan.groups(jobs[::-1])


class Simulation:
    """A machine `slower` times slower than that of the kept results, two workers, no noise."""

    def __init__(self, suite: str, slower: float) -> None:
        self.now, self.slower, self.costs = 0.0, slower, COSTS
        self.groups = groups(suite)
        self.pace = Pace(self.groups, SIDE_BY_SIDE, True, self.costs, clock=lambda: self.now)

    def play(self) -> Iterator[tuple[float, float | None, bool]]:
        """Yield (now, seconds said to be left, whether a run is over) at every event."""
        tasks = [self.training(group) for group in self.groups]
        tasks.insert(1, self.controls())
        running: list[tuple[float, Iterator[float]]] = []
        over = False
        while tasks or running:
            while tasks and len(running) < SIDE_BY_SIDE:
                running.append((self.now, tasks.pop(0)))
            self.now, task = running.pop(running.index(min(running, key=lambda r: r[0])))
            lasts = next(task, None)
            if lasts is not None:
                running.append((self.now + lasts * self.slower, task))
            over = over or not set(self.pace.total) <= self.pace.unfinished
            yield self.now, self.pace.seconds_left(), over

    def training(self, group: list[Job]) -> Iterator[float]:
        train, evaluation = self.costs[group[0].run.row]
        for part in range(11):
            for job in group:
                self.pace.update(job.label, part * job.run.training.steps // 10)
            if part < 10:
                yield train * len(group) / 10
        for job in group:
            self.pace.evaluate(job.label)
            yield evaluation
            self.pace.finish(job.label)

    def controls(self) -> Iterator[float]:
        self.pace.evaluate(CONTROLS)
        yield CONTROL_ROWS
        self.pace.finish(CONTROLS)


@pytest.mark.parametrize("slower", [0.5, 1.0, 3.0])
def test_the_time_left_is_right_within_a_fifth_after_the_first_run(slower: float) -> None:
    said = list(Simulation("digits", slower).play())
    end = said[-1][0]
    after = [(now, left) for now, left, over in said if over and end - now > 0.1 * end]
    assert len(after) > 20
    for now, left in after:
        assert left == pytest.approx(end - now, rel=0.2), f"at {now:.0f} of {end:.0f} s"


def test_an_unseen_family_is_scaled_from_the_seen_one() -> None:
    now = [0.0]
    two = groups("digits", ["gan", "bigan"])
    assert [len(group) for group in two] == [3, 3]
    typical = {"gan": (10.0, 1.0), "bigan": (40.0, 1.0)}
    pace = Pace(two, 1, False, typical, clock=lambda: now[0])
    assert pace.seconds_left() is None
    bigans = [job.label for job in two[0]]
    for label in bigans:
        pace.update(label, 0)
    now[0] = 60.0
    for label in bigans:
        pace.update(label, 1500)
    # 60 s for half of three BiGANs: 60 s more; three GANs at 10 s each; six evaluations.
    assert pace.seconds_left() == pytest.approx(60 + 3 * 10 + 6)


def test_only_evaluations_left() -> None:
    now = [0.0]
    all_groups = groups("digits", ["gan"])
    labels = [job.label for group in all_groups for job in group]
    pace = Pace(all_groups, 1, clock=lambda: now[0])
    pace.trained(labels)
    pace.evaluate(labels[0])
    now[0] = 7.0
    pace.finish(labels[0])
    assert pace.seconds_left() == pytest.approx(14)


def test_seeds_that_train_together_share_a_line() -> None:
    console = Console(file=io.StringIO(), width=200, force_terminal=True, legacy_windows=False)
    three = [[job for group in groups("digits", ["bigan"]) for job in group]]
    labels = [job.label for job in three[0]]
    display = Display(console, three, Pace(three, 1))
    for label in labels:
        display.show(Event("start", label))
        display.show(Event("progress", label, 100, (("discriminator/encoder_pair", 0.5),)))
    name = "bigan seeds " + ", ".join(str(job.run.seed) for job in three[0])
    assert list(display.tasks) == [name]
    assert list(display.losses.values()) == [f"{labels[0]}: discriminator/encoder_pair 0.5"]
    display.show(Event("end", labels[0], text="diverged"))
    display.show(Event("progress", labels[1], 150, (("discriminator/encoder_pair", 0.4),)))
    assert list(display.losses.values()) == [f"{labels[1]}: discriminator/encoder_pair 0.4"]
    display.show(Event("evaluate", labels[1]))
    assert list(display.tasks) == [labels[1]]
    assert not display.losses
    for label in labels[1:]:
        display.show(Event("end", label, text="done"))
    assert not display.tasks


def said_by(display: Display) -> str:
    assert isinstance(display.console.file, io.StringIO)
    return display.console.file.getvalue()


def plain_display(families: list[str], quiet: bool = False) -> tuple[Display, list[str]]:
    """A display that is no terminal and never waits before it speaks, and its runs' labels."""
    own = groups("digits", families)
    display = Display(Console(file=io.StringIO(), width=200), own, Pace(own, 1), quiet)
    return display, [job.label for group in own for job in group]


def test_all_is_done_at_the_end_and_never_before(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "PLAIN_SECONDS", -1.0)
    display, labels = plain_display(["gan"])
    for label in labels:
        display.show(Event("progress", label, display.pace.total[label]))
    for label in labels:
        display.show(Event("evaluate", label))
    assert "99%" in said_by(display)
    assert "100%" not in said_by(display)
    assert display.progress.tasks[0].percentage == 99
    for label in labels:
        display.show(Event("end", label, text="done"))
    assert "100%" in said_by(display).splitlines()[-1]
    assert display.progress.tasks[0].percentage == 100


@pytest.mark.parametrize("quiet", [True, False])
def test_a_diverged_run_is_named_also_quietly(quiet: bool) -> None:
    display, labels = plain_display(["gan"], quiet)
    display.show(Event("end", labels[0], 1350, text="diverged"))
    display.show(Event("end", labels[1], text="done"))
    lines = [f"{labels[0]}: diverged at update 1,350", *([] if quiet else [f"{labels[1]}: done"])]
    assert said_by(display).splitlines() == lines


def test_the_control_rows_are_no_runs_that_finished(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    context = Context(
        families=("gan", "bigan"), seeds=1, offline=True, device="cpu", results=tmp_path, quiet=True
    )
    planned = cli.plan(context)
    ends = {"gan seed 0": "failed", "bigan seed 0": "done", CONTROLS: "done"}
    said: list[str] = []
    monkeypatch.setattr(scheduler, "execute", lambda *arguments: ends)
    monkeypatch.setattr(cli.published, "say_controls_taken", lambda *arguments: None)
    monkeypatch.setattr(cli, "say", said.append)
    cli.train_and_evaluate(planned, context)
    assert said[0] == "digits: 2 runs planned: 2 missing"
    assert said[-1] == "finished: 1 failed, 1 done"


def test_control_rows_alone_are_left() -> None:
    """All runs were done by a command that could not do the controls."""
    pace = Pace([], SIDE_BY_SIDE, with_controls=True, typical={"gan": (10.0, 4.0)})
    assert pace.seconds_left() is not None
    pace.finish(CONTROLS)
    assert pace.seconds_left() == 0


def test_what_is_being_measured_is_shown() -> None:
    display, labels = plain_display(["gan"])
    display.show(Event("evaluate", labels[0]))
    display.show(Event("stage", labels[0], text="representation"))
    (task,) = [task for task in display.progress.tasks if task.description == labels[0]]
    assert task.fields["note"] == "evaluating: representation"


def test_the_clock_ticks_without_news(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    display, labels = plain_display(["gan"])
    monkeypatch.setattr(display.pace, "seconds_left", lambda: 60.0)
    display.show(Event("evaluate", labels[0]))
    assert display.progress.tasks[0].fields["note"] == "1:00 left"
    now[0] += 7
    display.tick()
    assert display.progress.tasks[0].fields["note"] == "0:53 left"
    now[0] += 70
    display.tick()
    assert display.progress.tasks[0].fields["note"] == "0:00 left"
