"""The report's first sentences."""

from pathlib import Path
from shutil import rmtree

import pytest

from benchmarks.evaluation.control_rows import CONTROLS
from benchmarks.report.data import frame
from benchmarks.report.data.contents import gather
from benchmarks.report.formats import page_table
from benchmarks.report.text import findings
from tests.planning.run_folders import run_of, write_run
from tests.report.report_pages import contents_of, hand_made, suite_of
from tests.report.test_intervals import control
from tests.report.test_intervals import runs as runs_of


def test_sentences_name_who_is_ahead_and_how_sure(tmp_path: Path) -> None:
    contents = contents_of(hand_made(tmp_path))
    first, second = findings.findings(contents)
    assert first.startswith("AEGAN is clearly best in FID (digit features) (1.10 [")
    assert second.startswith("Best on average, difference not significant: ")
    assert second.endswith(" in recon. MSE.")
    assert "n = 3 training seeds" in findings.certainty(contents)
    assert "no permutation p is below 0.1" in findings.certainty(contents)


@pytest.mark.parametrize("lost", ["missing", "failed"])
def test_a_single_finished_model_is_not_called_best(lost: str, tmp_path: Path) -> None:
    jobs = hand_made(tmp_path)
    for job in jobs:
        if job.run.row != "aegan":
            rmtree(job.folder)
            if lost == "failed":
                job.folder.mkdir()
                (job.folder / "failure.txt").write_text("out of memory")
    said = " ".join(findings.findings(contents_of(jobs)))
    assert said.startswith("Ranking disabled: some runs did not finish (")
    assert "est on average" not in said
    assert "clearly best" not in said


def test_nobody_is_compared_in_what_only_controls_have(tmp_path: Path) -> None:
    jobs = hand_made(tmp_path)
    rows = runs_of({control("raw_pixels"): [0.5]})
    rows = rows.assign(reconstruction_mse=0.02, knn1_accuracy_features=0.9)
    contents = gather(suite_of(), jobs, rows, "python run_all.py")
    said = " ".join(findings.findings(contents))
    assert "1-NN" not in said
    assert "knn1_accuracy_features" not in {m.name for m in page_table.leading(contents.summary)}
    best = "matches or beats every model in FID (digit features) and recon. MSE."
    assert best in said
    assert "Worse than" not in said  # raw pixels know the data


def test_who_is_worse_than_nothing_is_named(tmp_path: Path) -> None:
    jobs = hand_made(tmp_path)
    runs = frame.results_frame(jobs)
    fids = runs.groupby("label")["fid_hybrid"].mean()
    between = fids.sort_values().iloc[:2].mean()  # the best of three is ahead of it
    untrained = runs_of({control("untrained"): [between]})
    contents = gather(suite_of(), jobs, untrained, "python run_all.py")
    (said,) = [line for line in findings.findings(contents) if line.startswith("Worse than")]
    assert all(f"{row} in FID (digit features)" in said for row in fids.sort_values().index[1:])
    assert fids.idxmin() not in said


def test_what_rows_rest_on_is_said(tmp_path: Path) -> None:
    alike = write_run(tmp_path, run_of("vae"), {"fid_hybrid": 1.0})
    assert contents_of([alike]).notes == ["VAE: a Gaussian likelihood of variance 0.05 per pixel."]
    wide = {"family": "vae", "options": {"variance": 0.2}, "networks": {"width": 128}}
    own, controls = contents_of([alike, write_run(tmp_path, run_of("mine", **wide), {})]).notes[1:]
    assert own == "mine: a Gaussian likelihood of variance 0.2 per pixel."
    assert "untrained and PCA are those of mlp width 64, z 16 (normal)" in controls


@pytest.mark.parametrize("name", CONTROLS)
def test_a_control_is_a_rival_unless_it_is_real_and_a_disgrace_if_it_is_ignorant(
    name: str, tmp_path: Path
) -> None:
    jobs = hand_made(tmp_path)  # mean FIDs of 1.1, 5 and 12.5
    for fid, is_said, sentence in (
        (0.1, not CONTROLS[name].real, "A trivial baseline (raw pixels, PCA, mean image) matches"),
        (9.0, CONTROLS[name].ignorant, "Worse than a trivial baseline (untrained networks"),
    ):
        contents = gather(suite_of(), jobs, runs_of({control(name): [fid]}), "")
        assert any(line.startswith(sentence) for line in findings.findings(contents)) == is_said
