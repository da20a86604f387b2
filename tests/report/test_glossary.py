"""What a report explains, and which columns it shows first."""

from pathlib import Path

import pytest
from markupsafe import escape

from benchmarks.evaluation.registry import METRICS
from benchmarks.planning.keys import Key
from benchmarks.planning.plan import Job
from benchmarks.report.data.summary import summarise
from benchmarks.report.formats import page_table
from benchmarks.report.text import glossary
from tests.planning.run_folders import run_of
from tests.report.report_pages import contents_of, hand_made, written
from tests.report.test_intervals import NO_CONTROLS, control, runs


def test_every_headline_is_put_in_plain_words() -> None:
    assert [m.name for m in METRICS.values() if m.headline and not m.plain] == []


def test_a_word_is_explained_where_it_is_met_first() -> None:
    explain = glossary.Explainer()
    title, ratio = escape(METRICS["reconstruction_ratio"].plain), escape(glossary.GENERAL["ratio"])
    assert explain("recon. ratio: ratio <1>") == (
        f'<abbr title="{title}">recon. ratio</abbr>: <abbr title="{ratio}">ratio</abbr> &lt;1&gt;'
    )
    assert explain("recon. ratio, ratios") == "recon. ratio, ratios"


def test_rows_are_explained(tmp_path: Path) -> None:
    frame = runs(
        {"bigan": [1.0, 2.0], "mine": [3.0, 4.0], Key("bigan", "bigan", readout="head"): [5.0, 6.0]}
    )
    controls = runs({control("pca", 16): [7.0]})
    summary = summarise(frame, controls, {"mine": "z → x only: it has no encoder"})
    mine = run_of("mine", family="bigbigan", options={"unary_z": False})
    said = glossary.rows(summary, [Job(run, "", tmp_path) for run in (run_of("bigan"), mine)])
    assert said["BiGAN"].startswith("BiGAN: one discriminator tells encoder pairs")
    assert said["mine"].endswith("With unary_z False. Reference, z → x only: it has no encoder.")
    assert said["BiGAN (head)"] == "The head of BiGAN: another part of the same training."
    assert said["PCA, 16 dimensions"].startswith("Control: principal components in place of E")


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ((), ["fid_hybrid", "coverage_hybrid", "knn1_accuracy_features", "latent_error"]),
        (("class_kl",), ["fid_hybrid", "coverage_hybrid", "class_kl", "latent_error"]),
    ],
)
def test_columns_that_decide_follow_fid_and_coverage_then_one_of_each_question(
    wanted, expected: list[str]
) -> None:
    """Latent error is among the last headlines, and the one with a clear best."""
    frame = runs({"bigan": [1.0, 2.0, 3.0], "aegan": [1.1, 2.1, 3.1]})
    for metric in (m.name for m in METRICS.values() if m.question != "modes"):
        frame[metric] = frame["fid_hybrid"] / 10
    frame["latent_error"] = [0.10, 0.11, 0.12, 0.90, 0.91, 0.92]
    found = page_table.leading(summarise(frame, NO_CONTROLS), wanted, room=4)
    assert [metric.name for metric in found] == expected


def test_jargon_is_explained_before_it_is_used(tmp_path: Path) -> None:
    _, text = written(tmp_path, contents_of(hand_made(tmp_path)))
    answer = text[text.index('id="answer"') : text.index('id="table"')]
    for name in ("fid_hybrid", "reconstruction_mse"):
        metric = METRICS[name]
        assert f'<abbr title="{metric.plain}">{metric.title}</abbr>' in answer
        assert f"<dt>{metric.title}</dt><dd>{metric.plain}</dd>" in answer
    table = text[text.index('id="table"') :]
    assert table.index("How to read this:") < table.index("<table")
