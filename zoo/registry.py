"""Names of the families; imports no torch, so that listing them costs nothing."""

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
def presets() -> dict[str, dict[str, dict[str, Any]]]:
    """Return family id -> its faithful preset: networks, training, options."""
    with Path(__file__).with_name("presets.toml").open("rb") as file:
        return tomllib.load(file)


def describe(family: str) -> str:
    """Return the first line of the family's docstring."""
    docstring = ast.get_docstring(ast.parse(source(family).read_text()))
    return docstring.splitlines()[0] if docstring else family
