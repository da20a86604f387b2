"""Points of a known mixture: modes by hand, what is measured of a game, the suite's plan."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from benchmarks import cli
from benchmarks.common.context import Context
from benchmarks.common.errors import UserError
from benchmarks.evaluation import points
from benchmarks.evaluation.evaluators import ImageEvaluator, PointEvaluator, evaluator_of
from benchmarks.evaluation.metrics import modes
from benchmarks.evaluation.metrics.undefined import Undefined
from benchmarks.evaluation.points import PointReference
from benchmarks.evaluation.registry import LIGHT, METRICS
from benchmarks.evaluation.scoring import scoring_copy
from benchmarks.planning import plan, suites
from benchmarks.report.figures import pictures
from benchmarks.training.loop import build
from datasets.gaussians import STD, centres, coordinates
from datasets.loading import load
from zoo.game import Game

SAMPLES = {"modes_covered", "on_modes", "mode_kl"}
RECONSTRUCTIONS = {"mode_kept", "reconstruction_distance", "reconstruction_ratio"}
ROWS = ("gan", "ali", "bigan", "bigan_qp", "aegan")


@pytest.fixture(scope="module")
def reference() -> PointReference:
    return PointReference(load("gaussians"))


def jobs_of(family: str, *settings: str) -> list[plan.Job]:
    suite = suites.shortened(suites.load_suite("gaussians"))
    return plan.jobs(suites.override(suite, settings, [family]), Path(), [0])


def tiny_copy(family: str, reference: PointReference) -> Game:
    (job,) = jobs_of(family, f"rows.{family}.networks.width=8")
    return scoring_copy(build(job.run), reference.images.train, reference.protocol)


def as_points(*xy: tuple[float, float]) -> Tensor:
    return torch.tensor(xy).double()


# Two modes of 25 have a sample, 3 to 1; three of the four samples lie within 0.15 of theirs.
FOUR = as_points((0.0, 0.1), (0.05, 0.0), (0.9, 0.9), (-4.1, -4.1))


def test_modes_counted_by_hand() -> None:
    assert modes.nearest_modes(FOUR, centres())[1].tolist() == [12, 12, 12, 0]
    assert modes.modes_covered(FOUR, centres()) == 2
    assert modes.on_modes(FOUR, centres(), STD) == 0.75
    kl = 0.75 * math.log(0.75 * 25) + 0.25 * math.log(0.25 * 25)
    assert modes.mode_kl(FOUR, centres()) == pytest.approx(kl)
    assert modes.modes_covered(centres(), centres()) == 25
    assert modes.mode_kl(centres(), centres()) == pytest.approx(0)
    assert modes.mode_kl(FOUR[:1], centres()) == pytest.approx(math.log(25))


def test_reconstructions_by_hand() -> None:
    r = as_points((0.0, 0.1), (3.05, 4.0), (0.9, -0.1), (-4.1, -3.1))
    assert modes.mode_kept(FOUR, r, centres()) == 0.75
    assert modes.reconstruction_distance(FOUR, r) == pytest.approx((0 + 5 + 1 + 1) / 4)


@pytest.mark.parametrize("metric", [modes.modes_covered, modes.mode_kl])
def test_samples_that_are_not_finite_have_no_modes(metric) -> None:
    with pytest.raises(Undefined, match="non-finite points"):
        metric(as_points((0.0, math.nan)), centres())


def test_images_and_points_have_their_own_evaluation() -> None:
    assert isinstance(evaluator_of(load("gaussians")), PointEvaluator)
    assert isinstance(evaluator_of(load("digits")), ImageEvaluator)


@pytest.mark.parametrize("family", ROWS)
def test_what_is_measured_of_a_game(family: str, reference: PointReference) -> None:
    copy = tiny_copy(family, reference)
    (row,) = points.evaluate(copy, reference).values()
    light = points.evaluate_light(copy, reference)
    encodes = family != "gan"
    assert set(row.metrics) == SAMPLES | (RECONSTRUCTIONS | {"latent_error"} if encodes else set())
    assert set(light) == set(LIGHT) & set(row.metrics)
    assert not row.undefined
    assert row.metrics["modes_covered"] >= light["modes_covered"]
    again = points.evaluate(copy, reference)[""].metrics
    assert again == row.metrics
    some = points.evaluate(copy, reference, ["mode_kl"])[""].metrics
    assert some == {"mode_kl": row.metrics["mode_kl"]}


def test_all_metrics_of_modes_are_measured() -> None:
    named = {name for name, metric in METRICS.items() if metric.question == "modes"}
    assert named == SAMPLES | RECONSTRUCTIONS - {"reconstruction_ratio"}


def test_control_rows_have_the_values_they_are_there_for(reference: PointReference) -> None:
    untrained = [build(jobs_of("bigan")[0].run)]
    rows, titles = points.evaluate_controls(reference, untrained)
    assert titles["real_test"] == "real, 10,000 of test"
    found = {name: one[0].metrics for name, one in rows.items()}
    real = found["real_test"]
    assert real["modes_covered"] == 25
    assert real["on_modes"] == pytest.approx(1 - math.exp(-4.5), abs=0.005)
    assert real["mode_kl"] < 0.01
    # 25 discs of radius 0.15 in a square of side 10
    assert found["noise"]["on_modes"] == pytest.approx(25 * math.pi * 0.15**2 / 100, abs=0.005)
    assert found["noise"]["modes_covered"] == 25
    mean = found["mean_point"]
    assert (mean["modes_covered"], mean["mode_kept"]) == (1, pytest.approx(1 / 25, abs=0.01))
    assert mean["mode_kl"] == pytest.approx(math.log(25))
    assert mean["reconstruction_ratio"] == pytest.approx(1, abs=0.01)
    assert found["random_pair"]["reconstruction_ratio"] == pytest.approx(1, abs=0.02)
    # The mean of a Rayleigh distribution: only the place round the mode is lost.
    at_modes = found["nearest_mode"]
    expected = STD * math.sqrt(math.pi / 2)
    assert at_modes["reconstruction_distance"] == pytest.approx(expected, rel=0.02)
    assert at_modes["mode_kept"] == 1
    # All samples of an untrained G lie round the origin, where a mode happens to be.
    assert found["untrained"]["modes_covered"] <= 2
    assert found["untrained"]["mode_kl"] > 3


def test_points_are_written_and_drawn(tmp_path: Path, reference: PointReference) -> None:
    jobs = []
    for family in ("gan", "bigan"):
        folder = tmp_path / family
        folder.mkdir()
        points.draw(tiny_copy(family, reference), reference, folder)
        jobs.append(plan.Job(jobs_of(family)[0].run, "", folder))
    assert set(np.load(jobs[0].folder / "points.npz")) == {"real", "samples"}
    found = np.load(jobs[1].folder / "points.npz")
    assert set(found) == {"real", "samples", "reconstructions"}
    expected = coordinates(reference.test_x[: points.DRAWN]).float().numpy()
    assert np.array_equal(found["real"], expected)
    assert pictures.points(jobs, tmp_path / "drawn")
    assert (tmp_path / "drawn.png").stat().st_size > 10_000
    assert not pictures.points([plan.Job(jobs[0].run, "", tmp_path)], tmp_path / "none")


def test_the_plan() -> None:
    suite = suites.load_suite("gaussians")
    runs = {job.run.row: job.run for job in plan.jobs(suite, Path(), [0])}
    assert tuple(runs) == ROWS
    assert len({run.networks.model_dump_json() for run in runs.values()}) == 1
    assert {run.training.steps * 100 for run in runs.values()} == {200 * 100_000}
    assert {row: run.tier for row, run in runs.items()} == dict.fromkeys(ROWS, "controlled") | {
        "ali": "faithful"
    }
    # GAN's 2e-4 halved and ALI's own: the same step.
    assert [runs[row].training.lr_factor for row in ROWS] == [0.5, None, None, None, None]
    figures = {(one.row, one.metric): one.value for one in suite.published}
    assert figures == {("ali", "modes_covered"): 13.4, ("gan", "modes_covered"): 10.4}
    assert all("not seeds" in one.source for one in suite.published)


def test_the_short_form_keeps_rows_and_rates() -> None:
    short = suites.shortened(suites.load_suite("gaussians"))
    runs = {job.run.row: job.run for job in plan.jobs(short, Path(), [0])}
    assert tuple(runs) == ROWS
    assert {run.networks.width for run in runs.values()} == {64}
    assert {run.training.steps for run in runs.values()} == {2000}
    assert [runs[row].training.lr_factor for row in ROWS] == [0.5, None, None, None, None]


def test_a_presets_value_that_a_row_sets_too_may_be_set() -> None:
    suite = suites.load_suite("gaussians")
    with pytest.raises(UserError, match=r"preset's; set rows\.ali\.networks\.width"):
        suites.override(suite, ["networks.width=64"])
    both = suites.override(suite, ["networks.width=64", "rows.ali.networks.width=32"])
    widths = [job.run.networks.width for job in plan.jobs(both, Path(), [0])]
    assert widths == [64, 32, 64, 64, 64]


def test_inception_is_refused(tmp_path: Path) -> None:
    context = Context("gaussians", offline=True, inception="auto", device="cpu", results=tmp_path)
    planned = cli.plan(context)
    with pytest.raises(UserError, match="--inception sees images, and gaussians are points"):
        cli.train_and_evaluate(planned, context)


@pytest.mark.long
def test_a_suite_of_points_from_training_to_report(tmp_path: Path) -> None:
    settings = ["rows.ali.networks.width=8", "training.steps=60", "training.stacked=false"]
    context = Context(
        *("gaussians", ("ali",), (), 1, tuple(settings)),
        **{"offline": True, "device": "cpu", "results": tmp_path, "quiet": True},
    )
    planned = cli.plan(context)
    cli.train_and_evaluate(planned, context)
    assert {plan.state(job) for job in planned.jobs} == {"done"}
    assert cli.report(planned, context)
    folder = tmp_path / "reports" / "gaussians"
    assert (folder / "points.png").exists()
    page = (folder / "table.md").read_text()
    assert "| ALI | modes | " in page
    assert "extractor coordinates" in page
    light = (planned.jobs[0].folder / "light.jsonl").read_text().splitlines()
    assert "modes_covered" in json.loads(light[0])
