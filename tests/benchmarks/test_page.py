"""The page, its table, its sentences and its LaTeX from run folders made by hand."""

import re
import shlex
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from benchmarks import plan
from benchmarks.config import Claim, Published, Suite
from benchmarks.plan import Job
from benchmarks.report import answer, curves, figures, frame, latex, page, provenance, style, write
from benchmarks.report.material import Material, gather
from benchmarks.report.page import marked
from benchmarks.report.write import slug, write_report
from tests.benchmarks.run_folders import run_of, write_run

FID = {"aegan": [1.0, 1.1, 1.2], "bigan": [5.0, 5.5, 4.5], "bigan_qp": [12.0, 13.0, 12.5]}
MSE = {"aegan": [0.02, 0.03, 0.04], "bigan": [0.02, 0.03, 0.04], "bigan_qp": [0.03, 0.02, 0.05]}
CLAIM = Claim(
    row="aegan", against="bigan", metric="fid_hybrid", expected="lower", says="AEGAN <is> ahead"
)
SAID = Published(row="bigan", metric="fid_hybrid", value=4.0, source="a paper")


def suite_of(**changes) -> Suite:
    return plan.load_suite("digits").model_copy(update={"families": tuple(FID)} | changes)


def pictures(job: Job) -> None:
    """Draw what an evaluation would, in grey."""
    for name in ("samples", "reconstructions", "interpolation", "neighbours", "truncated"):
        plt.imsave(job.folder / f"{name}.png", np.full((20, 30, 3), 0.5))
    for step in (50, 100):
        plt.imsave(job.folder / f"samples-{step:07d}.png", np.full((9, 60, 3), 0.5))
    xy, labels = np.arange(20, dtype=np.float32).reshape(10, 2), np.arange(10, dtype=np.uint8)
    np.savez(job.folder / "embedding.npz", xy=xy, labels=labels)


def hand_made(results: Path, lost: bool = False, draw: bool = False) -> list[Job]:
    """Three families, three seeds each; `lost`: the last one of bigan diverged."""
    jobs = []
    for family, values in FID.items():
        for seed, fid in enumerate(values):
            metrics = {"fid_hybrid": fid, "reconstruction_mse": MSE[family][seed]}
            metrics |= {"train_seconds": 60.0, "evaluation_seconds": 5.0, "parameters": 28_978.0}
            curve = [
                {"step": s, "seconds": s / 10, "G/fool": 1.0 / s, "D/real": 0.5, "D/grad_norm": 2.0}
                for s in (50, 100, 150)
            ]
            light = [
                {"step": s, "seconds": s / 10, "protocol": "1", "fid_hybrid": 500 / s, **rest}
                for s, rest in ((100, {}), (200, {"reconstruction_ratio": 0.9}))
            ]
            status = "diverged" if lost and (family, seed) == ("bigan", 2) else "trained"
            job = write_run(
                results, run_of(family, seed), metrics, status, curve=curve, light=light
            )
            if draw:
                pictures(job)
            jobs.append(job)
    return jobs


def material_of(jobs: list[Job], **changes) -> Material:
    controls = pd.DataFrame(columns=frame.results_frame(jobs).columns)
    return gather(suite_of(**changes), jobs, controls, "python run_all.py")


class Page(HTMLParser):
    """Rows of the main table, and what the page asks for from outside."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.rows: dict[str, list[tuple[str | None, str]]] = {}
        self.sources: list[str] = []
        self.images: list[dict[str, str | None]] = []
        self.main = False
        self.row: list[tuple[str | None, str]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.sources += [str(v) for k, v in attrs if k in ("src", "href") and v and v[0] != "#"]
        self.images += [given] if tag == "img" else []
        self.main = given.get("id") == "headline" if tag == "table" else self.main
        if tag == "tr":
            self.row = []
        elif tag in ("td", "th") and self.main:
            self.row.append((given.get("data-value"), ""))

    def handle_endtag(self, tag: str) -> None:
        if tag == "tr" and self.main and self.row:
            self.rows[self.row[0][1]] = self.row
        self.main = self.main and tag != "table"

    def handle_data(self, data: str) -> None:
        if self.main and self.row:
            value, text = self.row[-1]
            self.row[-1] = value, " ".join(f"{text} {data}".split())


def written(results: Path, material: Material) -> tuple[Page, str]:
    text = (write_report(material, results) / "index.html").read_text()
    return Page(text), text


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a report on all that a report can show."""
    folder = tmp_path_factory.mktemp("whole")
    jobs = hand_made(folder, draw=True)
    return write_report(material_of(jobs, claims=(CLAIM,), published=(SAID,)), folder)


