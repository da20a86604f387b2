"""What a fresh clone can do before any training: the published table, and a model beside it."""

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pandas as pd
import pytest

from benchmarks.records.record import ARCHIVE
from tests.cli.test_run_all import ROOT, run
from tests.planning.run_folders import run_of, write_run

PUBLISHED = ROOT / "results" / "published"


@pytest.mark.slow
def test_the_published_table_is_there_without_training(tmp_path: Path) -> None:
    done = run("--suite", "digits", "--published", results=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "digits: 18 runs planned: 18 published" in done.stdout
    ours, theirs = (
        pd.read_csv(folder / "table.csv")
        for folder in (tmp_path / "reports" / "digits", PUBLISHED / "digits")
    )
    pd.testing.assert_frame_equal(ours, theirs, rtol=1e-9)
    assert not list((tmp_path / "runs" / "digits").glob("*/seed*"))


def test_published_runs_load_no_torch(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from benchmarks import cli; "
        "from benchmarks.common.context import Context; "
        "from benchmarks.report.data import frame; "
        f"context = Context('digits', published=True, results=Path({str(tmp_path)!r})); "
        "plan = cli.plan(context); cli.train_and_evaluate(plan, context); "
        "frame.results_frame(plan.jobs); print(len(plan.jobs), 'torch' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "18 False"


def test_a_published_run_is_listed_with_its_age_and_versions(tmp_path: Path) -> None:
    done = run("--suite", "digits", "--published", "--dry-run", results=tmp_path)
    assert done.returncode == 0
    lines = [line for line in done.stdout.splitlines() if line.startswith("bigan ")]
    assert len(lines) == 3
    for line in lines:
        assert " published " in line
        assert " ago; commit " in line
        assert "training 1, engine.stacked 1, body.mlp 1" in line
    assert "digits: 18 runs planned: 18 published" in done.stdout


def test_a_changed_record_is_named_left_out_and_fails(tmp_path: Path) -> None:
    shutil.copytree(PUBLISHED / "digits", tmp_path / "published" / "digits")
    archive = tmp_path / "published" / "digits" / ARCHIVE
    with zipfile.ZipFile(archive) as opened:
        files = {name: opened.read(name) for name in opened.namelist()}
    name = next(n for n in files if "/bigan/seed1" in n and n.endswith("metrics.json"))
    files[name] = files[name].replace(b'"fid_hybrid": 3', b'"fid_hybrid": 2')
    with zipfile.ZipFile(archive, "w") as opened:
        for file, content in files.items():
            opened.writestr(file, content)
    done = run("--suite", "digits", "--published", "--dry-run", results=tmp_path)
    assert done.returncode == 1
    said = [line for line in done.stdout.splitlines() if line.startswith("left out: ")]
    assert len(said) == 1
    assert f"digits, {Path(name).parent}: its digest is not the manifest's" in said[0]
    assert "18 runs planned: 18 published" in done.stdout  # the checkout has a good copy


MINE = ("--published", "--families", "bigan,gan", "--family", "examples/my_family.py")


def test_only_a_model_of_ones_own_is_left_to_train(tmp_path: Path) -> None:
    done = run("--suite", "digits", *MINE, "--dry-run", results=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "digits: 9 runs planned: 6 published, 3 missing" in done.stdout
    missing = [line.split()[:2] for line in done.stdout.splitlines() if " missing " in line]
    assert missing == [["my_family", str(seed)] for seed in range(3)]


@pytest.mark.slow
def test_a_model_of_ones_own_is_placed_beside_the_published(tmp_path: Path) -> None:
    """As if it had been trained: test_run_all trains families from files."""
    for seed in range(3):
        job = run_of("my_family", seed, family="examples/my_family.py")
        write_run(tmp_path, job, {"fid_hybrid": 30.0 + seed, "coverage_hybrid": 0.3 + seed / 50})
    done = run("--suite", "digits", *MINE, results=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "digits: 9 runs planned: 6 published, 3 done" in done.stdout
    said = "my_family beside BiGAN: worse in FID (digit features); not told apart in coverage."
    assert f"- {said}" in done.stdout.splitlines()
    assert "3 seeds of my_family, 3 of each published model" in done.stdout
    table = pd.read_csv(tmp_path / "reports" / "digits" / "table.csv").set_index("label")
    assert table["other_machine"].loc[["BiGAN", "GAN", "my_family"]].tolist() == [True, True, False]


@pytest.mark.parametrize("folder", sorted(PUBLISHED.iterdir()), ids=lambda path: path.name)
def test_what_is_published_is_small(folder: Path) -> None:
    sizes = [path.stat().st_size for path in folder.rglob("*") if path.is_file()]
    assert sum(sizes) < 4e6


def test_all_that_is_published_is_small() -> None:
    files = [ROOT / name for name in committed("results")]
    assert sum(path.stat().st_size for path in files if path.exists()) < 25e6


def committed(folder: str) -> list[str]:
    """Return the files of a folder that git knows or would take."""
    command = ["git", "ls-files", "-co", "--exclude-standard", folder]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return done.stdout.splitlines()


@pytest.mark.parametrize("option", ["--check", "--make-baseline"])
def test_published_runs_are_no_runs_of_ones_own(option: str, tmp_path: Path) -> None:
    done = run("--published", option, results=tmp_path)
    assert done.returncode == 2
    assert "--published takes the place of runs of your own" in done.stderr


def test_a_suite_that_nobody_published_is_said(tmp_path: Path) -> None:
    done = run("--published", "--set", "training.steps=7", results=tmp_path)
    assert done.returncode == 2
    assert "no published run of digits can be used" in done.stderr
    assert "bigan seeds 0, 1, 2: the published run no longer fits" in done.stdout
    assert "training.steps is 7, not 3000" in done.stdout
