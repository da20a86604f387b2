"""The page: its table, its sentences and its pictures, from run folders made by hand."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from benchmarks.planning.plan import Job
from benchmarks.report.build import slug, write_report
from benchmarks.report.formats import page
from benchmarks.report.formats.page import marked
from tests.planning.run_folders import run_of, write_run
from tests.report.report_pages import CLAIM, SAID, Page, contents_of, hand_made, written


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a report on all that a report can show."""
    folder = tmp_path_factory.mktemp("whole")
    jobs = hand_made(folder, draw=True)
    return write_report(contents_of(jobs, claims=(CLAIM,), published=(SAID,)), folder)


def test_the_page_holds_the_hand_made_numbers(whole: Path) -> None:
    text = (whole / "index.html").read_text()
    page = Page(text)
    heads = [text for _, text in page.rows["model"]]
    assert heads == [
        "model",
        "seeds",
        "FID (digit features) ↓",
        "recon. MSE ↓",
        "train s",
        "parameters",
    ]
    value, shown = page.rows["AEGAN"][2]
    assert float(value) == pytest.approx(1.1)
    mean_of_logs, half = (
        np.log([1.0, 1.1, 1.2]).mean(),
        4.302653 * np.log([1.0, 1.1, 1.2]).std(ddof=1) / np.sqrt(3),
    )
    low, high = np.exp(mean_of_logs - half), np.exp(mean_of_logs + half)
    assert shown == f"1.10 [{low:.2f}, {high:.2f}]"
    assert page.rows["BiGAN"][3][1].startswith("0.0300 [")
    assert page.rows["BiGAN-QP"][5][1].startswith("28,978")
    assert [row[1][1] for row in list(page.rows.values())[1:]] == ["3/3"] * 3
    assert text.count("<strong title=") == 1  # only the FID has a clear best
    said = re.sub("</?abbr[^>]*>", "", text)
    assert "AEGAN is clearly best in FID (digit features) (1.10" in said
    assert "Best on average, difference not significant: " in said
    word = r"for \(reduced scale, exploratory\)"
    assert re.search(rf'class="verdict for">{word}</strong>\s*AEGAN &lt;is&gt; ahead', text)
    cells = ["BiGAN", "FID (digit features)", "5.00", "4.00", "1.00", "0.29", "3", "a paper"]
    found = re.findall(r"<t[hd][^>]*>([^<]*)</t[hd]>", text[text.index("Next to the papers") :])
    assert found[8:16] == cells  # sd .5 over sqrt 3
    assert "9 finished runs: 9 min of training and 45 s of evaluation" in text


def test_the_page_needs_nothing_else(whole: Path) -> None:
    text = (whole / "index.html").read_text()
    page = Page(text)
    assert page.sources
    files = {path.name for path in whole.iterdir()}
    assert all(source.startswith("data:") or source in files for source in page.sources)
    assert all(image["src"].startswith("data:") for image in page.images)
    assert {"table.csv", "runs.csv", "tradeoff.pdf", "losses_aegan.pdf"} <= set(page.sources)
    assert not re.search(r"https?://|@import|url\(", text)
    assert all(image["alt"] for image in page.images)
    assert len(page.images) >= 3 * (5 + 2) + 3
    assert len(text) < 15e6


def test_lost_and_missing_runs_stay_visible_and_nothing_is_ranked(tmp_path: Path) -> None:
    claim = CLAIM.model_copy(update={"metric": "failure_rate"})
    page, text = written(tmp_path, contents_of(hand_made(tmp_path, lost=True), claims=(claim,)))
    heads = [text for _, text in page.rows["model"]]
    assert heads.count("failed ↓") == 1  # claimed about, and shown wherever a run was lost
    assert page.rows["BiGAN"][1] == ("2/3, 1 diverged", "2/3, 1 diverged")
    assert page.rows["BiGAN"][4][1].startswith("0.33 [")  # failed
    assert page.rows["AEGAN"][4][1].startswith("0.00 [0.00, ")
    assert re.search(r'<tr class="lost">\s*<th scope="row" data-value="BiGAN" title="', text)
    assert "Ranking disabled: some runs did not finish (BiGAN 2/3, 1 diverged)." in text
    assert "<strong title=" not in text
    empty = [Job(run_of("gan"), "0" * 64, tmp_path / "nothing")]
    page, _ = written(tmp_path / "b", contents_of(empty))
    assert page.rows["GAN"][1][1] == "0/1, 1 not started"


def test_pictures_and_curves_may_be_missing(tmp_path: Path) -> None:
    jobs = [write_run(tmp_path, run_of("bigan"), {"fid_hybrid": 1.0})]
    page, text = written(tmp_path, contents_of(jobs), drawn=True)
    assert "These run folders hold no pictures." in text
    assert "One training seed per model: the spread between" in text
    assert len(page.images) == 1  # the intervals


def test_files_of_a_report(whole: Path) -> None:
    names = {path.name for path in whole.iterdir()}
    drawn = {
        *(
            "forest_samples",
            "forest_consistency",
            "learning",
            "samples",
            "reconstructions",
            "interpolation",
            "neighbours",
        ),
        *("truncated", "over_training", "embedding", "losses_aegan", "losses_bigan_qp"),
        *("gradient_norms", "tradeoff"),
    }
    assert names >= {f"{name}.{suffix}" for name in drawn for suffix in ("png", "pdf")}
    assert names >= {"index.html", "table.md", "table.tex", "table.csv", "differences.csv"}


@pytest.mark.long
def test_a_page_of_very_many_rows_leaves_loss_curves_outside(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(page, "ROOM", 1)
    _, text = written(tmp_path, contents_of(hand_made(tmp_path)), drawn=True)
    assert 'next to it as files: <a href="losses_aegan.png">' in text
    assert "Headline metrics" in text
    assert "every term of every player" not in text


def test_text_from_outside_is_escaped(tmp_path: Path) -> None:
    jobs = [write_run(tmp_path, run_of("bigan"), {"fid_hybrid": 1.0})]
    _, text = written(tmp_path, contents_of(jobs, question="Is <script>alert(1)</script> run?"))
    assert "<script>alert" not in text
    assert str(marked("**a<b** and `c&d`")) == ("<strong>a&lt;b</strong> and <code>c&amp;d</code>")


def test_file_names_are_plain() -> None:
    assert slug("bigan (width 64, z 16)") == "bigan_width_64_z_16"


def test_the_report_loads_no_torch() -> None:
    code = "import sys, benchmarks.report.build; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
