"""A trained game on the Hugging Face hub, or in a folder of that form, with a card of its numbers.

model = Pretrained.from_run("results/runs/digits/bigan/seed0-...")
model.save_pretrained("folder")  or  model.push_to_hub("name/bigan-digits")
Pretrained.from_pretrained("folder").game.encode(x)
"""

from pathlib import Path
from typing import Any

from huggingface_hub import ModelCard, PyTorchModelHubMixin
from torch import nn

from zoo.registry import FAMILIES, describe
from zoo.trained import (
    ModelError,
    Recipe,
    check_digests,
    filled,
    folder_of,
    read,
    recipe_of,
    state_of,
)

TEMPLATE = Path(__file__).with_name("card.md")


class Pretrained(
    nn.Module,
    PyTorchModelHubMixin,
    library_name="pytorch",
    license="mit",
    tags=["bidirectional-gan", "image-generation", "feature-extraction"],
    model_card_template=TEMPLATE.read_text(),
):
    """A trained game as `game`, with what it takes to assemble it again and how it was measured.

    `generate`, `encode` and the rest are the game's: `Pretrained.from_pretrained(...).game.encode`.

    Args:
        family, options, networks, image_shape: see `zoo.trained.Recipe`.
        origin: where it comes from and its metrics; see `origin_of`.

    Raises:
        ModelError: a family that is not in the zoo; its code would not travel with the weights.

    """

    def __init__(
        self,
        family: str,
        options: dict[str, Any],
        networks: dict[str, Any],
        image_shape: list[int],
        origin: dict[str, Any],
    ) -> None:
        super().__init__()
        if family not in FAMILIES:
            raise ModelError(f"{family!r} is no family of the zoo: add it to zoo/ to share models")
        self.family, self.origin = family, origin
        recipe = Recipe(family, options, networks, tuple(image_shape))
        self.game = recipe.assemble().requires_grad_(False).eval()

    @classmethod
    def from_run(cls, name: str | Path, average: bool = False) -> "Pretrained":
        """Return the model of a finished run, or a published one; errors as `zoo.load`'s."""
        folder = folder_of(name)
        check_digests(folder)
        model = cls(**recipe_of(folder).plain(), origin=origin_of(folder, average))
        filled(model.game, state_of(folder, average), folder)
        return model

    @classmethod
    def _from_pretrained(cls, *, strict: bool = True, **others: Any) -> "Pretrained":
        """Load as the mixin does, but refuse weights that do not fit."""
        model: Pretrained = super()._from_pretrained(strict=strict, **others)
        return model

    def generate_model_card(self, *args: Any, **values: Any) -> ModelCard:
        """Return the card, made from the run's own metrics."""
        measured = self.origin["metrics"]
        return super().generate_model_card(
            *args,
            describe=describe(self.family),
            family=self.family,
            origin=self.origin,
            rows=[
                {"metric": name, "value": f"{value:.4g}"}
                for name, value in sorted(measured.items())
            ],
            **values,
        )


def origin_of(folder: Path, average: bool = False) -> dict[str, Any]:
    """Return on what and how a run was trained, and its metrics (none if it was not evaluated)."""
    config = read(folder / "config.json") or {}
    environment = read(folder / "environment.json") or {}
    rows = (read(folder / "metrics.json") or {}).get("rows", {})
    run = config["run"]
    return {
        "dataset": run["dataset"],
        "tier": run["tier"],
        "seed": run["seed"],
        "networks": run["networks"],
        "training": run["training"],
        "identity": config["identity"],
        "commit": environment.get("commit"),
        "packages": environment.get("packages", {}),
        "averaged": average,
        "metrics": rows.get("average" if average else "", {}),
    }
