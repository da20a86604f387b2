"""What makes two runs the same: configuration, data and the code that trains, hashed."""

import ast
import hashlib
import json
from functools import cache
from pathlib import Path
from typing import Any

from benchmarks.config import Run
from datasets.registry import DATASETS
from zoo.registry import FAMILIES, source

ROOT = Path(__file__).resolve().parent.parent


def configuration_digest(run: Run) -> str:
    """Digest of what was asked for and on which data, whatever the code."""
    return _digest({"run": run.model_dump(mode="json"), "data": DATASETS[run.dataset].digest})


def training_identity(run: Run) -> str:
    """Digest of the configuration, the data and the sources that a training of it executes."""
    return _digest({"configuration": configuration_digest(run), "sources": source_digest(run)})


def source_digest(run: Run) -> str:
    """Digest of the training code: comments, docstrings and layout do not count.

    Other families' and datasets' files are left out: adding one moves no existing number.
    """
    family, dataset = source(run.game), ROOT / "datasets" / f"{run.dataset}.py"
    return _digest([_normalised(path) for path in (*_shared_sources(), dataset, family)])


def _shared_sources() -> list[Path]:
    own = {source(family) for family in FAMILIES} | {
        ROOT / "datasets" / f"{name}.py" for name in DATASETS
    }
    # The registries name things; what they name is hashed by itself.
    own |= {ROOT / "zoo" / "registry.py", ROOT / "datasets" / "registry.py"}
    rooms = (ROOT / "zoo", ROOT / "datasets", ROOT / "benchmarks" / "harness")
    return sorted(path for room in rooms for path in room.rglob("*.py") if path not in own)


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