def test_the_page_holds_the_hand_made_numbers(whole: Path) -> None:
    text = (whole / "index.html").read_text()
    page = Page(text)
    heads = [text for _, text in page.rows["family"]]
    assert heads == [
        "family",
        "seeds",
        "FID ↓",
        "recon. MSE ↓",
        "train s",
        "parameters",
        "failed ↓",
    ]
    value, shown = page.rows["aegan"][2]
    assert float(value) == pytest.approx(1.1)
    mean_of_logs, half = (
        np.log([1.0, 1.1, 1.2]).mean(),
        4.302653 * np.log([1.0, 1.1, 1.2]).std(ddof=1) / np.sqrt(3),
    )
    low, high = np.exp(mean_of_logs - half), np.exp(mean_of_logs + half)
    assert shown == f"1.10 [{low:.2f}, {high:.2f}]"
    assert page.rows["bigan"][3][1].startswith("0.0300 [")
    assert page.rows["bigan_qp"][5][1].startswith("28,978")
    assert [row[1][1] for row in list(page.rows.values())[1:]] == ["3/3"] * 3
    assert text.count("<strong title=") == 1  # only the FID has a clear best
    assert "aegan is clearly best in FID (1.10" in text
    assert "No family is clearly ahead in recon. MSE." in text
    assert re.search(r'class="verdict supported">supported</strong>\s*AEGAN &lt;is&gt; ahead', text)
    cells = ["bigan", "FID", "5.00", "4.00", "1.00", "0.29", "3", "a paper"]
    found = re.findall(r"<t[hd][^>]*>([^<]*)</t[hd]>", text[text.index("Beside the papers") :])
    assert found[8:16] == cells  # sd .5 over sqrt 3
    assert "9 finished runs: 9 min of training and 45 s of evaluation" in text


def test_the_page_needs_nothing_else(whole: Path) -> None:
    text = (whole / "index.html").read_text()
    page = Page(text)
    assert page.sources
    assert all(source.startswith("data:") for source in page.sources)
    assert not re.search(r"https?://|@import|url\(", text)
    assert all(image["alt"] for image in page.images)
    assert len(page.images) >= 3 * (5 + 2) + 3
    assert len(text) < 15e6


def test_lost_and_missing_runs_stay_visible_and_nothing_is_ranked(tmp_path: Path) -> None:
    page, text = written(tmp_path, material_of(hand_made(tmp_path, lost=True)))
    assert page.rows["bigan"][1] == ("2/3, 1 diverged", "2/3, 1 diverged")
    assert page.rows["bigan"][6][1].startswith("0.33 [")  # failed
    assert page.rows["aegan"][6][1].startswith("0.00 [0.00, ")
    assert re.search(r'<tr class="lost">\s*<th scope="row" data-value="bigan">', text)
    assert "Nothing is ranked, for not every run has ended well: bigan 2/3, 1 diverged." in text
    assert "<strong title=" not in text
    empty = [Job(run_of("gan"), "0" * 64, tmp_path / "nothing")]
    page, _ = written(tmp_path / "b", material_of(empty))
    assert page.rows["gan"][1][1] == "0/1"


def test_pictures_and_curves_may_be_missing(tmp_path: Path) -> None:
    jobs = [write_run(tmp_path, run_of("bigan"), {"fid_hybrid": 1.0})]
    page, text = written(tmp_path, material_of(jobs))
    assert "These run folders hold no pictures." in text
    assert "One training seed per family cannot tell families apart" in text
    assert len(page.images) == 1  # the intervals


