"""The scripts in examples/."""

import json
import runpy
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torchvision.utils import save_image

from benchmarks.evaluation.normalise import main as normalise
from tests.zoo.test_trained import trained
from zoo.registry import FAMILIES

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "the following arguments are required: model, picture, out"),
        (
            ["nowhere", "in.png", "out.png"],
            "nowhere is neither a run folder nor a published",
        ),
        (["bigan", "nowhere.png", "out.png"], "No such file or directory: 'nowhere.png'"),
        (["bigan", "bigan/config.json", "out.png"], "cannot identify image file"),
        (["gan", "in.png", "out.png"], "error: gan: this family has no encoder and generator"),
    ],
)
def test_the_example_says_what_is_wrong(
    arguments: list[str],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    if arguments and arguments[0] in FAMILIES:
        normalise(trained(tmp_path / arguments[0], arguments[0]), None)
    monkeypatch.chdir(tmp_path)
    script = str(ROOT / "examples" / "encode_picture.py")
    monkeypatch.setattr(sys, "argv", [script, *arguments])
    monkeypatch.setattr(sys, "path", [*sys.path])
    with pytest.raises(SystemExit) as caught:
        runpy.run_path(script, run_name="__main__")
    assert caught.value.code == 2
    assert message in capsys.readouterr().err


@pytest.mark.long
def test_the_example_that_encodes_a_picture(tmp_path: Path) -> None:
    folder = trained(tmp_path / "run", "bigan")
    normalise(folder, None)
    picture, out = tmp_path / "in.png", tmp_path / "out.png"
    save_image(torch.rand(3, 20, 20, generator=torch.Generator().manual_seed(0)), picture)
    script = ROOT / "examples" / "encode_picture.py"
    done = subprocess.run(
        [sys.executable, str(script), str(folder), str(picture), str(out)],
        capture_output=True, text=True, cwd=tmp_path, check=True,
    )  # fmt: skip
    latent_dim = json.loads((folder / "config.json").read_text())["run"]["networks"]["latent_dim"]
    assert len(done.stdout.split("=")[1].split()) == latent_dim
    assert out.exists()
