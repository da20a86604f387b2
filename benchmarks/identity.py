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
    asked = run.model_dump(mode="json", exclude_none=True)
    return _digest({"run": asked, "data": DATASETS[run.dataset].digest})


def training_identity(run: Run) -> str:
    """Digest of the configuration, the data and the sources that a training of it executes."""
    return _digest({"configuration": configuration_digest(run), "sources": source_digest(run)})


def source_digest(run: Run) -> str:
    """Digest of the training code: comments, docstrings and layout do not count.

    Other families' and datasets' files are left out: adding one moves no existing number.
    """
    dataset = ROOT / "datasets" / f"{run.dataset}.py"
    files = [*_shared_sources(), dataset, *_family_sources(source(run.game))]
    return _digest([_normalised(path) for path in files])


def _shared_sources() -> list[Path]:
    own = {source(family) for family in FAMILIES} | {
        ROOT / "datasets" / f"{name}.py" for name in DATASETS
    }
    # The registries name things; what they name is hashed by itself.
    own |= {ROOT / "zoo" / "registry.py", ROOT / "datasets" / "registry.py"}
    rooms = (ROOT / "zoo", ROOT / "datasets", ROOT / "benchmarks" / "harness")
    return sorted(path for room in rooms for path in room.rglob("*.py") if path not in own)


def _family_sources(path: Path) -> list[Path]:
    """Return a family's file and those of the families it is built on."""
    found = [path]
    for file in found:
        for node in ast.walk(ast.parse(file.read_text())):
            module = getattr(node, "module", None) if isinstance(node, ast.ImportFrom) else None
            if module and module.startswith("zoo."):
                other = source(module.removeprefix("zoo."))
                if other.stem in FAMILIES and other not in found:
                    found.append(other)
    return found


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
