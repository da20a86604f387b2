"""Reports on folders of runs from anywhere: what is taken, kept apart, left out or refused."""

import json
from pathlib import Path

import pytest

from benchmarks.common.errors import UserError
from benchmarks.planning import plan, suites
from benchmarks.planning.identity import untrained_identity
from benchmarks.report.data.contents import conditions, heading
from benchmarks.report.data.frame import results_frame
from benchmarks.report.data.merge import Group, merge
from tests.planning.run_folders import run_of, write_controls, write_run

FID = {"fid_hybrid": 1.0}


def merged(*folders: Path, suite: plan.Suite | None = None) -> tuple[list[Group], str]:
    said: list[str] = []
    return merge(folders, suite, said.append), "\n".join(said)


def test_folders_of_any_kind_make_one_report(tmp_path: Path) -> None:
    """A results folder of one machine, and a run folder and a family's folder of others."""
    write_run(tmp_path / "a", run_of("bigan"), {"fid_hybrid": 1.0})
    one = write_run(tmp_path / "b", run_of("bigan", 1), {"fid_hybrid": 3.0})
    family = write_run(tmp_path / "c", run_of("aegan"), {"fid_hybrid": 5.0})
    (group,), said = merged(tmp_path / "a", one.folder, family.folder.parent)
    frame = results_frame(group.jobs)
    assert frame[["row", "seed", "status", "fid_hybrid"]].to_numpy().tolist() == [
        ["bigan", 0, "done", 1.0],
        ["bigan", 1, "done", 3.0],
        ["aegan", 0, "done", 5.0],
    ]
    assert (group.suite.name, group.suite.families) == ("merged", ("bigan", "aegan"))
    assert said == ""
    assert group.controls.empty


def test_runs_of_another_budget_or_dataset_make_a_report_of_their_own(tmp_path: Path) -> None:
    write_run(tmp_path, run_of("bigan"), FID)
    write_run(tmp_path, run_of("bigan", training={"steps": 60}), FID)
    write_run(tmp_path, run_of("bigan", dataset="mnist"), FID)
    groups, said = merged(tmp_path)
    assert "make 3 reports" in said
    assert {g.suite.name: len(g.jobs) for g in groups} == {
        "merged-digits-3000": 1,
        "merged-digits-60": 1,
        "merged-mnist-3000": 1,
    }


def test_a_report_of_runs_without_a_class_is_called_so(tmp_path: Path) -> None:
    write_run(tmp_path, run_of("bigan"), FID)
    write_run(tmp_path, run_of("bigan", left_out=0), FID)
    groups, _ = merged(tmp_path)
    assert {g.suite.name for g in groups} == {"merged-every_class", "merged-class_left_out"}


def test_a_suite_takes_what_it_asks_for_and_says_what_it_leaves(tmp_path: Path) -> None:
    write_run(tmp_path, run_of("bigan"), FID)
    write_run(tmp_path, run_of("bigan", dataset="mnist"), FID)
    suite = suites.load_suite("digits")
    (group,), said = merged(tmp_path, suite=suite)
    assert (group.suite, [job.run.dataset for job in group.jobs]) == (suite, ["digits"])
    assert "1 runs left out that digits does not ask for" in said
    assert "dataset is mnist, not digits)" in said
    with pytest.raises(UserError, match=r"networks\.width is 64, not 512"):
        merged(tmp_path, suite=suites.load_suite("mnist"))


def test_a_suite_brings_rows_of_its_own_budgets_together(tmp_path: Path) -> None:
    """Rows with settings and presets of their own are one suite's, though of several budgets."""
    suite = suites.load_suite("aegan-stability")
    for job in plan.jobs(suite, tmp_path, [0]):
        write_run(tmp_path, job.run, FID)
    (group,), said = merged(tmp_path, suite=suite)
    assert ({job.run.row for job in group.jobs}, said) == (set(suite.families), "")
    line = heading(suite, group.jobs)
    assert "matched settings and authors' settings" in line
    assert "11,725 updates of 128, fp32 or 11,725 updates of 32, fp32 or 2,931 updates" in line
    assert ", eager engine; protocol" in line
    assert len(merged(tmp_path)[0]) > 1


def test_the_engine_is_said() -> None:
    suite = suites.load_suite("digits-all")
    jobs = plan.jobs(suite, Path(), [0])
    assert conditions(jobs).endswith(", fp32, stacked engine, 5 seeds at once")


def test_rows_of_other_settings_are_no_seeds_of_one_row(tmp_path: Path) -> None:
    write_run(tmp_path, run_of("bigan"), FID)
    write_run(tmp_path, run_of("bigan", 1, networks={"width": 32}), FID)
    write_run(tmp_path, run_of("bigan", 2, options={"lr": 0.1}), FID)
    write_run(tmp_path, run_of("gan"), FID)
    (group,), _ = merged(tmp_path)
    assert sorted((job.run.row, job.variant, job.key.label) for job in group.jobs) == [
        ("bigan", "lr 0.1, width 64", "BiGAN (lr 0.1, width 64)"),
        ("bigan", "lr default, width 32", "BiGAN (lr default, width 32)"),
        ("bigan", "lr default, width 64", "BiGAN (lr default, width 64)"),
        ("gan", "", "GAN"),
    ]
    assert group.suite.families == ("bigan", "gan")
    frame = results_frame(group.jobs)
    assert set(frame["row"]) == {"bigan", "gan"}
    assert len(set(frame["label"])) == 4


