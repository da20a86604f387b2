"""A trained game elsewhere: from its run folder, on the hub (a local folder), as ONNX."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch

import zoo
from benchmarks.common.context import Context
from benchmarks.evaluation.normalise import main as normalise
from benchmarks.evaluation.normalise import write_statistics
from benchmarks.evaluation.protocol import PROTOCOLS
from benchmarks.evaluation.scoring import scoring_copy
from benchmarks.execution.tasks import _describe
from benchmarks.planning.plan import Job
from benchmarks.training.loop import Watch, train
from datasets.loading import load
from tests.helpers import tiny_run
from zoo.export import export
from zoo.export import main as export_main
from zoo.game import Game
from zoo.hub import Pretrained
from zoo.registry import FAMILIES
from zoo.trained import ModelError

ROOT = Path(__file__).resolve().parents[2]
METRICS = {"fid_hybrid": 12.341, "label_agreement": 0.5, "code_mean": 0.25}


def trained(folder: Path, family: str, body: str = "mlp", **options: object) -> Path:
    """Train a few steps into a run folder as a worker leaves it, metrics made up."""
    run = tiny_run(family, steps=5, body=body, **options)
    job = Job(run, "0" * 64, folder)
    _describe(job, Context(offline=True, device="cpu", results=folder))
    split = load("digits").train
    assert train([run], [split], [folder], torch.device("cpu"), [Watch()]) == ["trained"]
    (folder / "metrics.json").write_text(json.dumps({"rows": {"": METRICS}}))
    return folder


def scored(folder: Path, game: Game, average: bool = False) -> Game:
    """Return the scoring copy of what a folder holds, and leave its statistics there."""
    copy = scoring_copy(game, load("digits").train, PROTOCOLS["digits"])
    write_statistics(copy, folder, average)
    return copy


@pytest.fixture(scope="module")
def bigan(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = trained(tmp_path_factory.mktemp("runs") / "bigan", "bigan")
    normalise(folder, None)
    return folder


@pytest.fixture
def copied(bigan: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(bigan, tmp_path / "run"))


def images() -> torch.Tensor:
    return load("digits").test.images[:5].float() / 127.5 - 1


@pytest.mark.parametrize("family", FAMILIES)
def test_a_loaded_game_is_the_one_that_was_scored(family: str, tmp_path: Path) -> None:
    folder = trained(tmp_path / family, family)
    copy = zoo_without_statistics(folder)
    expected = scored(folder, copy)
    game = zoo.load(folder)
    assert not game.training
    assert not any(p.requires_grad for p in game.parameters())
    z = torch.randn(3, 4, generator=torch.Generator().manual_seed(0))
    assert torch.equal(game.generate(z), expected.generate(z))
    if "encode" in game.capabilities:
        assert torch.equal(game.encode(images()), expected.encode(images()))


def zoo_without_statistics(folder: Path) -> Game:
    """Return a folder's game with training's running statistics, by another way than the zoo's."""
    from safetensors.torch import load_file

    from benchmarks.planning.config import Run
    from benchmarks.training.loop import build

    game = build(Run(**json.loads((folder / "config.json").read_text())["run"]))
    game.load_state_dict(load_file(folder / "weights.safetensors"))
    return game


def test_statistics_are_not_those_of_training(bigan: Path) -> None:
    biased, game = zoo_without_statistics(bigan).eval(), zoo.load(bigan)
    assert not torch.allclose(biased.encode(images()), game.encode(images()), atol=1e-3)
    # Recomputed on real images, E's normalised activations have mean 0 over the training set.
    x = load("digits").train.images.float() / 127.5 - 1
    norm = next(m for m in game.E.modules() if isinstance(m, torch.nn.BatchNorm1d))
    seen: list[torch.Tensor] = []
    norm.register_forward_hook(lambda module, given, out: seen.append(out))
    game.encode(x)
    assert (seen[0] - norm.bias).mean(0).abs().max() < 0.05


def test_averaged_weights(tmp_path: Path) -> None:
    folder = trained(tmp_path / "run", "bigbigan", average=0.5)
    normalise(folder, None)
    last, averaged = zoo.load(folder), zoo.load(folder, average=True)
    assert not torch.equal(last.G.state_dict()["0.weight"], averaged.G.state_dict()["0.weight"])
    assert not Pretrained.from_run(folder, average=True).origin["metrics"]


