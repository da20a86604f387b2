"""`run_all.py` as a user meets it."""

import csv
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

import pytest
from typer.testing import CliRunner

import run_all
from benchmarks.common.console import console
from benchmarks.report import build

ROOT = Path(__file__).resolve().parents[2]
# Alone: writing down a stacked turn takes longer than so few updates; Ctrl-C is tried on a stack.
ALONE = ["--set", "training.stacked=false"]
TINY = ["--families", "gan,bigan", "--seeds", "1", "--set", "training.steps=60", *ALONE]


class Done(NamedTuple):
    """What a command left: its exit code, and what it printed."""

    returncode: int
    stdout: str
    stderr: str


def run(*arguments: str, results: Path | None = None, figures: bool = False) -> Done:
    """Run a command in this process, which has imported everything; its workers are others.

    Figures are most of a report's time: they are drawn where a test looks at them.
    """
    place = [] if results is None else ["--results", str(results)]
    words = [*arguments, *place]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["run_all.py", *words])
        patch.chdir(ROOT)
        patch.setattr(console, "_width", 200)
        if not figures:
            patch.setattr(build, "_draw", lambda contents, folder: {})
        done = CliRunner().invoke(run_all.app, words, color=False)
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return Done(done.exit_code, done.stdout, done.stderr)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Results of a tiny run of two families; about 15 seconds."""
    results = tmp_path_factory.mktemp("results")
    done = run(*TINY, results=results, figures=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "FID" in done.stdout
    assert "raw pixels" in done.stdout
    return results


@pytest.fixture
def begun(finished: Path, tmp_path: Path) -> Path:
    """Results of no run, with the control rows of `finished`: they cost as much as many updates."""
    results = tmp_path / "results"
    shutil.copytree(finished / "cache", results / "cache")
    controls = next((finished / "runs" / "digits").glob("controls-*"))
    shutil.copytree(controls, results / "runs" / "digits" / controls.name)
    return results


@pytest.mark.slow
def test_everything_a_user_expects_is_there(finished: Path) -> None:
    report = finished / "reports" / "digits"
    assert {p.name for p in report.iterdir()} >= {
        "table.md", "table.csv", "runs.csv", "differences.csv", "ranks.csv",
        "samples.png", "reconstructions.png", "learning.png", "truncation.png", "truncation.csv",
    }  # fmt: skip
    rows = list(csv.DictReader((report / "table.csv").open()))
    assert [row["label"] for row in rows] == [
        "GAN", "GAN (discriminator)", "BiGAN", "real, 648 of train", "real, 500 of test",
        "training set repeated", "noise", "raw pixels", "PCA, 16 dimensions", "mean image",
        "random pair", "prior draws", "untrained",
    ]  # fmt: skip
    assert rows[0]["reconstruction_mse"] == ""  # a GAN cannot encode: no made-up number
    assert float(rows[2]["reconstruction_mse"]) > 0
    folder = next((finished / "runs" / "digits" / "bigan").iterdir())
    assert {p.name for p in folder.iterdir() if p.name != ".lock"} == {
        "config.json", "environment.json", "curve.jsonl", "light.jsonl", "training.json",
        "weights.safetensors", "statistics.safetensors", "metrics.json", "samples.png",
        "reconstructions.png", "interpolation.png", "neighbours.png", "truncated.png",
        "embedding.npz", "samples-0000050.png",
    }  # fmt: skip
    curve = [json.loads(line) for line in (folder / "curve.jsonl").read_text().splitlines()]
    assert [row["step"] for row in curve] == [50, 60]
    assert "discriminator/encoder_pair" in curve[0]
    training = json.loads((folder / "training.json").read_text())
    assert training["status"] == "trained"
    assert training["train_images_per_second"] > 0
    assert training["peak_memory_mib"] > 0
    page = (report / "table.md").read_text()
    assert "matched settings" in page
    assert "protocol" in page
    assert "--set training.steps=60" in page


@pytest.mark.slow
def test_the_same_command_again_recomputes_nothing(finished: Path) -> None:
    times = {p: p.stat().st_mtime_ns for p in (finished / "runs").rglob("*") if p.is_file()}
    again = run(*TINY, results=finished)
    assert again.returncode == 0
    assert "nothing to do" in again.stdout
    assert {p: p.stat().st_mtime_ns for p in (finished / "runs").rglob("*") if p.is_file()} == times


@pytest.mark.long
def test_damaged_metrics_are_set_aside_and_evaluated_again(finished: Path) -> None:
    folder = next((finished / "runs" / "digits" / "gan").iterdir())
    good = (folder / "metrics.json").read_text()
    (folder / "metrics.json").write_text(good[:40])
    weights = (folder / "weights.safetensors").stat().st_mtime_ns
    again = run("--families", "gan", *TINY[2:], results=finished)
    assert again.returncode == 0
    assert "metrics.json.damaged-1" in again.stdout
    assert (folder / "weights.safetensors").stat().st_mtime_ns == weights  # not trained again
    before, after = (
        {k: v for k, v in json.loads(text)["rows"][""].items() if not k.endswith("per_second")}
        for text in (good, (folder / "metrics.json").read_text())
    )
    for name in ("evaluation_seconds", "train_seconds"):
        before.pop(name), after.pop(name)
    # Only to rounding: the second evaluation had both cores to itself, and sums in another order.
    assert after == pytest.approx(before, rel=1e-3)


@pytest.mark.slow
def test_report_works_without_weights(finished: Path) -> None:
    folder = next((finished / "runs" / "digits" / "bigan").iterdir())
    (folder / "weights.safetensors").rename(folder / "kept")
    try:
        assert "nothing to do" in run("--families", "bigan", *TINY[2:], results=finished).stdout
    finally:
        (folder / "kept").rename(folder / "weights.safetensors")


@pytest.mark.slow
def test_report_on_folders_from_elsewhere(finished: Path, tmp_path: Path) -> None:
    """Runs of two "machines": the report lands in this one's results, and nothing is trained."""
    bigan, gan = (finished / "runs" / "digits" / family for family in ("bigan", "gan"))
    done = run("--report", str(bigan), str(gan), results=tmp_path)
    assert done.returncode == 0, done.stderr
    rows = list(csv.DictReader((tmp_path / "reports" / "merged" / "table.csv").open()))
    assert [(row["row"], row["readout"]) for row in rows] == [
        *(("bigan", ""), ("gan", ""), ("gan", "discriminator"))
    ]
    assert [p.name for p in tmp_path.iterdir()] == ["reports"]


