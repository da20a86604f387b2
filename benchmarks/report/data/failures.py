"""What became of the runs that have no numbers."""

from collections.abc import Iterable

from benchmarks.common.files import read_json, read_lines
from benchmarks.planning.plan import Job, why
from benchmarks.report.data.frame import status_of

WORDS = {
    "to resume": "interrupted",
    "missing": "not started",
    "to evaluate": "not evaluated",
    "outdated": "outdated",
}
"""State of a run -> what tables call it, where that is not the state's own name."""
NEXT = {
    "to resume": "; run the same command to resume",
    "to evaluate": "; run the same command to evaluate it",
    "outdated": "; run the same command to train it again",
}


def in_words(status: str) -> str:
    """Return what a table calls a run of some state."""
    return WORDS.get(status, status)


def endings(jobs: Iterable[Job]) -> list[str]:
    """Return how far the runs without numbers came, and what the same command does with them."""
    seeds: dict[tuple[str, str], list[str]] = {}
    for job in jobs:
        if (status := status_of(job)) != "done":
            said = _how_far(job, status)
            seeds.setdefault((job.key.name, said), []).append(str(job.run.seed))
    return [
        f"{row}, seed{'s' * (len(own) > 1)} {', '.join(own)}: {said}"
        for (row, said), own in seeds.items()
    ]


def _how_far(job: Job, status: str) -> str:
    said = in_words(status)
    if status in ("to resume", "diverged"):
        said += f" after {_updates(job):,} of {job.run.training.steps:,} updates"
    elif status == "failed":
        said += f": {_reason(job)}"
    reason = why(job)
    return said + (f" ({reason})" if reason else "") + NEXT.get(status, "")


def _updates(job: Job) -> int:
    """Return the last update that left a trace."""
    ended = (read_json(job.folder / "training.json") or {}).get("steps", 0)
    logged = (line["step"] for line in read_lines(job.folder / "curve.jsonl"))
    return int(max([ended, *logged]))


def _reason(job: Job) -> str:
    """Return the last line of what a failed run left: the error itself."""
    lines = (job.folder / "failure.txt").read_text().strip().splitlines()
    return lines[-1] if lines else "no reason was written"
