"""Anomaly suites by the class left out."""

from pathlib import Path

from benchmarks.planning import plan, suites
from benchmarks.report.data.contents import gather
from benchmarks.report.text import by_class
from tests.planning.run_folders import write_run
from tests.report.report_pages import contents_of, hand_made
from tests.report.test_intervals import NO_CONTROLS


def test_each_class_has_a_column_and_each_model_a_line(tmp_path: Path) -> None:
    suite = suites.override(suites.load_suite("digits-anomaly"), families=["bigan"], seeds=3)
    jobs = plan.jobs(suite, tmp_path, range(3))
    for job in jobs:
        write_run(tmp_path, job.run, {"auroc_score": 0.5 + job.run.seed / 10})
    table = by_class.table(gather(suite, jobs, NO_CONTROLS, ""))
    assert table == [
        ("model", "metric", "0", "1", "2"),
        ("BiGAN", "AUROC score", "0.500", "0.600", "0.700"),
    ]


def test_other_suites_have_none(tmp_path: Path) -> None:
    assert by_class.table(contents_of(hand_made(tmp_path))) == []
