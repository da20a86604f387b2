"""The table against a committed baseline: whether a change moved what a family reaches.

The allowed range is a prediction interval from the spread over the baseline's seeds, never narrower
than a practical floor, two-sided: unexpectedly good is an alarm too.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from benchmarks.common.errors import UserError
from benchmarks.common.files import ROOT, read_json, write_json
from benchmarks.evaluation.protocol import PROTOCOLS, VERSION
from benchmarks.evaluation.registry import GATED, METRICS
from benchmarks.planning.config import Suite
from benchmarks.planning.suites import load_suite
from benchmarks.report.stats.comparison import badness
from benchmarks.report.stats.intervals import LOST, SCALES, inside

ALPHA = 0.01
"""Chance of any false alarm in one check; shared out over families and metrics."""
FIRST_BASELINE_SEED, BASELINE_SEEDS, MIN_SEEDS = 1000, 10, 5


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

    @property
    def now_is(self) -> str:
        """The verdict in a word or two."""
        if self.ok:
            return "ok"
        was, now = badness([self.was, self.now], METRICS[self.metric])
        return "REGRESSION" if now > was else "UNEXPECTED IMPROVEMENT"

    def __str__(self) -> str:
        return (
            f"{self.family} {self.metric}: was {self.was:.4g}, is {self.now:.4g}, "
            f"allowed {self.low:.4g} to {self.high:.4g}: {self.now_is}"
        )


def baseline_path(suite: Suite, results: Path) -> Path:
    """Return the file of a suite's baseline in a results folder."""
    return results / "baselines" / f"{suite.name}.json"


def settings_of(suite: Suite) -> dict[str, Any]:
    """Return what a baseline and a check must share to be comparable."""
    # They move no number; what variants change stands in their rows.
    words = {"seeds", "question", "families", "variants", "varied", "claims", "published", "short"}
    return {
        "protocol": VERSION,
        "extractor": PROTOCOLS[suite.dataset].extractor,
        "suite": suite.model_dump(mode="json", exclude=words),
    }


def refuse_weak_baseline(suite: Suite, seeds: Iterable[int]) -> None:
    """Raise UserError if a family is left out, or the seeds are too few to know the spread."""
    missing = set(load_suite(suite.name).families) - set(suite.families)
    if missing or len(set(seeds)) < MIN_SEEDS:
        raise UserError(
            f"a baseline needs every family of the suite and at least {MIN_SEEDS} seeds; "
            "leave out --families and --seeds"
        )


def write_baseline(
    suite: Suite,
    runs: pd.DataFrame,
    untrained: pd.DataFrame,
    environment: dict[str, Any],
    results: Path,
) -> Path:
    """Write the raw values of a baseline's seeds.

    A number that spreads so widely over the seeds that untrained networks would pass is not gated
    but named.

    Raises:
        UserError: a run or family is missing, there are too few seeds to know the spread, or no
            untrained rows to compare with.

    """
    refuse_weak_baseline(suite, runs["seed"])
    if not (runs["status"].isin(["done", "diverged"])).all():
        raise UserError("the baseline's runs are not all finished; run the same command again")
    values = {
        family: {m: rows[m].dropna().tolist() for m in GATED if rows[m].notna().any()}
        for family, rows in runs.groupby("id", sort=False)
    }
    diverged = {f: int((rows["status"] == "diverged").sum()) for f, rows in runs.groupby("id")}
    path = baseline_path(suite, results)
    content: dict[str, Any] = {
        "settings": settings_of(suite),
        "seeds": sorted(set(runs["seed"].tolist())),
        "environment": environment,
        "diverged": diverged,
        "values": values,
        "not_gated": [],
    }
    for family, metric in powerless(content, runs, untrained):
        del values[family][metric]
        content["not_gated"].append(f"{family} {metric}")
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
    refuse_shared_seeds(baseline, runs["seed"])
    checks = _checks(baseline, runs)
    findings = []
    for family, metric in checks:
        new = runs.loc[runs["id"] == family, metric].dropna().tolist()
        if new:
            old = baseline["values"][family][metric]
            findings.append(finding(family, metric, old, new, ALPHA / len(checks)))
    return findings


