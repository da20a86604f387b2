"""Suite + overrides -> the list of runs, each with its identity, folder and state."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from benchmarks.common.files import read_json
from benchmarks.evaluation.protocol import PROTOCOLS, VERSION
from benchmarks.planning.config import Run, Suite, TrainingSettings
from benchmarks.planning.identity import training_identity, untrained_identity
from benchmarks.planning.keys import Key
from benchmarks.planning.outdated import is_outdated, why_not_there
from benchmarks.planning.resolve import Resolved, resolve, row_name

ENDED = ("done", "diverged")
"""States of a run that nothing is left to do for."""
State = Literal["done", "diverged", "to evaluate", "to resume", "outdated", "missing"]


@dataclass(frozen=True)
class Job:
    """A run of the plan and where it lives.

    Attributes:
        run: what is trained.
        identity: of the training.
        folder: its own, or the one a published record was unpacked into.
        base: the row that its row varies under a name of its own, if it does.
        variant: how; or what tells it from runs of the same row that it stands beside.
        published: the date of that record; empty for a run of one's own.

    """

    run: Run
    identity: str
    folder: Path
    base: str = ""
    variant: str = ""
    published: str = ""

    @property
    def key(self) -> Key:
        """Which row of a table it is of."""
        title = self.run.row if self.base else ""
        row, family = self.base or self.run.row, row_name(self.run.family)
        return Key(row, family, self.variant, title=title)

    @property
    def label(self) -> str:
        """Short name for messages."""
        return f"{self.key.id} seed {self.run.seed}"

    @property
    def evaluation_identity(self) -> dict[str, str]:
        """What a metrics.json must say of itself to count."""
        return evaluation_identity(self.identity, self.run.dataset)


@dataclass(frozen=True)
class Plan:
    """A suite and its runs.

    Attributes:
        suite: the question.
        jobs: the runs, from here or published.
        results: folder of runs and reports.
        left_out: with published runs: a line for each of the suite's that none stands for.
        damaged: a line for each published record that cannot be believed.
        published: whether published runs stand for those that are not done here.
        own: then: the rows that are trained.

    """

    suite: Suite
    jobs: list[Job]
    results: Path
    left_out: Sequence[str] = ()
    damaged: Sequence[str] = ()
    published: bool = False
    own: frozenset[str] = frozenset()


def evaluation_identity(training: str, dataset: str) -> dict[str, str]:
    """Return training identity + protocol version + extractor (whose name holds its digest)."""
    extractor = PROTOCOLS[dataset].extractor
    return {"training": training, "protocol": VERSION, "extractor": extractor}


def jobs(suite: Suite, results: Path, seeds: Iterable[int]) -> list[Job]:
    """Return the runs of a suite for some seeds, seed by seed, so that early results compare."""
    return [_planned(row, seed, results) for seed in seeds for row in resolve(suite).values()]


def _planned(row: Resolved, seed: int, results: Path) -> Job:
    run = row.run(seed)
    job = _job(run, results, training_identity(run))
    return job if not row.variant else replace(job, base=row.base, variant=row.variant)


def groups(jobs: Iterable[Job]) -> list[list[Job]]:
    """Return what trains together: the seeds of one stack, else each run alone.

    Which stack a seed is in, its number and its row's settings say: never who else is to be done,
    nor how many workers there are.
    """
    found: dict[tuple[str, int], list[Job]] = {}
    for job in jobs:
        same = job.run.model_copy(update={"seed": 0, "left_out": None}).model_dump_json()
        found.setdefault((same, job.run.seed // (job.run.training.stacked or 1)), []).append(job)
    return list(found.values())


def state(
    job: Job, say: Callable[[str], None] | None = None, with_inception: bool = False
) -> State:
    """Say how far a run is; damaged files count as absent (set aside, given a `say`).

    Args:
        job: the run.
        say: a line for the user.
        with_inception: whether the Inception metrics are wanted as well.

    """
    training = read_json(job.folder / "training.json", say)
    if training is None:
        if (job.folder / "checkpoint.pt").exists():
            return "to resume"
        return "outdated" if is_outdated(job.run, job.folder.parent) else "missing"
    if training.get("status") == "diverged":
        return "diverged"
    wanted = ["metrics.json", *(["inception.json"] if with_inception else [])]
    if all(is_evaluated(job, name, say) for name in wanted):
        return "done"
    return "to evaluate" if (job.folder / "weights.safetensors").exists() else "missing"


def why(job: Job) -> str:
    """Say why a run that is missing or outdated is so; empty for all others, or if unknown."""
    if state(job) not in ("missing", "outdated"):
        return ""
    return why_not_there(job.run, job.folder)


def is_evaluated(
    job: Job, name: str = "metrics.json", say: Callable[[str], None] | None = None
) -> bool:
    """Whether a file of results is there and stems from this protocol and training."""
    content = read_json(job.folder / name, say)
    return content is not None and content.get("identity") == job.evaluation_identity


def controls_folder(suite: Suite, results: Path) -> Path:
    """Return where the control rows of a suite's dataset and networks live."""
    return (
        results / "runs" / suite.dataset / f"controls-{controls_job(suite, results).identity[:10]}"
    )


def controls_job(suite: Suite, results: Path) -> Job:
    """Return the run whose first weights are the untrained control; no budget is part of it."""
    run = control_run(suite)
    return _job(run, results, untrained_identity(run))


def control_run(suite: Suite) -> Run:
    """Return the run whose first weights are the untrained control of a suite."""
    return Run(
        row="untrained",
        family="bigan",
        tier=suite.tier,
        dataset=suite.dataset,
        seed=0,
        networks=suite.networks,
        training=TrainingSettings(steps=1, batch_size=2),
        left_out=0 if suite.leave_one_class_out else None,
    )


def _job(run: Run, results: Path, identity: str) -> Job:
    folder = results / "runs" / run.dataset / run.row / f"seed{run.seed}-{identity[:10]}"
    return Job(run, identity, folder)