def test_files_of_a_report(whole: Path) -> None:
    names = {path.name for path in whole.iterdir()}
    drawn = {
        *("forest", "learning", "samples", "reconstructions", "interpolation", "neighbours"),
        *("truncated", "over_training", "embedding", "losses_aegan", "losses_bigan_qp"),
        "gradient_norms",
    }
    assert names >= {f"{name}.{suffix}" for name in drawn for suffix in ("png", "pdf")}
    assert names >= {"index.html", "table.md", "table.tex", "table.csv", "differences.csv"}


def test_figures_are_drawn_again_only_when_something_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs, drawn = hand_made(tmp_path)[:2], []

    def draw(material: Material, folder: Path) -> dict[str, str]:
        for suffix in style.FORMATS:
            (folder / f"forest.{suffix}").write_bytes(b"a picture")
        drawn.append(folder)
        return {"forest": "intervals"}

    monkeypatch.setattr(write, "_draw", draw)
    folder = write_report(material_of(jobs), tmp_path)
    write_report(material_of(jobs), tmp_path)
    assert len(drawn) == 1
    (folder / "forest.pdf").unlink()
    write_report(material_of(jobs), tmp_path)
    assert len(drawn) == 2
    (jobs[0].folder / "samples.png").touch()
    write_report(material_of(jobs), tmp_path)
    assert len(drawn) == 3