BREAK: dict[str, tuple[Callable[[Path], object], str]] = {
    "config.json": (lambda f: (f / "config.json").unlink(), "no config.json"),
    "weights": (lambda f: (f / "weights.safetensors").unlink(), "copied without its weights"),
    "statistics": (
        lambda f: (f / "statistics.safetensors").unlink(),
        "python -m benchmarks.evaluation.normalise",
    ),
    "damaged": (lambda f: (f / "weights.safetensors").write_bytes(b"x" * 40), "is damaged"),
    "unfinished": (
        lambda f: [(f / "weights.safetensors").unlink(), (f / "checkpoint.pt").touch()],
        "training is not finished",
    ),
    "diverged": (
        lambda f: [
            (f / "weights.safetensors").unlink(),
            (f / "training.json").write_text('{"status": "diverged"}'),
        ],
        "the run diverged",
    ),
    "other code": (lambda f: edit(f, "networks", "width", 32), "do not fit the networks"),
    "other data": (lambda f: edit(f, "dataset", None, "digitz"), "does not know"),
    "other family": (lambda f: edit(f, "family", None, "gone/mine.py"), "is not here"),
}


def edit(folder: Path, name: str, within: str | None, value: object) -> None:
    """Change an entry of a run's configuration."""
    config = json.loads((folder / "config.json").read_text())
    place, key = (config["run"], name) if within is None else (config["run"][name], within)
    place[key] = value
    (folder / "config.json").write_text(json.dumps(config))


@pytest.mark.parametrize("what", BREAK)
def test_a_folder_that_gives_no_model_says_why(what: str, copied: Path) -> None:
    spoil, message = BREAK[what]
    spoil(copied)
    with pytest.raises(ModelError, match=message):
        zoo.load(copied)
    assert export_main([str(copied), str(copied / "out")]) == 2


def test_no_averages_and_no_folder(bigan: Path) -> None:
    with pytest.raises(ModelError, match="kept no average of their weights"):
        zoo.load(bigan, average=True)
    with pytest.raises(ModelError, match="nowhere is neither a run folder nor a published model"):
        zoo.load("nowhere")


def test_hub_round_trip_in_a_local_folder(bigan: Path, tmp_path: Path) -> None:
    model = Pretrained.from_run(bigan)
    model.save_pretrained(tmp_path / "one")
    again = Pretrained.from_pretrained(str(tmp_path / "one"))
    z = torch.randn(3, 4, generator=torch.Generator().manual_seed(0))
    assert torch.equal(again.game.generate(z), zoo.load(bigan).generate(z))
    assert torch.equal(again.game.encode(images()), zoo.load(bigan).encode(images()))
    assert not again.game.training
    again.save_pretrained(tmp_path / "two")  # what it knows of itself travels with it
    for name in ("README.md", "config.json", "model.safetensors"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_the_card_shows_the_run_s_own_numbers(bigan: Path) -> None:
    card = str(Pretrained.from_run(bigan).generate_model_card())
    metrics = json.loads((bigan / "metrics.json").read_text())["rows"][""]
    assert len(metrics) >= 3
    for name, value in metrics.items():
        assert f"| `{name}` | {value:.4g} |" in card
    assert "mlp networks of width 16, z of\n4 dimensions (normal prior),\n5 updates of 8" in card
    assert "license: mit" in card


def test_the_hub_refuses_what_does_not_fit(bigan: Path, copied: Path, tmp_path: Path) -> None:
    Pretrained.from_run(bigan).save_pretrained(tmp_path / "saved")
    config = json.loads((tmp_path / "saved" / "config.json").read_text())
    config["family"] = "gan"
    (tmp_path / "saved" / "config.json").write_text(json.dumps(config))
    with pytest.raises(RuntimeError, match="Unexpected key"):
        Pretrained.from_pretrained(str(tmp_path / "saved"))
    with pytest.raises(ModelError, match="no family of the zoo"):
        Pretrained("mine.py", {}, {}, [1, 8, 8], {})


@pytest.mark.long
@pytest.mark.parametrize(
    ("family", "body"), [("bigan", "mlp"), ("bigbigan", "conv"), ("bigan", "bigan_paper")]
)
def test_onnx_says_what_pytorch_says(family: str, body: str, tmp_path: Path) -> None:
    folder = trained(tmp_path / "run", family, body=body)
    normalise(folder, None)
    files = export(folder, tmp_path / "out")
    assert [path.name for path in files] == ["generator.onnx", "encoder.onnx"]
    game = zoo.load(folder)
    z = torch.randn(7, 4, generator=torch.Generator().manual_seed(0))
    for path, name, given, expected in (
        (files[0], "z", z, game.generate(z)),
        (files[1], "x", images(), game.encode(images())),
    ):
        session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
        (found,) = session.run(None, {name: given.numpy()})
        np.testing.assert_allclose(found, expected.numpy(), atol=1e-5)


@pytest.mark.slow
def test_onnx_of_a_gan_is_a_generator_alone(tmp_path: Path) -> None:
    folder = trained(tmp_path / "run", "gan")
    normalise(folder, None)
    assert export_main([str(folder), str(tmp_path / "out")]) == 0
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["generator.onnx"]
    weights = (folder / "weights.safetensors").stat().st_size
    assert (tmp_path / "out" / "generator.onnx").stat().st_size < 2 * weights


def test_importing_the_zoo_loads_no_torch() -> None:
    code = "import sys, zoo; zoo.load; print('torch' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "False"
