"""One DataFrame from the run folders of a plan."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.planning.config import Suite
from benchmarks.evaluation.control_rows import CONTROLS
from benchmarks.evaluation.protocol import LIGHT_VERSION
from benchmarks.evaluation.registry import LIGHT, METRICS
from benchmarks.common.files import read_json, read_lines
from benchmarks.planning.keys import Key, label_of
from benchmarks.planning.plan import Job, controls_folder, controls_job, is_evaluated, state
from benchmarks.report.data.columns import PARTS, columns_of
from benchmarks.report.stats.intervals import LOST
from datasets.registry import DATASETS

EARLY = 200
"""The step of the light evaluation that tells how soon a family is good."""
LEADING = (*PARTS, "seed", "status", "label", "id")
"""What a run or a repetition of a control says of itself before its metrics."""
GRADIENT = "generator/grad_norm"
"""Of the player that moves G and nothing else; families that train E with it have none."""


def results_frame(jobs: Sequence[Job]) -> pd.DataFrame:
    """Return one row per planned run and readout: its key, seed, status, label, then the metrics.

    Where every run leaves a class out of its training, that class stands before the metrics.
    Runs of other code, protocols or settings have other identities and never enter.
    """
    found = {job.label: _rows(job) for job in jobs}
    readouts = {job.key: {""} for job in jobs}
    for job in jobs:
        readouts[job.key] |= set(found[job.label])
    rows = [
        columns_of(replace(job.key, readout=readout))
        | {"seed": job.run.seed, "status": status_of(job), "left_out": job.run.left_out}
        | _stability(job, readout, found[job.label].get("", {}))
        | found[job.label].get(readout, {})
        for job in jobs
        for readout in sorted(readouts[job.key])
    ]
    frame = pd.DataFrame(rows)
    paired = ["left_out"] * any(job.run.left_out is not None for job in jobs)
    return frame.reindex(columns=[*LEADING, *paired, *METRICS])


def controls_frame(suite: Suite, results: Path) -> pd.DataFrame:
    """Return the control rows in the same form; empty if this protocol has not evaluated them."""
    wanted = controls_job(suite, results).evaluation_identity
    content = _controls(controls_folder(suite, results))
    return _control_rows(content if content.get("identity") == wanted else {})


def controls_of(suite: Suite, folders: Iterable[Path], say: Callable[[str], None]) -> pd.DataFrame:
    """Return the control rows that belong to a suite, from folders of controls of any machine.

    Those of the present code and the suite's networks, or else the only ones of this data and
    protocol; none, and that is said, if there are several.
    """
    now = controls_job(suite, Path()).evaluation_identity
    found: dict[str, dict[str, Any]] = {}
    for folder in folders:
        content = _controls(folder)
        identity = content.get("identity", {})
        if identity and identity | {"training": ""} == now | {"training": ""}:
            found.setdefault(identity["training"], content)
    if now["training"] in found or len(found) == 1:
        return _control_rows(found.get(now["training"]) or next(iter(found.values())))
    if found:
        say(f"{suite.name}: {len(found)} sets of control rows, none of the present code; left out")
    return _control_rows({})


def _controls(folder: Path) -> dict[str, Any]:
    """Return what a folder of controls says, if it names them as they are named now."""
    content = read_json(folder / "metrics.json") or {}
    return content if set(content.get("titles", {"": ""})) <= set(CONTROLS) else {}


def _control_rows(content: Mapping[str, Any]) -> pd.DataFrame:
    rows = [
        columns_of(Key(name, "", kind="control", title=title))
        | {"seed": seed, "status": "control"}
        | metrics
        for name, title in content.get("titles", {}).items()
        for seed, metrics in enumerate(content["rows"][name])
    ]
    return pd.DataFrame(rows, columns=[*LEADING, *METRICS])


def light_frame(jobs: Sequence[Job]) -> pd.DataFrame:
    """Return the light evaluations during training: key, label, seed, step, seconds, metrics.

    A readout's are rows of their own; they stand behind all others.
    """
    rows: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for job in jobs:
        for line in read_lines(job.folder / "light.jsonl"):
            if line.get("protocol") == LIGHT_VERSION:
                for (readout, metric), own in _by_readout(line).items():
                    about = columns_of(replace(job.key, readout=readout)) | {"seed": job.run.seed}
                    rows.setdefault((readout, metric), []).append(about | own)
    return pd.DataFrame([row for own in rows.values() for row in own])


def _by_readout(line: Mapping[str, Any]) -> dict[tuple[str, str], dict[str, Any]]:
    """Return (readout, metric) -> when, and its value; ("", "") -> what is of no readout.

    The one place that knows how light.jsonl writes a readout's metric: "readout/metric".
    """
    named = {name: name.partition("/") for name in line}
    found = {("", ""): {name: line[name] for name, (_, slash, _) in named.items() if not slash}}
    when = {name: line[name] for name in ("step", "seconds") if name in line}
    for name, (readout, slash, metric) in named.items():
        if slash:
            found[readout, metric] = when | {metric: line[name]}
    return found


def curve_frame(jobs: Sequence[Job]) -> pd.DataFrame:
    """Return the losses during training: label, seed, step, seconds, "player/term" columns."""
    rows = [
        columns_of(job.key) | {"seed": job.run.seed} | row
        for job in jobs
        for row in read_lines(job.folder / "curve.jsonl")
    ]
    return pd.DataFrame(rows)


def truncation_frame(jobs: Sequence[Job]) -> pd.DataFrame:
    """Return the truncation curves: key, seed, threshold (NaN: the whole prior), metrics."""
    rows = [
        columns_of(job.key) | {"seed": job.run.seed} | row
        for job in jobs
        if state(job) == "done"
        for row in (read_json(job.folder / "metrics.json") or {})["curves"].get("truncation", [])
    ]
    return pd.DataFrame(rows)


def undefined_metrics(jobs: Sequence[Job]) -> list[str]:
    """Return a line for every metric that had no value in a finished run, with the reason."""
    return [
        f"{label_of(job.label, readout)}: {reason}"
        for job in jobs
        if state(job) == "done"
        for name in ("metrics.json", "inception.json")
        if is_evaluated(job, name)
        for readout, reasons in (read_json(job.folder / name) or {}).get("undefined", {}).items()
        for reason in reasons.values()
    ]


def _rows(job: Job) -> dict[str, dict[str, float]]:
    """Return readout -> metrics of a finished run; nothing of any other."""
    if state(job) != "done":
        return {}
    rows: dict[str, dict[str, float]] = {}
    for name in ("metrics.json", "inception.json"):
        if is_evaluated(job, name):
            content = read_json(job.folder / name) or {}
            for readout, metrics in content["rows"].items():
                rows.setdefault(readout, {}).update(metrics)
    return rows


def _stability(job: Job, readout: str, metrics: Mapping[str, float]) -> dict[str, float]:
    """Return what an ended run says of its training: failed or not, early quality, G's gradient."""
    status = status_of(job)
    if status not in ("done", *LOST):
        return {}
    misses = metrics.get("classes_covered", np.inf) < DATASETS[job.run.dataset].classes
    rate = {"failure_rate": float(status in LOST or misses)}
    return rate if readout else rate | _early(job) | _gradient(job)


def _early(job: Job) -> dict[str, float]:
    for row in read_lines(job.folder / "light.jsonl"):
        if row["step"] == EARLY and row.get("protocol") == LIGHT_VERSION:
            return {f"light_{name}_at_{EARLY}": row[name] for name in LIGHT if name in row}
    return {}


def _gradient(job: Job) -> dict[str, float]:
    """Return the norm of the gradient that reaches a G with a loss of its own, and what is left."""
    lines = read_lines(job.folder / "curve.jsonl")
    norms = np.array([line[GRADIENT] for line in lines if GRADIENT in line], float)
    if len(norms) < 2:
        return {}
    tenth = -(-len(norms) // 10)
    first, last = np.median(norms[:tenth]), np.median(norms[-tenth:])
    kept = {"generator_gradient_kept": float(last / first)} if first > 0 else {}
    return {"generator_gradient": float(np.median(norms[len(norms) // 2 :]))} | kept


def status_of(job: Job) -> str:
    """Return how far a run is: its state, or "failed" where a failure was left behind."""
    found = state(job)
    if found not in ("done", "diverged") and (job.folder / "failure.txt").exists():
        return "failed"
    return found
