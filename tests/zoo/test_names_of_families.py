"""The product names a family in its own files, in the registry and nowhere else."""

import ast
from pathlib import Path

import pytest

from zoo.registry import FAMILIES

ROOT = Path(__file__).parents[2]
GENERAL = ("training", "evaluation", "execution", "records", "report", "common", "docgen")


@pytest.mark.parametrize("room", [*(f"benchmarks/{name}" for name in GENERAL), "zoo"])
def test_no_other_module_knows_a_family(room: str) -> None:
    """Golden numbers and speed have cases of some; planning names the untrained control."""
    files = [path for path in (ROOT / room).rglob("*.py") if path.parent.name != "families"]
    assert files
    for path in files:
        words = {
            node.value for node in ast.walk(ast.parse(path.read_text()))
            if isinstance(node, ast.Constant) and isinstance(node.value, str)
        }  # fmt: skip
        assert path.name == "registry.py" or not words & {*FAMILIES}, path
