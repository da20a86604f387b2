"""Intervals over seeds, and the regression check."""

import json
import math
from collections.abc import Mapping

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from benchmarks.common.errors import UserError
from benchmarks.evaluation.control_rows import CONTROLS
from benchmarks.evaluation.registry import GATED, METRICS
from benchmarks.planning.keys import Key
from benchmarks.planning.suites import load_suite
from benchmarks.regression import baseline as regression
from benchmarks.regression.baseline import Finding
from benchmarks.report.data.columns import columns_of
from benchmarks.report.data.frame import LEADING
from benchmarks.report.stats.intervals import Estimate, estimate, inside


def test_t_interval_by_hand() -> None:
    found = estimate([1.0, 2.0, 3.0], "linear")
    half = 4.302653 * 1.0 / math.sqrt(3)  # t quantile for two degrees of freedom
    assert (found.mean, found.n) == (2.0, 3)
    assert found.low == pytest.approx(2 - half, rel=1e-5)
    assert found.high == pytest.approx(2 + half, rel=1e-5)


def test_log_interval_is_the_linear_one_of_logs() -> None:
    found, logs = estimate([1.0, 2.0, 8.0], "log"), estimate(np.log([1.0, 2.0, 8.0]), "linear")
    assert found.mean == pytest.approx(11 / 3)
    assert found.low == pytest.approx(math.exp(logs.low))
    assert found.high == pytest.approx(math.exp(logs.high))


def test_logit_interval_stays_inside() -> None:
    found = estimate([0.99, 0.999, 0.9], "logit")
    assert 0 < found.low < found.mean < found.high < 1


def test_one_seed_has_no_interval_and_scales_have_domains() -> None:
    assert estimate([3.0], "log") == Estimate(3.0, None, None, 1)
    assert inside([-0.1, 0.2], "log").tolist() == [1e-6, 0.2]
    assert inside([1.0, 0.5, 0.0], "logit").tolist() == [1 - 1e-4, 0.5, 1e-4]
    assert inside([-0.1], "linear").tolist() == [-0.1]
    assert estimate([1.0, 0.99, 0.98], "logit").high <= 1
    with pytest.raises(ValueError, match="at least one"):
        estimate([], "linear")


def test_t_interval_covers_as_stated() -> None:
    g = np.random.default_rng(0)
    hits = [
        (e := estimate(g.normal(5, 2, 4).tolist(), "linear")).low <= 5 <= e.high
        for _ in range(2000)
    ]
    assert np.mean(hits) == pytest.approx(0.95, abs=0.015)


def runs(
    values: Mapping[str | Key, list[float]], metric: str = "fid_hybrid", **status: str
) -> pd.DataFrame:
    rows = [
        columns_of(key)
        | {"seed": seed, "status": status.get(f"{key.id}{seed}", _status(key)), metric: v}
        for row, own in values.items()
        for key in [row if isinstance(row, Key) else Key(row, row)]
        for seed, v in enumerate(own)
    ]
    return pd.DataFrame(rows).reindex(columns=[*LEADING, *METRICS])


def _status(key: Key) -> str:
    return "control" if key.kind == "control" else "done"


def control(name: str, number: int | None = None) -> Key:
    return Key(name, "", kind="control", title=CONTROLS[name].titled(number))


UNTRAINED = runs({control("untrained"): [30.0, 31.0, 29.0]})
NO_CONTROLS = pd.DataFrame(columns=[*LEADING, *METRICS])


def baseline(values: dict[str, dict[str, list[float]]]) -> dict:
    return {"values": values, "seeds": list(range(1000, 1010)), "diverged": {}}


OLD = [2.0, 2.1, 1.9, 2.05, 1.95, 2.2, 1.8, 2.02, 1.98, 2.0]