@pytest.mark.slow
def test_dry_run_shows_states(finished: Path) -> None:
    shown = run("--dry-run", *TINY[:2], "--seeds", "2", *TINY[4:], results=finished)
    assert shown.returncode == 0
    assert "4 runs planned: 2 done, 2 missing" in shown.stdout
    assert "eager engine: each run trains alone" in shown.stdout


@pytest.mark.slow
def test_check_fails_against_another_past_and_passes_against_its_own(
    finished: Path, tmp_path: Path
) -> None:
    """A baseline built around the results passes; one far from them fails, naming the number."""
    from benchmarks.planning import suites
    from benchmarks.regression import baseline

    suite = suites.override(
        suites.load_suite("digits"), ["training.steps=60", ALONE[1]], ["bigan"], seeds=1
    )
    folder = next((finished / "runs" / "digits" / "bigan").iterdir())
    row = json.loads((folder / "metrics.json").read_text())["rows"][""]
    # After 60 updates the FID is still that of untrained networks, which the check would notice.
    gated = ("knn1_accuracy_features", "reconstruction_mse")
    values = {"bigan": {m: [row[m] * (1 + 0.001 * i) for i in range(10)] for m in gated}}
    content = {
        "settings": baseline.settings_of(suite),
        "seeds": list(range(1000, 1010)),
        "diverged": {},
        "values": values,
        "not_gated": [],
    }
    path = finished / "baselines" / "digits.json"
    path.parent.mkdir(exist_ok=True)
    only = ["--families", "bigan", *TINY[2:]]
    path.write_text(json.dumps(content))
    passed = run(*only, "--check", results=finished)
    assert passed.returncode == 0, passed.stdout
    values["bigan"]["reconstruction_mse"] = [row["reconstruction_mse"] / 3] * 10
    path.write_text(json.dumps(content))
    failed = run(*only, "--check", results=finished)
    assert failed.returncode == 1
    line = next(line for line in failed.stdout.splitlines() if "REGRESSION" in line)
    assert line.startswith("bigan reconstruction_mse: was ")
    assert ", is " in line
    assert ", allowed " in line


