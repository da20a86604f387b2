"""The main table for a paper."""

from pathlib import Path

from benchmarks.report.formats import latex
from tests.report.report_pages import contents_of, hand_made


def test_latex_is_balanced_and_marks_the_best(tmp_path: Path) -> None:
    contents = contents_of(hand_made(tmp_path))
    text = latex.table(contents.summary, "100 % of a_b & c")
    assert r"\caption{100 \% of a\_b \& c}" in text
    lines = [line for line in text.splitlines() if line.endswith(r"\\")]
    assert {line.replace(r"\&", "").count("&") for line in lines} == {4}
    assert r"\begin{tabular}{llrrr}" in text
    assert text.count("{") - text.count(r"\{") == text.count("}") - text.count(r"\}")
    assert r"AEGAN & 3/3 & \textbf{1.10} & 0.0300 & 60 \\" in text
    assert r"BiGAN-QP & 3/3 & 12.50" in text
    assert text.count(r"\textbf") == 1
    for opened in ("table", "tabular"):
        assert text.count(rf"\begin{{{opened}}}") == text.count(rf"\end{{{opened}}}") == 1