def test_prediction_interval_by_hand() -> None:
    found = regression.finding("bigan", "fid_hybrid", OLD, [2.0, 2.0, 2.0], alpha=0.01)
    logs = np.log(OLD)
    # 2.1 standard deviations for ten old and three new values at 1 %, as tabulated
    factor = stats.t.ppf(0.995, 9) * math.sqrt(1 / 10 + 1 / 3)
    assert factor == pytest.approx(2.1, abs=0.05)
    half = max(factor * max(logs.std(ddof=1), math.log(1.1) / 2), math.log(1.1))
    assert found.was == pytest.approx(math.exp(logs.mean()))
    assert found.high == pytest.approx(math.exp(logs.mean() + half))
    assert found.low == pytest.approx(math.exp(logs.mean() - half))
    assert found.ok


def test_check_is_two_sided_and_names_everything() -> None:
    worse = regression.finding("bigan", "fid_hybrid", OLD, [4.0, 4.1, 3.9], 0.001)
    better = regression.finding("bigan", "fid_hybrid", OLD, [1.0, 1.1, 0.9], 0.001)
    assert not worse.ok
    assert not better.ok
    assert "REGRESSION" in str(worse)
    assert "UNEXPECTED IMPROVEMENT" in str(better)
    for part in ("bigan", "fid_hybrid", "was 1.997", "is 3.999", "allowed"):
        assert part in str(worse)
    lower = regression.finding("bigan", "knn1_accuracy_features", [0.95] * 10, [0.9] * 3, 0.001)
    assert "REGRESSION" in str(lower)


def test_identical_baseline_values_leave_the_practical_floor() -> None:
    same = [0.5] * 10
    assert regression.finding("b", "reconstruction_mse", same, [0.52] * 3, 0.001).ok
    assert not regression.finding("b", "reconstruction_mse", same, [0.7] * 3, 0.001).ok
    assert regression.finding("b", "knn1_accuracy_features", [1.0] * 10, [1.0] * 3, 0.001).ok


def test_false_alarms_are_as_rare_as_stated() -> None:
    g = np.random.default_rng(0)
    alarms = sum(
        not regression.finding(
            "b", "fid_hybrid", np.exp(g.normal(0, 0.3, 10)), np.exp(g.normal(0, 0.3, 3)), 0.05
        ).ok
        for _ in range(2000)
    )
    assert alarms / 2000 == pytest.approx(0.05, abs=0.015)


def test_check_refuses_its_own_seeds() -> None:
    base = baseline({"bigan": {"fid_hybrid": OLD}}) | {"seeds": [0, 1]}
    with pytest.raises(UserError, match="baseline's own"):
        regression.compare(base, runs({"bigan": [2.0, 2.0]}))


def test_lost_runs_and_metrics_are_regressions() -> None:
    base = baseline({"bigan": {"fid_hybrid": OLD}})
    assert regression.losses(base, runs({"bigan": [2.0, 2.0]})) == []
    (line,) = regression.losses(base, runs({"bigan": [2.0, 2.0]}, bigan1="diverged"))
    assert line.startswith("bigan lost runs")
    frail = base | {"diverged": {"bigan": 3}}
    assert regression.losses(frail, runs({"bigan": [2.0, 2.0]}, bigan1="failed")) == []
    assert regression.losses(frail, runs({"bigan": [2.0]}, bigan0="diverged"))
    (line,) = regression.losses(base, runs({"bigan": [math.nan, math.nan]}))
    assert line == "bigan fid_hybrid: was measured, is not: REGRESSION"
    assert "does not know it" in regression.losses(base, runs({"new": [1.0]}))[0]


def test_negative_control_finds_powerless_checks() -> None:
    untrained = UNTRAINED.copy()
    untrained["knn1_accuracy_features"] = 0.95
    untrained["latent_error"] = [1.3, 1.4, 1.2]
    old = {
        "fid_hybrid": OLD,
        "knn1_accuracy_features": [0.95] * 10,  # untrained features classify as well: not asked
        "latent_error": [1.3] * 10,  # worse than the prior's mean: not asked
    }
    found = regression.powerless
    frame = runs({"bigan": [1.0]})
    assert found(baseline({"bigan": old}), frame, untrained) == []
    blunt = old | {"fid_hybrid": [29.0 + x / 10 for x in OLD]}
    assert found(baseline({"bigan": blunt}), frame, untrained) == [("bigan", "fid_hybrid")]
    inverts = old | {"latent_error": [0.9, 0.5, 1.2, 0.7, 0.8, 1.1, 0.6, 0.9, 0.5, 0.7]}
    assert found(baseline({"bigan": inverts}), frame, untrained) == [("bigan", "latent_error")]
    with pytest.raises(UserError, match="control rows are missing"):
        found(baseline({"bigan": old}), frame, NO_CONTROLS)


