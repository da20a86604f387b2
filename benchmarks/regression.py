"""The table against a committed baseline: whether a change moved what a family reaches.

The allowed range is a prediction interval from the spread over the baseline's seeds, never narrower
than a practical floor, two-sided: unexpectedly good is an alarm too.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from benchmarks.config import Suite
from benchmarks.errors import UserError
from benchmarks.evaluation.protocol import PROTOCOLS, VERSION
from benchmarks.evaluation.registry import GATED, METRICS
from benchmarks.files import read_json, write_json
from benchmarks.identity import ROOT
from benchmarks.report.statistics import SCALES

ALPHA = 0.01
"""Chance of any false alarm in one check; shared out over families and metrics."""
FIRST_BASELINE_SEED, BASELINE_SEEDS = 1000, 10
EDGE = 1e-4
"""Rates of exactly 0 or 1 are moved inside by this much, so that they have a logit."""


@dataclass(frozen=True)
class Finding:
    """One gated number: what it was, what it is, what is allowed."""

    family: str
    metric: str
    was: float
    now: float
    low: float
    high: float

    @property
    def ok(self) -> bool:
        """Whether the number lies in the allowed range."""
        return self.low <= self.now <= self.high

    def __str__(self) -> str:
        verdict = "ok" if self.ok else self._verdict()
        return (
            f"{self.family} {self.metric}: was {self.was:.4g}, is {self.now:.4g}, "
            f"allowed {self.low:.4g} to {self.high:.4g}: {verdict}"
        )

    def _verdict(self) -> str:
        worse_is_higher = METRICS[self.metric].direction == "lower"
        worse = self.now > self.high if worse_is_higher else self.now < self.low
        return (
            "REGRESSION"
            if worse
            else "UNEXPECTED IMPROVEMENT (explain it, then make a new baseline)"
        )


def baseline_path(suite: Suite, results: Path) -> Path:
    """Return the file of a suite's baseline in a results folder."""
    return results / "baselines" / f"{suite.name}.json"


def settings_of(suite: Suite) -> dict[str, Any]:
    """Return what a baseline and a check must share to be comparable."""
    return {
        "protocol": VERSION,
        "extractor": PROTOCOLS[suite.dataset].extractor,
        "suite": suite.model_dump(mode="json", exclude={"seeds", "question", "families"}),
    }


def write_baseline(
    suite: Suite, runs: pd.DataFrame, environment: dict[str, Any], results: Path
) -> Path:
    """Write the raw values of a baseline's seeds.

    Raises:
        UserError: a run is missing.

    """
    if not (runs["status"].isin(["done", "diverged"])).all():
        raise UserError("the baseline's runs are not all finished; run the same command again")
    values = {
        family: {m: rows[m].dropna().tolist() for m in GATED if rows[m].notna().any()}
        for family, rows in runs.groupby("family", sort=False)
    }
    diverged = {f: int((rows["status"] == "diverged").sum()) for f, rows in runs.groupby("family")}
    path = baseline_path(suite, results)
    content = {
        "settings": settings_of(suite),
        "seeds": sorted(set(runs["seed"].tolist())),
        "environment": environment,
        "diverged": diverged,
        "values": values,
    }
    write_json(path, content)
    return path


def read_baseline(suite: Suite, results: Path) -> dict[str, Any]:
    """Read a suite's baseline.

    Raises:
        UserError: absent, or made with other settings, protocol or extractor.

    """
    path = baseline_path(suite, results)
    if not path.exists():  # runs elsewhere are compared with the committed baseline all the same
        path = baseline_path(suite, ROOT / "results")
    baseline = read_json(path)
    remedy = f"make one: python run_all.py --suite {suite.name} --make-baseline"
    if baseline is None:
        raise UserError(f"{path} does not exist; {remedy}")
    if baseline["settings"] != settings_of(suite):
        raise UserError(
            f"{path} was made with other settings or another protocol than this check; {remedy}"
        )
    return baseline


def compare(baseline: dict[str, Any], runs: pd.DataFrame) -> list[Finding]:
    """Compare finished runs with a baseline: one finding per family and gated metric.

    Raises:
        UserError: a run shares a seed with the baseline (it would be compared with itself).

    """
    shared = set(runs["seed"]) & set(baseline["seeds"])
    if shared:
        raise UserError(f"seeds {sorted(shared)} are the baseline's own; check with others")
    families = checked(baseline, runs)
    checks = [(f, m) for f in families for m in baseline["values"][f]]
    alpha = ALPHA / max(1, len(checks))
    findings = []
    for family, metric in checks:
        new = runs.loc[runs["family"] == family, metric].dropna().tolist()
        if new:
            findings.append(finding(family, metric, baseline["values"][family][metric], new, alpha))
    return findings


def checked(baseline: dict[str, Any], runs: pd.DataFrame) -> list[str]:
    """Return the families that both a baseline and some runs have."""
    return [f for f in baseline["values"] if f in set(runs["family"]) and baseline["values"][f]]


def lost_runs(baseline: dict[str, Any], runs: pd.DataFrame) -> list[str]:
    """Return a line for each family that diverged or failed where the baseline did not."""
    lines = []
    for family, rows in runs.groupby("family", sort=False):
        lost = rows["status"].isin(["diverged", "failed"]).sum()
        if lost and not baseline["diverged"].get(family, 0):
            lines.append(
                f"{family} status: was 0 lost, is {lost} of {len(rows)}, allowed 0: REGRESSION"
            )
    return lines


def finding(
    family: str, metric: str, old: Sequence[float], new: Sequence[float], alpha: float
) -> Finding:
    """Compare new values with old ones by a prediction interval of the new mean."""
    floor = METRICS[metric].floor
    assert floor is not None
    forward, back = SCALES[METRICS[metric].scale]
    before, after = forward(_inside(old, metric)), forward(_inside(new, metric))
    k, m, centre = len(before), len(after), before.mean()
    was = float(back(centre))
    low, high = _floored(was, metric, floor)
    # The spread of a few lucky seeds is not believed below half of the practical floor.
    floor_here = float(forward(np.asarray(high)) - centre)
    spread = max(float(before.std(ddof=1)), floor_here / 2)
    half = stats.t.ppf(1 - alpha / 2, k - 1) * spread * np.sqrt(1 / k + 1 / m)
    return Finding(
        family,
        metric,
        was,
        float(back(after.mean())),
        min(low, float(back(centre - half))),
        max(high, float(back(centre + half))),
    )


def toothless(
    baseline: dict[str, Any], untrained: pd.DataFrame, families: Sequence[str]
) -> list[str]:
    """Return those of the families for which untrained networks would pass: it must be none."""
    values = {family: baseline["values"][family] for family in families}
    alpha = ALPHA / max(1, sum(map(len, values.values())))
    names = []
    for family, metrics in values.items():
        found = [
            finding(family, metric, old, untrained[metric].dropna().tolist(), alpha)
            for metric, old in metrics.items()
            if untrained[metric].notna().any()
        ]
        if found and all(f.ok for f in found):
            names.append(family)
    return names


def _inside(values: Sequence[float], metric: str) -> np.ndarray:
    array = np.asarray(values, dtype=float)
    return np.clip(array, EDGE, 1 - EDGE) if METRICS[metric].scale == "logit" else array


def _floored(was: float, metric: str, floor: float) -> tuple[float, float]:
    if METRICS[metric].scale == "log":
        return was / (1 + floor), was * (1 + floor)
    return max(EDGE, was - floor), min(1 - EDGE, was + floor)
