"""What `run_all.py` says of wrong input: one message, exit code 2, and nothing done."""

import re
from pathlib import Path

import pytest

from tests.cli.test_run_all import TINY, run


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
