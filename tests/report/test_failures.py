"""What a report says of runs that have no numbers."""

import json
from pathlib import Path

import pytest

from benchmarks.planning.plan import Job
from benchmarks.report.data.failures import endings
from benchmarks.report.text import findings
from tests.planning.run_folders import run_of, write_run
from tests.report.report_pages import contents_of, hand_made, written


def interrupted(job: Job) -> None:
    (job.folder / "training.json").unlink()
    (job.folder / "checkpoint.pt").touch()


def unevaluated(job: Job) -> None:
    (job.folder / "metrics.json").unlink()
    (job.folder / "weights.safetensors").touch()


def failed(job: Job) -> None:
    unevaluated(job)
    (job.folder / "failure.txt").write_text("Traceback:\n  line 3\nValueError: 7 is odd\n")


def diverged(job: Job) -> None:
    content = {"status": "diverged", "steps": 1234}
    (job.folder / "training.json").write_text(json.dumps(content))


def absent(job: Job) -> None:
    for path in job.folder.iterdir():
        path.unlink()


@pytest.mark.parametrize(
    ("ending", "word", "line"),
    [
        (interrupted, "interrupted",
         "interrupted after 150 of 3,000 updates; run the same command to resume"),
        (unevaluated, "not evaluated", "not evaluated; run the same command to evaluate it"),
        (failed, "failed", "failed: ValueError: 7 is odd"),
        (diverged, "diverged", "diverged after 1,234 of 3,000 updates"),
        (absent, "not started", "not started"),
    ],
)  # fmt: skip
def test_a_run_without_numbers_says_why(tmp_path: Path, ending, word: str, line: str) -> None:
    jobs = hand_made(tmp_path)
    ending(jobs[4])  # bigan, seed 1
    assert endings(jobs) == [f"BiGAN, seed 1: {line}"]
    page, text = written(tmp_path, contents_of(jobs))
    assert page.rows["BiGAN"][1][1] == f"2/3, 1 {word}"
    assert f"some runs did not finish (BiGAN 2/3, 1 {word})." in text
    assert f"<li>BiGAN, seed 1: {line}</li>" in text
    assert f"- BiGAN, seed 1: {line}\n" in (tmp_path / "reports/digits/table.md").read_text()


def test_a_run_of_other_code_is_said(tmp_path: Path) -> None:
    done = write_run(tmp_path, run_of("bigan"), {"fid_hybrid": 1.0}, identity="1" * 64)
    config = json.loads((done.folder / "config.json").read_text())
    config["versions"]["family.bigan"] = 0
    (done.folder / "config.json").write_text(json.dumps(config))
    job = Job(run_of("bigan"), "0" * 64, tmp_path / "runs" / "digits" / "bigan" / "seed0-0")
    why = "numerics version of family.bigan is 1, not 0 as in the nearest run there"
    assert endings([job]) == [
        f"BiGAN, seed 0: outdated ({why}); run the same command to train it again"
    ]


def test_nothing_is_said_where_all_is_well(tmp_path: Path) -> None:
    jobs = hand_made(tmp_path)
    assert endings(jobs) == []
    _, text = written(tmp_path, contents_of(jobs))
    assert "Runs without numbers" not in text


def test_seeds_of_one_ending_share_a_line(tmp_path: Path) -> None:
    jobs = hand_made(tmp_path)
    for job in jobs[3:6]:
        unevaluated(job)
    assert endings(jobs) == [
        "BiGAN, seeds 0, 1, 2: not evaluated; run the same command to evaluate it"
    ]
    said = findings.findings(contents_of(jobs))
    assert said[0] == "Ranking disabled: some runs did not finish (BiGAN 0/3, 3 not evaluated)."
    assert said[1].startswith("Best on average among finished runs: AEGAN in FID")
