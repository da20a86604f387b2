"""Published numbers again, from the records, with SciPy alone: no statistics of the project's."""

import json
import tomllib
import zipfile
from collections import defaultdict
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import special, stats

ROOT = Path(__file__).parents[2]
PUBLISHED = ROOT / "results" / "published"
REPORTS = sorted(path.parent.name for path in PUBLISHED.glob("*/report.json"))
METRICS = tomllib.loads((ROOT / "benchmarks/evaluation/metrics.toml").read_text())
CLAIMS = {
    one["id"]: one
    for one in tomllib.loads((ROOT / "benchmarks/planning/register.toml").read_text())["claim"]
}
FLOORS = {"log": (1e-6, np.inf), "logit": (1e-4, 1 - 1e-4)}
Values = dict[tuple[str, str], dict[int, dict[str, float]]]


@cache
def report(name: str) -> dict[str, Any]:
    return json.loads((PUBLISHED / name / "report.json").read_text())


@cache
def values(name: str) -> Values:
    """Return (row, readout) -> seed -> metrics, as they lie in the records."""
    found: Values = defaultdict(dict)
    with zipfile.ZipFile(PUBLISHED / name / "records.zip") as records:
        names = set(records.namelist())
        for config in (one for one in names if one.endswith("/config.json")):
            metrics = config.replace("config.json", "metrics.json")
            run = json.loads(records.read(config)).get("run")
            if (
                run is None
                or metrics not in names
                or "rows" not in (content := json.loads(records.read(metrics)))
            ):
                continue
            for readout, numbers in content["rows"].items():
                found[run["row"], readout][run["seed"]] = numbers
    return found


def own(name: str, row: str, readout: str, metric: str) -> tuple[list[int], np.ndarray]:
    """Return a row's seeds and its values of a metric on the metric's own scale."""
    seeds = values(name).get((row, readout), {})
    kept = sorted(seed for seed, numbers in seeds.items() if metric in numbers)
    return kept, moved([seeds[seed][metric] for seed in kept], METRICS[metric]["scale"])


def moved(raw: list[float], scale: str) -> np.ndarray:
    clipped = np.clip(np.array(raw, float), *FLOORS.get(scale, (-np.inf, np.inf)))
    return {"log": np.log, "logit": special.logit}.get(scale, np.asarray)(clipped)


def back(x: float, scale: str) -> float:
    return float({"log": np.exp, "logit": special.expit}.get(scale, float)(x))


def models(name: str) -> list[dict[str, Any]]:
    return [row for row in report(name)["rows"] if row["kind"] != "control" and not row["variant"]]


@pytest.mark.parametrize("name", REPORTS)
def test_means_and_intervals(name: str) -> None:
    checked = 0
    for row in models(name):
        for metric, cell in row["cells"].items():
            seeds, x = own(name, row["row"], row["readout"], metric)
            scale = METRICS[metric]["scale"]
            if not seeds or scale == "binomial":
                continue
            raw = [values(name)[row["row"], row["readout"]][seed][metric] for seed in seeds]
            assert (cell["n"], cell["mean"]) == (len(x), pytest.approx(np.mean(raw), rel=1e-9))
            if len(x) > 1:
                low, high = stats.t.interval(0.95, len(x) - 1, x.mean(), max(stats.sem(x), 1e-300))
                assert cell["low"] == pytest.approx(back(low, scale), rel=1e-6, abs=1e-9)
                assert cell["high"] == pytest.approx(back(high, scale), rel=1e-6, abs=1e-9)
            checked += 1
    assert checked > 3 or not models(name)


def badness(name: str, row: dict[str, Any], metric: str) -> np.ndarray:
    about, (_, x) = METRICS[metric], own(name, row["row"], row["readout"], metric)
    if about["direction"] == "target":
        return np.abs(x - moved([about["target"]], about["scale"])[0])
    return -x if about["direction"] == "higher" else x


