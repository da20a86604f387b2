"""Put a game together from its family, options and networks."""

import importlib.util
import inspect
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from zoo.game import Game
from zoo.networks import Builder
from zoo.priors import PRIORS
from zoo.registry import source


def family_class(family: str) -> type[Game]:
    """Return the class of a family id, or of a family file outside the repository.

    Raises:
        ValueError: the file has no `Family`, or it is no `Game`.

    """
    found = getattr(_module(family), "Family", None)
    if not (inspect.isclass(found) and issubclass(found, Game)):
        raise ValueError(f"{source(family)} must set `Family` to a subclass of zoo.game.Game")
    return found


def options_of(family: str) -> dict[str, Any]:
    """Return the family's options and their defaults, as its constructor names them."""
    parameters = inspect.signature(family_class(family).__init__).parameters
    return {
        name: parameter.default
        for name, parameter in parameters.items()
        if parameter.default is not inspect.Parameter.empty
    }


def assemble(
    family: str,
    options: Mapping[str, Any],
    *,
    body: str,
    width: int,
    latent_dim: int,
    prior: str,
    image_shape: tuple[int, int, int],
    seed_of: Callable[[str], int],
) -> Game:
    """Build a game on the CPU, its weights drawn from `seed_of(network name)`.

    Raises:
        ValueError: an option's value is not allowed, or the body lacks a network the family needs.

    """
    build = Builder(body, image_shape, latent_dim, width, seed_of)
    # mypy cannot know a family's constructor; the contract fixes (build, prior, **options).
    make: Callable[..., Game] = family_class(family)
    game = make(build, PRIORS[prior](latent_dim), **options)
    game.image_range = build.image_range
    return game


def _module(family: str) -> ModuleType:
    path = source(family)
    if path.parent == Path(__file__).parent / "families":
        return importlib.import_module(f"zoo.families.{path.stem}")
    spec = importlib.util.spec_from_file_location(f"outside_zoo_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise ValueError(f"{path} cannot be loaded as a Python file")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
