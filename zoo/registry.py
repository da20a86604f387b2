"""Names of the families and of the bodies; imports no torch, so that listing them is quick."""

import ast
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

FAMILIES = (
    *("gan", "gan_qp", "autoencoder", "vae", "latent_regressor", "joint_latent_regressor"),
    *("bigan", "ali", "bigan_qp", "aegan", "bigbigan"),
)
"""Family ids are module names of this package, in the order of the tables."""


def source(family: str) -> Path:
    """Return the file of a family id, or of a family outside the repository given by path."""
    if family.endswith(".py"):
        return Path(family)
    return Path(__file__).with_name(f"{family}.py")


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


def default_of(family: str, option: str) -> Any:
    """Return the default of a family's option, as its constructor's source has it.

    Raises:
        KeyError: there is no such option with a literal default.

    """
    for node in ast.walk(ast.parse(source(family).read_text())):
        if isinstance(node, ast.FunctionDef) and node.name == "__init__":
            named = node.args.args[len(node.args.args) - len(node.args.defaults) :]
            for argument, default in zip(named, node.args.defaults, strict=True):
                if argument.arg == option:
                    return ast.literal_eval(default)
    raise KeyError(f"{family} has no option {option!r}")
