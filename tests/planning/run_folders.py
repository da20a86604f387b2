"""Run folders made by hand: what a training and an evaluation leave, with chosen numbers."""

import json
from pathlib import Path
from typing import Any

from benchmarks.evaluation.control_rows import CONTROLS
from benchmarks.planning.config import NetworkSettings, Run, TrainingSettings
from benchmarks.planning.identity import configuration_digest, training_identity
from benchmarks.planning.outdated import recipe_of
from benchmarks.planning.plan import Job, evaluation_identity, jobs
from benchmarks.planning.suites import load_suite, override

ENVIRONMENT = {
    "commit": "0123456789abcdef",
    "dirty": False,
    "python": "3.11.7",
    "packages": {"torch": "2.15.0"},
    "system": "Linux x86_64",
    "processor": "a processor",
    "cores": 2,
    "device": "cpu",
    "runs_side_by_side": 2,
}


def run_of(row: str, seed: int = 0, **changes: Any) -> Run:
    """Return a run of the digits suite."""
    suite = load_suite("digits")
    parts = {"networks": NetworkSettings, "training": TrainingSettings}
    settings = {
        name: part(**getattr(suite, name).model_dump() | changes.pop(name, {}))
        for name, part in parts.items()
    }
    given = {"family": row, "tier": "controlled", "dataset": "digits"} | changes
    return Run(row=row, seed=seed, **settings, **given)


def only_job(tmp_path: Path, *settings: str, family: str = "bigan", seed: int = 0) -> Job:
    """Return the one run of a family in the digits suite, with settings."""
    suite = override(load_suite("digits"), settings, [family])
    return jobs(suite, tmp_path, [seed])[0]


def write_run(
    results: Path,
    run: Run,
    metrics: dict[str, float] | None = None,
    status: str = "trained",
    identity: str | None = None,
    curve: list[dict[str, float]] | None = None,
    light: list[dict[str, Any]] | None = None,
) -> Job:
    """Write the folder of a finished run (or one that diverged) and return it."""
    identity = identity or training_identity(run)
    folder = results / "runs" / run.dataset / run.row / f"seed{run.seed}-{identity[:10]}"
    folder.mkdir(parents=True)

    def write(name: str, content: Any) -> None:
        (folder / name).write_text(json.dumps(content))

    def lines(name: str, rows: list[dict[str, Any]]) -> None:
        (folder / name).write_text("".join(json.dumps(row) + "\n" for row in rows))

    config = recipe_of(run) | {"identity": identity}
    write("config.json", config | {"configuration": configuration_digest(run)})
    write("environment.json", ENVIRONMENT)
    write("training.json", {"status": status, "steps": run.training.steps})
    lines("curve.jsonl", curve or [])
    lines("light.jsonl", light or [])
    if status == "trained":
        content = {"rows": {"": metrics or {}}, "undefined": {}, "seconds": {}, "curves": {}}
        write("metrics.json", {"identity": evaluation_identity(identity, run.dataset)} | content)
    return Job(run, identity, folder)


def write_controls(results: Path, training: str, rows: dict[str, list[dict[str, float]]]) -> Path:
    """Write a folder of control rows for digits and return it."""
    folder = results / "runs" / "digits" / f"controls-{training[:10]}"
    folder.mkdir(parents=True)
    content = {"identity": evaluation_identity(training, "digits"), "rows": rows}
    content["titles"] = {name: CONTROLS[name].title for name in rows}
    (folder / "metrics.json").write_text(json.dumps(content))
    return folder
