"""What `run_all.py` says of wrong input: one message, exit code 2, and nothing done."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.test_run_all import FAMILY, ROOT, TINY, run


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["somewhere"], "what to do with somewhere? To report on runs there: --report"),
        (["--report", "nowhere"], "--report nowhere: there is no such folder"),
    ],
)
def test_folders_that_cannot_be_reported_on(arguments: list[str], message: str) -> None:
    done = run(*arguments)
    assert (done.returncode, message in done.stderr) == (2, True)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--suite", "digitz"], "did you mean 'digits'"),
        (["--suite", "my_suite.tml"], "suite file my_suite.tml does not exist"),
        (["--families", "bigam"], "did you mean 'bigan'"),
        (["--set", "training.stpes=3"], "did you mean 'training.steps'"),
        (["--families", ""], "at least one name"),
        (["--family", "nowhere.py"], "does not exist"),
        (["--device", "tpu"], "--device"),
        (["--families", "bigan,bigan"], "two rows would be called bigan"),
        (["--suite", "mnist", "--data", "nowhere", "--offline"], "MNIST is not in"),
        (["--set", "training.precision=bf16", "--device", "cpu"], "needs a CUDA device"),
        (["--data", "data"], "--data: digits needs no files; leave --data out"),
        (["--suite", "gaussians", "--data", "data"], "--data: gaussians needs no files"),
        (["--families", "bigan", "bigan_qp"], "by commas: --families bigan,bigan_qp"),
        (["--set", "training.steps", "500"], "write --set training.steps=500"),
        (["--set", "training.steps=many"], "training.steps must be a whole number, got 'many'"),
        (["--set", "training.steps=1.5"], "training.steps must be a whole number, got 1.5"),
        (["--set", "training.steps=0"], "training.steps must be more than 0, got 0"),
        (["--set", "training.lr_factor=x"], "training.lr_factor must be a number, got 'x'"),
        (["--set", "networks.prior=flat"], "networks.prior must be 'normal' or 'uniform', got"),
        (["--check", "--set", "training.steps=2"], "made with other settings|does not exist"),
        (["--make-baseline", "--seeds", "2", "--set", "training.steps=2"], "at least 5 seeds"),
    ],
)
def test_wrong_input_is_one_message_and_exit_2(
    arguments: list[str], message: str, tmp_path: Path
) -> None:
    done = run(*arguments, results=tmp_path)
    assert done.returncode == 2, done.stdout + done.stderr
    assert re.search(message, done.stderr), done.stderr
    assert "Traceback" not in done.stderr + done.stdout


def test_unwritable_results(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = run(*TINY, results=tmp_path / "file")
    assert done.returncode == 2
    assert "cannot be written" in done.stderr


def test_missing_inception_weights_are_said_before_any_work(tmp_path: Path) -> None:
    done = run(*TINY, "--inception", "nowhere.pth", results=tmp_path)
    assert done.returncode == 2
    assert "--inception nowhere.pth: there is no such file" in done.stderr
    assert not list((tmp_path / "runs").rglob("config.json"))


def test_a_family_from_a_file_runs_alone_by_its_name(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(FAMILY)
    own = ("--family", str(tmp_path / "mine.py"), "--dry-run")
    assert "3 runs planned" in run("--families", "mine", *own, results=tmp_path).stdout
    assert "6 runs planned" in run("--families", "gan", *own, results=tmp_path).stdout
    assert "6 runs planned" in run("--families", "mine,gan", *own, results=tmp_path).stdout


@pytest.mark.parametrize("missing", ["typer", "pydantic"])
def test_missing_dependencies_say_what_to_install(missing: str) -> None:
    code = f"import sys; sys.modules[{missing!r}] = None; sys.argv = ['run_all.py', '--dry-run']\n"
    code += "import runpy; runpy.run_path('run_all.py', run_name='__main__')"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 2
    assert f"error: {missing} is not installed; run `pip install .`" in done.stderr
    assert "Python 3.11 or newer" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_old_python_is_told_which_it_needs() -> None:
    older = "import sys, runpy; sys.version_info = (3, 10, 9); runpy.run_path('run_all.py')"
    done = subprocess.run(
        [sys.executable, "-c", older], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert done.stderr.startswith("error: this is Python 3.")
    assert done.stderr.endswith("in this folder, with Python 3.11 or newer\n")