def refuse_shared_seeds(baseline: dict[str, Any], seeds: Iterable[int]) -> None:
    """Raise UserError if runs would be compared with themselves."""
    shared = set(seeds) & set(baseline["seeds"])
    if shared:
        raise UserError(f"seeds {sorted(shared)} are the baseline's own; check with others")


def losses(baseline: dict[str, Any], runs: pd.DataFrame) -> list[str]:
    """Return a line for what is missing: lost runs, lost metrics, families without a baseline."""
    lines = []
    for family, rows in runs.groupby("id", sort=False):
        if family not in baseline["values"]:
            lines.append(f"{family}: the baseline does not know it; make a new baseline")
            continue
        before = baseline["diverged"].get(family, 0) / len(baseline["seeds"])
        lost = int(rows["status"].isin(LOST).sum())
        if lost and (before == 0 or lost == len(rows)):
            lines.append(
                f"{family} lost runs: was {before:.0%}, is {lost} of {len(rows)}: REGRESSION"
            )
        for metric in baseline["values"][family]:
            if rows[metric].isna().all() and lost < len(rows):
                lines.append(f"{family} {metric}: was measured, is not: REGRESSION")
    return lines


def finding(
    family: str, metric: str, old: Sequence[float], new: Sequence[float], alpha: float
) -> Finding:
    """Compare new values with old ones by a prediction interval of the new mean."""
    floor = METRICS[metric].floor
    assert floor is not None
    scale = METRICS[metric].scale
    forward, back = SCALES[scale]
    before, after = forward(inside(old, scale)), forward(inside(new, scale))
    k, m, centre = len(before), len(after), before.mean()
    was = float(back(centre))
    low, high = _floored(was, metric, floor)
    # The spread of a few lucky seeds is not believed below half of the practical floor (its side
    # away from the end of the scale: near a rate of 1 the other side is endless).
    moved = [abs(float(forward(np.asarray(end)) - centre)) for end in (low, high)]
    spread = max(float(before.std(ddof=1)), min(moved) / 2)
    half = stats.t.ppf(1 - alpha / 2, k - 1) * spread * np.sqrt(1 / k + 1 / m)
    return Finding(
        family,
        metric,
        was,
        float(back(after.mean())),
        min(low, float(back(centre - half))),
        max(high, float(back(centre + half))),
    )


def powerless(
    baseline: dict[str, Any], runs: pd.DataFrame, untrained: pd.DataFrame
) -> list[tuple[str, str]]:
    """Return the checks, family and metric, that untrained networks would pass: it must be none.

    Asked only where training is known to help: not of 1-NN accuracy (untrained features classify
    well), nor of a latent error that the baseline leaves above that of the prior's mean.

    Raises:
        UserError: there are no untrained rows to ask about.

    """
    if untrained.empty:
        raise UserError("the control rows are missing; run the same command again")
    checks = _checks(baseline, runs)
    names = []
    for family, metric in checks:
        old = baseline["values"][family][metric]
        helps = metric != "latent_error" or float(np.mean(old)) < 1
        if metric.startswith("knn1") or not helps:
            continue
        values = untrained[metric].dropna().tolist()
        if finding(family, metric, old, values, ALPHA / len(checks)).now_is != "REGRESSION":
            names.append((family, metric))
    return names


def _checks(baseline: dict[str, Any], runs: pd.DataFrame) -> list[tuple[str, str]]:
    """Return the (family, metric) pairs that both a baseline and some runs have."""
    present = set(runs["id"])
    return [(f, m) for f, own in baseline["values"].items() if f in present for m in own]


def _floored(was: float, metric: str, floor: float) -> tuple[float, float]:
    if METRICS[metric].scale == "log":
        return was / (1 + floor), was * (1 + floor)
    low, high = inside([was - floor, was + floor], METRICS[metric].scale)
    return float(low), float(high)