@pytest.mark.parametrize("rate", [0.985, 0.99, 0.996, 0.999])
def test_floor_near_a_rate_of_one_stays_a_floor(rate: float) -> None:
    found = regression.finding("b", "knn1_accuracy_features", [rate] * 10, [rate] * 3, 0.01 / 19)
    assert rate - 0.05 < found.low < rate - 0.004


def test_what_untrained_networks_would_pass_is_named_and_not_gated(tmp_path) -> None:
    frame = runs(dict.fromkeys(load_suite("digits").families, OLD[:6]))
    frame.loc[frame["id"] == "bigan", "fid_hybrid"] = [29.0, 30.0, 31.0, 30.0, 28.0, 32.0]
    path = regression.write_baseline(load_suite("digits"), frame, UNTRAINED, {}, tmp_path)
    content = json.loads(path.read_text())
    assert content["not_gated"] == ["bigan fid_hybrid"]
    assert "fid_hybrid" not in content["values"]["bigan"]
    assert "fid_hybrid" in content["values"]["gan"]


def test_a_weak_baseline_is_refused(tmp_path) -> None:
    suite = load_suite("digits")
    frame = runs({family: [1.0] * 4 for family in suite.families})
    with pytest.raises(UserError, match="at least 5 seeds"):
        regression.write_baseline(suite, frame, UNTRAINED, {}, tmp_path)
    part = suite.model_copy(update={"families": ("bigan",)})
    with pytest.raises(UserError, match="every family"):
        regression.write_baseline(part, runs({"bigan": [1.0] * 9}), UNTRAINED, {}, tmp_path)


def test_baseline_round_trip_and_other_settings(tmp_path) -> None:
    suite = load_suite("digits")
    five = [2.0, 2.1, 1.9, 2.2, 1.8]
    frame = runs({"bigan": five})
    path = regression.write_baseline(suite, frame, UNTRAINED, {}, tmp_path)
    content = regression.read_baseline(suite, tmp_path)
    assert content["values"] == {"bigan": {"fid_hybrid": five}}
    assert path.name == "digits.json"
    other = suite.model_copy(update={"training": suite.training.model_copy(update={"steps": 5})})
    with pytest.raises(UserError, match="other settings"):
        regression.read_baseline(other, tmp_path)
    with pytest.raises(UserError, match="does not exist"):
        regression.read_baseline(suite.model_copy(update={"name": "other"}), tmp_path)
    missing = runs({"bigan": five}, bigan0="missing")
    with pytest.raises(UserError, match="not all finished"):
        regression.write_baseline(suite, missing, UNTRAINED, {}, tmp_path)


def test_every_gated_metric_has_a_floor_and_a_direction() -> None:
    assert set(GATED) == {
        "fid_hybrid", "coverage_hybrid", "hf_ratio", "knn1_accuracy_features",
        "reconstruction_mse", "latent_error",
    }  # fmt: skip
    assert all(METRICS[name].direction != "none" for name in GATED)


@pytest.mark.parametrize(
    ("now", "verdict"),
    [(1.1, "ok"), (1.6, "REGRESSION"), (0.4, "REGRESSION"), (0.9, "UNEXPECTED IMPROVEMENT")],
)
def test_a_target_is_missed_on_either_side(now: float, verdict: str) -> None:
    # sharpness, ideal 1: it was 1.2, and 1.0 to 1.4 is allowed
    assert Finding("gan", "hf_ratio", 1.2, now, 1.0, 1.4).now_is == verdict
