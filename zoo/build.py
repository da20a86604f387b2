"""Put a game together from its family, options and networks."""

import importlib.util
import inspect
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from zoo.game import Game
from zoo.networks import Builder
from zoo.priors import PRIORS
from zoo.registry import about, source


def family_class(family: str, options: Iterable[str] = ()) -> type[Game]:
    """Return the class of a family id, or of a family file outside the repository.

    Args:
        family: an id or a path.
        options: names of options; one that a variant has makes the class that variant, two of them
            one class of both.

    Raises:
        ValueError: the file has no `Family`, or it is no `Game`.

    """
    found = getattr(_module(family), "Family", None)
    if not (inspect.isclass(found) and issubclass(found, Game)):
        raise ValueError(f"{source(family)} must set `Family` to a subclass of zoo.game.Game")
    variants = [
        _module(name).Variant
        for option, name in about(family).variants.items()
        if option in options
    ]
    if len(variants) > 1:
        return type(found.__name__, tuple(variants), {})
    return variants[0] if variants else found


def options_of(family: str) -> dict[str, Any]:
    """Return the options of a family and of its variants with their defaults.

    As the constructors name them.
    """
    variants = [_module(name).Variant for name in about(family).variants.values()]
    return {
        name: parameter.default
        for owner in (family_class(family), *variants)
        for name, parameter in inspect.signature(owner.__init__).parameters.items()
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
    make: Callable[..., Game] = family_class(family, options)
    game = make(build, PRIORS[prior](latent_dim), **options)
    game.image_range = build.image_range
    game.image_shape, game.latent_dim = image_shape, latent_dim
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
