"""What a command was asked, as every step and every worker process takes it."""

import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Context:
    """What a command was asked, and what it found out before it started workers.

    Attributes:
        suite: a suite's name, or its file; None: the default.
        families: rows or families to run; None: those of the suite.
        files: family files to add.
        seeds: train seeds 0 ... seeds - 1; None: the suite's number.
        settings: `name=value` each.
        short: the suite's short form.
        published: use published runs; train only rows of `files`.
        data: the only folder searched for data, if given.
        offline: never download.
        inception: file of Inception's weights, or "auto" to look for them, if wanted.
        device: "auto", "cpu" or "cuda"; of workers, the last two.
        results: folder of runs, reports and baselines.
        quiet: no progress.
        tensorboard: keep TensorBoard logs of the runs.
        command: the command line, for the report.
        weights: Inception's file, found and checked.
        side_by_side: runs at the same time.

    """

    suite: str | None = None
    families: tuple[str, ...] | None = None
    files: tuple[Path, ...] = ()
    seeds: int | None = None
    settings: tuple[str, ...] = ()
    short: bool = False
    published: bool = False
    data: Path | None = None
    offline: bool = False
    inception: str | None = None
    device: str = "auto"
    results: Path = Path("results")
    quiet: bool = False
    tensorboard: bool = False
    command: str = ""
    weights: Path | None = None
    side_by_side: int = 1

    @property
    def cache(self) -> Path:
        """Folder of what is computed once of real images."""
        return self.results / "cache"

    @property
    def threads(self) -> int:
        """CPU threads that an evaluation may use."""
        return max(1, cores() // self.side_by_side)


def named(families: str | None) -> tuple[str, ...] | None:
    """Return the names of a comma-separated list; None if there is none."""
    if families is None:
        return None
    return tuple(name.strip() for name in families.split(",") if name.strip())


def cores() -> int:
    """Return how many CPU cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
