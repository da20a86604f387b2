"""What makes two runs the same: configuration, data, and the numerics versions of what it uses.

A numerics version says that some code still computes the same numbers. It is kept beside the golden
numbers that a test holds that code to (`benchmarks.regression.numerics`), so code may be moved,
renamed and retimed without making a single run outdated. The text of the sources is provenance.
"""

import ast
import hashlib
import json
import tomllib
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

from benchmarks.common.errors import UserError
from benchmarks.common.files import ROOT
from benchmarks.planning.config import Run
from datasets.registry import DATASETS
from zoo.registry import source, sources

VERSIONS = Path(__file__).with_name("versions.toml")
REGISTRIES = ("zoo.registry", "datasets.registry")
"""They name things; what they name is listed by itself."""
TRAIN = ("zoo.", "datasets.", "benchmarks.training.")
"""The rooms that train."""
Versions = dict[str, int | str]


def configuration_digest(run: Run) -> str:
    """Digest of what was asked for and on which data, whatever the code."""
    asked = run.model_dump(mode="json", exclude_none=True)
    return _digest({"run": asked, "data": DATASETS[run.dataset].digest})


def training_identity(run: Run) -> str:
    """Digest of the configuration, the data and the numerics versions that a training of it uses.

    Raises:
        UserError: something that the run uses has no version in `versions.toml`.

    """
    return _digest({"configuration": configuration_digest(run), "versions": versions_of(run)})


def untrained_identity(run: Run) -> str:
    """Digest of what first weights depend on: the networks and the data, and no training."""
    used = {
        name: version
        for name, version in versions_of(run).items()
        if name.startswith(("body.", "dataset."))
    }
    return _digest({"configuration": configuration_digest(run), "versions": used})


def versions_of(run: Run) -> Versions:
    """Return name -> numerics version of what trains a run, such as {"family.bigan": 1, ...}.

    A family's file outside the repository has no version: its digest stands for one, and those of
    the files beside it that it imports, with the versions of the families that it builds on.
    """
    known, names = numerics_versions(), version_names(run)
    if not run.family.endswith(".py"):
        missing = [name for name in names if name not in known]
        if missing:
            raise UserError(
                f"{', '.join(missing)} has no numerics version; write its golden numbers: "
                "python -m benchmarks.regression.numerics --new"
            )
        return {name: known[name] for name in names}
    own = _with_siblings(source(run.family))
    built_on = [f"family.{other.stem}" for path in own for other in _imports(path)]
    digests: Versions = {f"file.{path.stem}": _file_digest(path) for path in own}
    return digests | {name: known[name] for name in [*names, *built_on] if name in known}


def version_names(run: Run) -> list[str]:
    """Return the names of the versions that a run uses, whether they have a number yet or not.

    Of a family's file outside the repository, those of what is inside.
    """
    engine = "stacked" if run.training.stacked else "eager"
    names = ["training", f"engine.{engine}", f"body.{run.networks.body}", f"dataset.{run.dataset}"]
    return names if run.family.endswith(".py") else [*names, f"family.{run.family}"]


@cache
def numerics_versions() -> dict[str, int]:
    """Return every numerics version by its name: "training", "family.bigan", "body.mlp" ..."""
    content = tomllib.loads(VERSIONS.read_text())
    return {
        **{name: value for name, value in content.items() if not isinstance(value, dict)},
        **{f"{kind}.{name}": v for kind, own in content.items() if isinstance(own, dict)
           for name, v in own.items()},
    }  # fmt: skip


def sources_of(run: Run) -> dict[str, str]:
    """Return file -> digest of the training code that a run executes, for its provenance.

    Comments, docstrings and layout do not count.
    """
    start = [
        *sources(run.family, run.options),
        ROOT / "zoo" / "networks" / f"{run.networks.body}.py",
        ROOT / "datasets" / f"{run.dataset}.py",
        ROOT / "benchmarks" / "training" / "loop.py",
    ]
    return {
        path.relative_to(ROOT).as_posix() if path.is_relative_to(ROOT) else path.name: digest
        for path in _with_imports(start)
        for digest in [_file_digest(path)[:12]]
    }


def _with_imports(start: Iterable[Path]) -> list[Path]:
    """Return files and, in turn, what they import of the rooms that train."""
    found = list(start)
    for path in found:
        found += [other for other in _imports(path) if other not in found]
    return found


def _with_siblings(path: Path) -> list[Path]:
    """Return a file outside the repository and, in turn, the files beside it that it imports."""
    found = [path]
    for file in found:
        beside = [file.parent / f"{name.partition('.')[0]}.py" for name in _names(file)]
        found += [
            other for other in dict.fromkeys(beside) if other.is_file() and other not in found
        ]
    return found


@cache
def _names(path: Path) -> tuple[str, ...]:
    """Return what a file imports: modules, and what may be modules."""
    names: list[str] = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            names += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        elif isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
    return tuple(dict.fromkeys(names))


@cache
def _imports(path: Path) -> tuple[Path, ...]:
    return tuple(
        file
        for name in _names(path)
        if name.startswith(TRAIN) and name not in REGISTRIES
        for stem in [ROOT.joinpath(*name.split("."))]
        for file in (stem.with_suffix(".py"), stem / "__init__.py")
        if file.is_file()
    )


@cache
def _file_digest(path: Path) -> str:
    return hashlib.sha256(_normalised(path).encode()).hexdigest()


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
