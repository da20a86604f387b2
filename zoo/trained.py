"""From a run folder to a ready game; what `zoo.load` does."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from datasets.registry import DATASETS
from zoo.build import assemble
from zoo.game import Game

MODELS = Path(__file__).resolve().parent.parent / "results" / "published" / "models"
MANIFEST, SCHEMA = "manifest.json", 1


class ModelError(Exception):
    """A folder that gives no model; the message says which, why and what to do."""


@dataclass(frozen=True)
class Recipe:
    """What a game is assembled from, as plain values that JSON can hold.

    Attributes:
        family: a family id, or the path of a family file.
        options: the family's options that are not at their defaults.
        networks: body, width, latent_dim and prior.
        image_shape: (channels, height, width).

    """

    family: str
    options: dict[str, Any]
    networks: dict[str, Any]
    image_shape: tuple[int, ...]

    def assemble(self) -> Game:
        """Return the game with some first weights, on the CPU."""
        channels, height, width = self.image_shape
        shape = (channels, height, width)
        return assemble(
            self.family, self.options, **self.networks, image_shape=shape, seed_of=lambda name: 0
        )

    def plain(self) -> dict[str, Any]:
        """Return the fields by name, as JSON gives them back."""
        fields: dict[str, Any] = json.loads(json.dumps(asdict(self)))
        return fields


def load(name: str | Path, average: bool = False) -> Game:
    """Return a trained game; see `zoo.load`."""
    folder = folder_of(name)
    check_digests(folder)
    return filled(recipe_of(folder).assemble(), state_of(folder, average), folder)


def published() -> list[str]:
    """Return the names of the trained models that the repository holds: "digits/bigan", ..."""
    return sorted(path.parent.relative_to(MODELS).as_posix() for path in MODELS.glob("*/*/*.json")
                  if path.name == MANIFEST)  # fmt: skip


def folder_of(name: str | Path) -> Path:
    """Return the folder of a published model by its name, or of a run by its path.

    Raises:
        ModelError: it is neither.

    """
    if (MODELS / name / MANIFEST).is_file():
        return MODELS / name
    if not Path(name).exists():
        raise ModelError(
            f"{name} is neither a run folder nor a published model; there are: "
            f"{', '.join(published()) or 'none here'}"
        )
    return Path(name)


def check_digests(folder: Path) -> None:
    """Check a published model's files against its manifest; other folders have none.

    Raises:
        ModelError: the manifest cannot be read, or a file is absent, not named by it, or not what
            was published.

    """
    if not (folder / MANIFEST).exists():
        return
    manifest = read(folder / MANIFEST) or {}
    files, here = manifest.get("files"), {path.name for path in folder.iterdir()} - {MANIFEST}
    if manifest.get("schema") != SCHEMA or not isinstance(files, dict) or here != files.keys():
        raise ModelError(
            f"{folder / MANIFEST} does not say what every file should be; check it out again"
        )
    for name, digest in files.items():
        path = folder / name
        content = path.read_bytes() if path.is_file() else b""
        if hashlib.sha256(content).hexdigest() != digest:
            raise ModelError(f"{path} is not the file that was published; check it out again")


def filled(game: Game, state: Mapping[str, Tensor], folder: Path) -> Game:
    """Put weights into a game, and freeze it in inference mode.

    Raises:
        ModelError: they are not of these networks.

    """
    try:
        game.load_state_dict(state)
    except RuntimeError as error:
        commit = (read(folder / "environment.json") or {}).get("commit") or "unknown"
        raise ModelError(
            f"{folder}: the weights do not fit the networks that this code builds; check out the "
            f"commit that trained them, {commit}, or train the run again ({error})"
        ) from error
    return game.requires_grad_(False).eval()


def recipe_of(folder: Path) -> Recipe:
    """Read what a run folder's game is assembled from.

    Raises:
        ModelError: this is no run folder, or of a dataset or family that is not here.

    """
    config = read(folder / "config.json")
    if config is None or "run" not in config:
        raise ModelError(
            f"{folder} is no run folder: it has no config.json that says what was trained; "
            "run folders are results/runs/<dataset>/<row>/seed<n>-<identity>"
        )
    run = config["run"]
    if run["dataset"] not in DATASETS:
        raise ModelError(f"{folder}: trained on {run['dataset']!r}, which this code does not know")
    if run["family"].endswith(".py") and not Path(run["family"]).exists():
        raise ModelError(f"{folder}: its family's file {run['family']} is not here")
    shape = DATASETS[run["dataset"]].image_shape
    return Recipe(run["family"], run["options"], run["networks"], shape)


def weights_of(folder: Path, average: bool) -> dict[str, Tensor]:
    """Read the weights as training left them.

    Their batch-norm statistics are running averages of training, biased where a network saw mixed
    batches.

    Raises:
        ModelError: there are none, or their file is damaged.

    """
    path = folder / f"weights{suffix(average)}.safetensors"
    if not path.exists():
        raise ModelError(f"{folder} has no {path.name}: {_why_not(folder, average)}")
    return _tensors(path)


def state_of(folder: Path, average: bool) -> dict[str, Tensor]:
    """Read the weights with the batch-norm statistics that the evaluation recomputed.

    Raises:
        ModelError: a file is absent or damaged.

    """
    weights = weights_of(folder, average)
    path = folder / f"statistics{suffix(average)}.safetensors"
    if not path.exists():
        raise ModelError(
            f"{folder} has no {path.name}, the batch-norm statistics with which a game is scored; "
            f"make them from the training images: python -m benchmarks.evaluation.normalise "
            f"{folder}"
        )
    return weights | _tensors(path)


def suffix(average: bool) -> str:
    """Return what the names of the averaged weights' files have more."""
    return "_average" if average else ""


def read(path: Path) -> dict[str, Any] | None:
    """Read a JSON object; None if there is none."""
    try:
        content = json.loads(path.read_text())
    except (OSError, ValueError):
        return None
    return content if isinstance(content, dict) else None


def _tensors(path: Path) -> dict[str, Tensor]:
    try:
        return load_file(path)
    except SafetensorError as error:
        raise ModelError(f"{path} is damaged ({error}); run the suite again") from error


def _why_not(folder: Path, average: bool) -> str:
    status = (read(folder / "training.json") or {}).get("status")
    if status == "diverged":
        return "the run diverged, so it left none"
    if (folder / "checkpoint.pt").exists():
        return "its training is not finished; the same command goes on with it"
    if average and status == "trained":
        return "its players kept no average of their weights"
    return "the folder was copied without its weights, or never trained"