@pytest.mark.long
def test_ctrl_c_keeps_what_is_done_and_goes_on(begun: Path) -> None:
    arguments = ["--families", "gan", "--seeds", "1", "--set", "training.steps=600"]
    process = subprocess.Popen(
        [sys.executable, "run_all.py", *arguments, "--results", str(begun)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
        # A job in the background may ignore Ctrl-C, and its children with it.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    # However long it takes: the only other end of the wait is that of the command.
    while not list(begun.glob("runs/digits/gan/*/curve.jsonl")) and process.poll() is None:
        time.sleep(0.1)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to the whole group
    output, _ = process.communicate()
    assert process.returncode == 130, output
    assert "Traceback" not in output
    folder = next((begun / "runs" / "digits" / "gan").iterdir())
    assert (folder / "checkpoint.pt").exists()
    shown = run("--dry-run", *arguments, results=begun)
    assert "to resume" in shown.stdout
    assert run(*arguments, results=begun).returncode == 0
    steps = [json.loads(line)["step"] for line in (folder / "curve.jsonl").open()]
    assert steps == list(range(50, 601, 50))  # each line once, across the interruption


README = (ROOT / "README.md").read_text()
FAMILY = (ROOT / "examples" / "my_family.py").read_text()


@pytest.mark.long
def test_a_family_from_outside_and_a_failing_one(begun: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(FAMILY)
    late = FAMILY.replace("(real - 1)", "(real - (1 if step < 3 else nonsense))")
    (tmp_path / "broken.py").write_text(late)  # what one try beforehand cannot see
    done = run(
        *("--families", str(tmp_path / "mine.py"), "--family", str(tmp_path / "broken.py")),
        *("--seeds", "1", "--set", "training.steps=20", *ALONE),
        results=begun,
    )
    assert done.returncode == 1  # incomplete
    assert "broken seed 0 failed: name 'nonsense' is not defined" in done.stdout
    assert "0/1, 1 failed" in done.stdout
    table = (begun / "reports" / "digits" / "table.csv").read_text()
    assert "\nmine," in "\n" + table


def test_help_list_and_dry_run_import_nothing_heavy() -> None:
    for option in ("--help", "--list", "--dry-run"):
        code = (
            f"import sys; sys.argv = ['run_all.py', {option!r}]\n"
            "import run_all\n"
            "try: run_all.app()\n"
            "except SystemExit as done: assert not done.code, done.code\n"
            "print([m for m in ('torch', 'pandas', 'sklearn', 'scipy') if m in sys.modules])"
        )
        done = subprocess.run(
            [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
        )
        assert done.stdout.splitlines()[-1] == "[]", option
    for name in ("digits", "mnist", "bigan_qp", "fid_hybrid"):
        assert name in run("--list").stdout


def test_readme_shows_real_commands() -> None:
    """Every option the README names exists, and every file it links to."""
    known = run("--help").stdout
    for option in set(re.findall(r"run_all.py[^\n]*?(--[a-z-]+)", README)):
        assert option in known, option
    for link in re.findall(r"\]\(([^)#]+)\)", README):
        assert link.startswith("http") or (ROOT / link).exists(), link
