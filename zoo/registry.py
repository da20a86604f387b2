"""Names of the families and of the bodies; imports no torch, so that listing them is quick."""

import ast
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

FAMILIES = (
    *("gan", "gan_qp", "wgan_gp", "autoencoder", "vae"),
    *("latent_regressor", "joint_latent_regressor"),
    *("bigan", "ali", "bigan_qp", "aegan", "bigbigan"),
)
"""Family ids are module names of this package, in the order of the tables."""


def source(family: str) -> Path:
    """Return the file of a family id, or of a family outside the repository given by path."""
    if family.endswith(".py"):
        return Path(family)
    return Path(__file__).parent / "families" / f"{family}.py"


@cache
def bodies() -> list[str]:
    """Return the names of the network bodies: modules of `zoo.networks` that define `network`."""
    files = Path(__file__).with_name("networks").glob("*.py")
    return sorted(path.stem for path in files if "\ndef network(" in path.read_text())


@cache
def presets() -> dict[str, dict[str, dict[str, Any]]]:
    """Return family id -> its faithful preset: networks, training, options."""
    with Path(__file__).with_name("presets.toml").open("rb") as file:
        return tomllib.load(file)


def describe(family: str) -> str:
    """Return the first line of the family's docstring."""
    docstring = ast.get_docstring(ast.parse(source(family).read_text()))
    return docstring.splitlines()[0] if docstring else family


SAID = ("TITLE", "COLOUR", "LABELS", "NOTES", "VARIANTS")
"""What a family's file may say of itself, as literals."""


@dataclass(frozen=True)
class About:
    """What a family's file says of itself beside its game.

    Attributes:
        title: its name as papers write it.
        colour: its own in every figure, "#rrggbb"; "" if it has none.
        labels: loss term, or "player/term", -> what it looks at.
        notes: what a reader of its numbers should know; `{option}` stands for an option's value.
        variants: option -> the file that holds the variant which has it.

    """

    title: str
    colour: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    variants: Mapping[str, str] = field(default_factory=dict)


@cache
def about(family: str) -> About:
    """Return what a family's file says of itself: TITLE, COLOUR, LABELS, NOTES, VARIANTS.

    They are literals, read and not imported: reports need no torch. A file outside the repository
    may leave out any of them; one that is gone has its name alone.
    """
    path = source(family)
    found: dict[str, Any] = {}
    for node in ast.parse(path.read_text()).body if path.is_file() else ():
        if isinstance(node, ast.Assign):
            found |= _literals(node)
    return About(
        title=found.get("TITLE", path.stem),
        colour=found.get("COLOUR", ""),
        labels=found.get("LABELS", {}),
        notes=found.get("NOTES", ()),
        variants=found.get("VARIANTS", {}),
    )


def _literals(node: ast.Assign) -> dict[str, Any]:
    """Return name -> value of an assignment of literals, to one name or to several at once."""
    target = node.targets[0]
    names = target.elts if isinstance(target, ast.Tuple) else [target]
    value, several = node.value, isinstance(target, ast.Tuple)
    values = value.elts if several and isinstance(value, ast.Tuple) else [value]
    return {
        name.id: ast.literal_eval(value)
        for name, value in zip(names, values, strict=False)
        if isinstance(name, ast.Name) and name.id in SAID
    }


def sources(family: str, options: Iterable[str] = ()) -> list[Path]:
    """Return the file of a family, and those of the variants that have some of the options."""
    variants = about(family).variants
    return [source(family), *(source(name) for o, name in variants.items() if o in options)]


def default_of(family: str, option: str) -> Any:
    """Return the default of a family's option, as its constructor's source has it.

    Raises:
        KeyError: there is no such option with a literal default.

    """
    path = sources(family, [option])[-1]
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef) and node.name == "__init__":
            named = node.args.args[len(node.args.args) - len(node.args.defaults) :]
            for argument, default in zip(named, node.args.defaults, strict=True):
                if argument.arg == option:
                    return ast.literal_eval(default)
    raise KeyError(f"{family} has no option {option!r}")