def test_a_suite_says_which_rows_are_varied(tmp_path: Path) -> None:
    """Its names are no variants to a report that knows no suite."""
    suite = suites.load_suite("sensitivity")
    asked = [job for job in plan.jobs(suite, tmp_path, [0]) if job.key.row == "bigan"]
    for job in asked:
        write_run(tmp_path, job.run, FID)
    (group,), _ = merged(tmp_path, suite=suite)
    assert [job.key for job in group.jobs] == [job.key for job in asked]
    assert {job.key.variant for job in group.jobs} == {"", *suite.variants}
    assert [job.key.id for job in group.jobs] == [job.run.row for job in asked]
    assert "BiGAN (large z)" in [job.key.label for job in group.jobs]
    (alone,), _ = merged(tmp_path)
    assert {(job.key.row, job.key.variant) for job in alone.jobs} == {
        (job.run.row, "") for job in asked
    }


def test_switches_are_named_without_their_value(tmp_path: Path) -> None:
    write_run(tmp_path, run_of("bigan", training={"stacked": 3}), FID)
    write_run(tmp_path, run_of("bigan", training={"stacked": 0}), FID)
    (group,), _ = merged(tmp_path)
    names = sorted(job.key.label for job in group.jobs)
    assert names == ["BiGAN (stacked 0)", "BiGAN (stacked 3)"]


def test_a_copy_counts_once_and_other_code_never(tmp_path: Path) -> None:
    run = run_of("bigan")
    now = write_run(tmp_path / "a", run, FID)
    write_run(tmp_path / "b", run, FID)
    (group,), said = merged(tmp_path / "a", tmp_path / "b", tmp_path / "a")
    assert [job.folder for job in group.jobs] == [now.folder]
    assert "the same run as" in said
    write_run(tmp_path / "old", run, {"fid_hybrid": 9.0}, identity="0" * 64)
    (group,), said = merged(tmp_path / "old", tmp_path / "a")
    assert [job.folder for job in group.jobs] == [now.folder]
    assert "of other numerics versions" in said
    write_run(tmp_path / "older", run, {"fid_hybrid": 9.0}, identity="1" * 64)
    with pytest.raises(UserError, match="two versions of the code"):
        merged(tmp_path / "old", tmp_path / "older")


def test_results_of_another_protocol_are_not_shown_as_numbers(tmp_path: Path) -> None:
    job = write_run(tmp_path, run_of("bigan"), FID)
    path = job.folder / "metrics.json"
    content = json.loads(path.read_text())
    content["identity"]["protocol"] = "0"
    path.write_text(json.dumps(content))
    (job.folder / "weights.safetensors").touch()
    (group,), _ = merged(tmp_path)
    (row,) = results_frame(group.jobs).to_dict("records")
    assert row["status"] == "to evaluate"
    assert row["fid_hybrid"] != row["fid_hybrid"]


def test_controls_of_the_present_code_come_along(tmp_path: Path) -> None:
    write_run(tmp_path, run_of("bigan"), FID)
    write_controls(tmp_path, "0" * 64, {"real_test": [{"fid_hybrid": 0.1}]})
    assert merged(tmp_path)[0][0].controls["fid_hybrid"].tolist() == [0.1]  # the only ones
    digits = tmp_path / "runs" / "digits"
    family, controls = digits / "bigan", digits / f"controls-{'0' * 10}"
    assert merged(family, controls)[0][0].controls["fid_hybrid"].tolist() == [0.1]
    with pytest.raises(UserError, match="hold control rows, but no run"):
        merged(controls)
    write_controls(tmp_path, "1" * 64, {"real_test": [{"fid_hybrid": 0.2}]})
    (group,), said = merged(tmp_path)
    assert group.controls.empty
    assert "2 sets of control rows" in said
    now = untrained_identity(plan.controls_job(suites.load_suite("digits"), tmp_path).run)
    write_controls(tmp_path, now, {"real_test": [{"fid_hybrid": 0.3}]})
    assert merged(tmp_path)[0][0].controls["fid_hybrid"].tolist() == [0.3]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "neither a run folder nor one that holds any"),
        ("{}", "is damaged, or of another version"),
        ('{"run": {"family": "bigan"}, "identity": "0"}', "is damaged, or of another version"),
    ],
)
def test_what_is_no_run_is_refused(tmp_path: Path, content: str | None, message: str) -> None:
    if content is not None:
        (tmp_path / "config.json").write_text(content)
    with pytest.raises(UserError, match=message):
        merged(tmp_path)
    with pytest.raises(UserError, match="there is no such folder"):
        merged(tmp_path / "nowhere")
