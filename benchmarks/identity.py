"""What makes two runs the same: configuration, data and the code that trains, hashed."""

import ast
import hashlib
import json
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

from benchmarks.config import Run
from datasets.registry import DATASETS
from zoo.registry import source

ROOT = Path(__file__).resolve().parent.parent
REGISTRIES = ("zoo.registry", "datasets.registry")
"""They name things; what they name is hashed by itself."""


def configuration_digest(run: Run) -> str:
    """Digest of what was asked for and on which data, whatever the code."""
    asked = run.model_dump(mode="json", exclude_none=True)
    return _digest({"run": asked, "data": DATASETS[run.dataset].digest})


def training_identity(run: Run) -> str:
    """Digest of the configuration, the data and the sources that a training of it executes."""
    return _digest({"configuration": configuration_digest(run), "sources": source_digest(run)})


def source_digest(run: Run) -> str:
    """Digest of the training code: comments, docstrings and layout do not count.

    Only what this run executes is hashed: another family, dataset or network body added to the
    project moves no existing number.
    """
    start = [
        source(run.game),
        ROOT / "zoo" / "networks" / f"{run.networks.body}.py",
        ROOT / "datasets" / f"{run.dataset}.py",
        *sorted((ROOT / "benchmarks" / "harness").glob("*.py")),
    ]
    return _digest([_normalised(path) for path in _with_imports(start)])


def _with_imports(start: Iterable[Path]) -> list[Path]:
    """Return files and, in turn, what they import of the rooms that train."""
    found = list(start)
    for path in found:
        found += [other for other in _imports(path) if other not in found]
    return found


@cache
def _imports(path: Path) -> tuple[Path, ...]:
    names: list[str] = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            names += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        elif isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
    return tuple(
        file
        for name in dict.fromkeys(names)
        if name.startswith(("zoo.", "datasets.")) and name not in REGISTRIES
        for stem in [ROOT.joinpath(*name.split("."))]
        for file in (stem.with_suffix(".py"), stem / "__init__.py")
        if file.is_file()
    )


@cache
def _normalised(path: Path) -> str:
    return ast.unparse(_without_docstrings(ast.parse(path.read_text())))


def _without_docstrings(tree: ast.Module) -> ast.Module:
    for node in ast.walk(tree):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef)):
            # A string statement does nothing when it runs, wherever it stands.
            kept = [statement for statement in node.body if not _is_string(statement)]
            node.body = kept or [ast.Pass()]
    return tree


def _is_string(statement: ast.stmt) -> bool:
    return (
        isinstance(statement, ast.Expr)
        and isinstance(statement.value, ast.Constant)
        and isinstance(statement.value.value, str)
    )


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()
