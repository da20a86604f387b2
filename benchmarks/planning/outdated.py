"""Why a run is outdated or missing: in what it differs from the nearest run that is there."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from benchmarks.common.files import read_json
from benchmarks.planning.config import Run
from benchmarks.planning.identity import versions_of
from datasets.registry import DATASETS

MOST = 3
"""Differences that are named; a run with more of them is not near."""
VERSION = "numerics version of "
DATA = "content of "


def recipe_of(run: Run) -> dict[str, Any]:
    """Return all that a run's identity is made of, as its config.json keeps it."""
    return {
        "run": run.model_dump(mode="json"),
        "data": DATASETS[run.dataset].digest,
        "versions": versions_of(run),
    }


def is_outdated(run: Run, folder: Path) -> bool:
    """Whether a row's folder holds this very run, but of other data or numerics versions."""
    return any(
        found and all(name.startswith((VERSION, DATA)) for name in found)
        for config in _configs(folder, f"seed{run.seed}-*")
        for found in [_differences(run, config)]
    )


def why_not_there(run: Run, folder: Path) -> str:
    """Say why a run has no numbers, from the runs beside its folder; empty if none is near.

    Args:
        run: what is asked for.
        folder: where it would be, results/runs/<dataset>/<row>/seed<n>-<identity>.

    """
    near: dict[str, str] | None = None
    for config in _configs(folder.parent.parent.parent, f"*/*/seed{run.seed}-*"):
        found = _differences(run, config)
        if found and (near is None or len(found) < len(near)):
            near = found
    if near is None or len(near) > MOST:
        return ""
    return f"{'; '.join(near.values())} as in the nearest run there"


def differing(run: Run, config: Mapping[str, Any]) -> list[str]:
    """Return a line for everything in which a run differs from the one of a config.json."""
    return list(_differences(run, config).values())


def _configs(folder: Path, runs: str) -> Iterator[Mapping[str, Any]]:
    for path in sorted(folder.glob(f"{runs}/config.json")):
        config = read_json(path)
        if config is not None and isinstance(config.get("run"), dict):
            yield config


def _differences(run: Run, config: Mapping[str, Any]) -> dict[str, str]:
    """Return name -> in what a run differs from one that is there, in words."""
    own, other = _named(recipe_of(run)), _named(config)
    return {
        name: f"{name} is {_short(own.get(name))}, not {_short(other.get(name))}"
        for name in dict.fromkeys([*own, *other])
        if own.get(name) != other.get(name)
    }


def _named(recipe: Mapping[str, Any]) -> dict[str, Any]:
    """Return what makes two runs the same, by the names that people know."""
    run = recipe["run"]
    versions = {f"{VERSION}{name}": v for name, v in recipe.get("versions", {}).items()}
    data = {f"{DATA}{run.get('dataset')}": recipe.get("data")}
    return {n: v for n, v in flat(run).items() if v is not None} | data | versions


def _short(value: Any) -> str:
    """Return a value as a sentence has room for it; a digest by its first letters."""
    text = "not set" if value is None else str(value)
    return text[:8] if len(text) == 64 else text


def flat(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return nested settings by dotted names."""
    named: dict[str, Any] = {}
    for name, value in values.items():
        inner = flat(value) if isinstance(value, dict) else None
        named |= {name: value} if inner is None else {f"{name}.{k}": v for k, v in inner.items()}
    return named