@pytest.mark.parametrize("name", [one for one in REPORTS if "anomaly" not in one])
def test_what_is_bold(name: str) -> None:
    """Better than every other model by Welch's interval, at 95 % for all of them together."""
    ranked = [row for row in models(name) if row["kind"] == "model"]
    if any(row["seeds_done"] < row["seeds_planned"] for row in ranked):
        assert not any(cell["best"] for row in ranked for cell in row["cells"].values())
        return
    settings = len({row["variant"] for row in report(name)["rows"] if row["kind"] == "model"})
    for metric in report(name)["headline"]:
        about = METRICS[metric]
        rows = [row for row in ranked if metric in row["cells"]]
        bad = {row["id"]: badness(name, row, metric) for row in rows}
        bad = {key: x for key, x in bad.items() if len(x) > 1}
        if about["direction"] == "none" or len(bad) < 2 or about["scale"] == "binomial":
            continue
        best = min(bad, key=lambda key: bad[key].mean())
        level = 1 - 0.05 / settings / (len(bad) - 1)
        highs = [
            stats.ttest_ind(bad[best], x, equal_var=False).confidence_interval(level).high
            for key, x in bad.items()
            if key != best
        ]
        bold = {row["id"] for row in rows if row["cells"][metric]["best"]}
        assert bold == ({best} if max(highs) < 0 else set()), metric


def fresh(claim: dict[str, Any], name: str) -> int:
    """Return the first seed that a verdict uses: later ones if five are left."""
    planned = max(row["seeds_planned"] for row in models(name))
    seen = claim["seen"].get(name, 0)
    return seen if planned - seen >= 5 else 0


JUDGED = [(name, said) for name in REPORTS for said in report(name).get("verdicts", ())]


@pytest.mark.parametrize(("name", "said"), JUDGED, ids=[f"{n}-{s['claim']}" for n, s in JUDGED])
def test_verdicts(name: str, said: dict[str, Any]) -> None:
    claim = CLAIMS[said["claim"]]
    scale = METRICS.get(claim["metric"], {"scale": "binomial"})["scale"]
    first = fresh(claim, name)
    assert said["exploratory"] == ((first == 0 and claim["seen"].get(name, 0) > 0) or _few(name))
    sides = [(claim["row"], claim.get("readout", ""))]
    if "against" in claim:
        sides.append((claim["against"], claim.get("against_readout", "")))
    drawn = [own(name, *side, claim["metric"]) for side in sides]
    drawn = [([s for s in seeds if s >= first], x[np.array(seeds) >= first]) for seeds, x in drawn
             if seeds]  # fmt: skip
    if said["found"] is None or len(drawn) < len(sides) or scale == "binomial":
        assert said["verdict"] == "open" or len(drawn) < len(sides) or scale == "binomial"
        return
    result = _test(claim, name, drawn)
    low, high = (back(x, "log" if len(sides) == 2 and scale != "linear" else scale)
                 for x in result.confidence_interval(0.95))  # fmt: skip
    assert (said["found"]["low"], said["found"]["high"]) == pytest.approx((low, high), rel=1e-6)
    edges = _edges(claim, scale)
    below, above = high < edges[0], low > edges[-1]
    inside = edges[0] < low and high < edges[-1]
    lies = inside if claim["kind"] == "equal" else above if claim["expected"] == "higher" else below
    contrary = (below or above) and not lies
    if claim["kind"] == "no_better":
        lies, contrary = contrary, lies
    word = "for" if lies else "against" if contrary else "open"
    assert said["verdict"] in (word, "open")
    assert (said["verdict"] == word) or "floor" in said["numbers"]


def _few(name: str) -> bool:
    return max(row["seeds_planned"] for row in models(name)) < 5


def _test(claim: dict[str, Any], name: str, drawn: list[tuple[list[int], np.ndarray]]) -> Any:
    if len(drawn) == 1:
        return stats.ttest_1samp(drawn[0][1], 0)
    families = {row["row"]: row["family"] for row in report(name)["rows"]}
    alike = len({families[claim["row"]], families[claim["against"]]}) == 1
    if alike and all(one == other for one, other in pairwise(seeds for seeds, _ in drawn)):
        return stats.ttest_rel(drawn[0][1], drawn[1][1])
    return stats.ttest_ind(drawn[0][1], drawn[1][1], equal_var=False)


def _edges(claim: dict[str, Any], scale: str) -> tuple[float, ...]:
    if "bound" in claim:
        return (claim["bound"],)
    margin = claim["margin"]
    down, up = (-margin, margin) if scale == "linear" else (1 / margin, margin)
    return (
        (down, up) if claim["kind"] == "equal" else (up if claim["expected"] == "higher" else down,)
    )