def test_a_page_of_very_many_rows_leaves_loss_curves_outside(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(page, "ROOM", 1)
    _, text = written(tmp_path, material_of(hand_made(tmp_path)))
    assert "beside it as files: losses_aegan, losses_bigan, losses_bigan_qp." in text
    assert "Headline metrics" in text
    assert "every term of every player" not in text


def test_text_from_outside_is_escaped(tmp_path: Path) -> None:
    jobs = [write_run(tmp_path, run_of("bigan"), {"fid_hybrid": 1.0})]
    _, text = written(tmp_path, material_of(jobs, question="Is <script>alert(1)</script> run?"))
    assert "<script>alert" not in text
    assert str(marked("**a<b** and `c&d`")) == ("<strong>a&lt;b</strong> and <code>c&amp;d</code>")


@pytest.mark.parametrize(
    "run",
    [
        run_of("bigan"),
        run_of("bigan", training={"steps": 60, "batch_size": 32}, networks={"width": 16}),
        run_of("bigbigan", options={"unary_z": False}),
        run_of("mine", game="bigbigan", options={"unary_z": False}),
        run_of("autoencoder", dataset="mnist"),
        *(job.run for job in plan.jobs(plan.load_suite("aegan-stability"), Path(), [0])),
        *(job.run for job in plan.jobs(plan.load_suite("sensitivity"), Path(), [0])[:5]),
    ],
)
def test_the_command_of_a_row_gives_that_row(run) -> None:
    """Read back by the command line's own functions, the run is the same."""
    words = shlex.split(provenance.command_of(run, "digits", 1))
    assert words[:2] == ["python", "run_all.py"]
    given = [tuple(words[i : i + 2]) for i in range(2, len(words), 2)]
    one = dict(given)
    settings = [value for name, value in given if name == "--set"]
    suite = plan.load_suite(one["--suite"])
    asked = plan.override(suite, settings, one["--families"].split(","), int(one["--seeds"]))
    (job,) = plan.jobs(asked, Path(), [0])
    assert job.run == run


def test_rows_named_apart_get_the_command_of_their_row() -> None:
    run = run_of("bigan", networks={"width": 32})
    named = run.model_copy(update={"family": "bigan (lr 0.1, width 32)"})
    assert provenance.command_of(named, "merged", 1) == provenance.command_of(run, "digits", 1)


def test_latex_is_balanced_and_marks_the_best(tmp_path: Path) -> None:
    material = material_of(hand_made(tmp_path))
    text = latex.table(material.summary, "100 % of a_b & c")
    assert r"\caption{100 \% of a\_b \& c}" in text
    lines = [line for line in text.splitlines() if line.endswith(r"\\")]
    assert {line.replace(r"\&", "").count("&") for line in lines} == {4}
    assert r"\begin{tabular}{llrrr}" in text
    assert text.count("{") - text.count(r"\{") == text.count("}") - text.count(r"\}")
    assert r"aegan & 3/3 & \textbf{1.10} & 0.0300 & 60 \\" in text
    assert r"bigan\_qp & 3/3 & 12.50" in text
    assert text.count(r"\textbf") == 1
    for opened in ("table", "tabular"):
        assert text.count(rf"\begin{{{opened}}}") == text.count(rf"\end{{{opened}}}") == 1


def test_sentences_name_who_is_ahead_and_how_sure(tmp_path: Path) -> None:
    material = material_of(hand_made(tmp_path))
    first, second, third = answer.findings(material)
    assert first.startswith("aegan is clearly best in FID (1.10 [")
    assert second == "No family is clearly ahead in recon. MSE."
    assert third.startswith("Best by the mean alone, which other seeds may turn: ")
    assert third.endswith(" in recon. MSE.")
    assert "n = 3 training seeds" in answer.certainty(material)
    assert "no permutation p can be below 0.1" in answer.certainty(material)


def test_nobody_is_compared_in_what_only_controls_have(tmp_path: Path) -> None:
    jobs = hand_made(tmp_path)
    runs = frame.results_frame(jobs)
    control = runs.iloc[:1].assign(family="raw pixels", fid_hybrid=0.5, knn1_accuracy_features=0.9)
    material = gather(suite_of(), jobs, control, "python run_all.py")
    said = " ".join(answer.findings(material))
    assert "1-NN" not in said
    assert "No family is better than the best control in FID or recon. MSE." in said


def test_several_versions_of_the_code_are_said(tmp_path: Path) -> None:
    jobs = hand_made(tmp_path)
    assert material_of(jobs).notes == []
    path = jobs[0].folder / "environment.json"
    path.write_text(path.read_text().replace("0123", "9999").replace("false", "true"))
    assert [note.split(";")[0] for note in material_of(jobs).notes] == [
        "The runs stem from 2 commits of the code",
        "Some runs were made with uncommitted changes",
    ]


def test_a_mean_over_seeds_ends_where_a_seed_ends(tmp_path: Path, monkeypatch) -> None:
    drawn = []
    monkeypatch.setattr(figures, "save", lambda figure, stem: drawn.append(figure))
    light = pd.DataFrame(
        {"family": "a", "seed": [0, 0, 1], "step": [50, 100, 50], "fid_hybrid": [4.0, 1.0, 2.0]}
    )
    looks = style.looks_of("a")
    assert figures.learning(light.assign(seconds=light["step"] / 10), looks, tmp_path)
    one, other, mean = drawn[0].axes[0].lines
    assert [len(line.get_xdata()) for line in (one, other, mean)] == [2, 1, 1]
    assert mean.get_ydata().tolist() == [3.0]
    plt.close("all")


@pytest.mark.parametrize("names", [["G/fool", "D/real"], ["D/real"], []])
def test_every_term_is_drawn_in_its_players_panel(names, tmp_path: Path, monkeypatch) -> None:
    drawn = []
    monkeypatch.setattr(curves, "save", lambda figure, stem: drawn.append(figure))
    table = pd.DataFrame({"family": "a", "seed": [0, 0, 1, 1], "step": [50, 100] * 2})
    for name in [*names, "D/grad_norm"]:
        table[name] = 1.0
    assert curves.losses(table, tmp_path) == bool(names)
    assert curves.gradient_norms(table, tmp_path)
    assert not curves.gradient_norms(table.drop(columns="D/grad_norm"), tmp_path)
    titles = {axis.get_title(): len(axis.lines) for axis in drawn[0].axes}
    if names:
        assert titles == {name[0]: 3 for name in names}  # two seeds and their mean
    assert [len(axis.lines) for axis in drawn[-1].axes] == [3]
    plt.close("all")


def test_looks_differ_without_colours() -> None:
    looks = style.looks_of(f"row {i}" for i in range(11))
    assert len({(str(look.dash), look.marker) for look in looks.values()}) == 11


def test_file_names_are_plain() -> None:
    assert slug("bigan (width 64, z 16)") == "bigan_width_64_z_16"


def test_the_report_loads_no_torch() -> None:
    code = "import sys, benchmarks.report.write; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
