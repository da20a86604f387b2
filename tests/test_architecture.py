"""Who may import whom, and where the three top-level names come from."""

import ast
import subprocess
import sys
from collections.abc import Iterable
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

from benchmarks.common.files import ROOT

HEAVY = {
    *("torch", "torchvision", "torch_fidelity", "torchmetrics", "safetensors", "sklearn", "scipy"),
    *("numpy", "pandas", "seaborn", "matplotlib", "statsmodels", "pydantic", "typer", "rich"),
    *("threadpoolctl", "jinja2", "huggingface_hub", "onnx", "onnxruntime", "onnxscript"),
    "tensorboard",
}
OURS = ("zoo", "datasets", "benchmarks", "run_all", "tests")

# room -> the rooms it may import, the heavy packages it may import
RULES: dict[str, tuple[set[str], set[str]]] = {
    "datasets": (set(), {"torch", "torchvision", "sklearn", "numpy"}),
    "zoo": ({"datasets"}, {"torch", "safetensors", "huggingface_hub"}),
    "benchmarks.common": (set(), {"rich", "torch"}),
    "benchmarks.evaluation": (
        {"benchmarks.common", "zoo", "datasets"},
        {"torch", "torchvision", "torch_fidelity", "torchmetrics", "sklearn", "scipy",
         "safetensors", "numpy", "threadpoolctl", "typer"},
    ),
    "benchmarks.planning": (
        {"benchmarks.common", "benchmarks.evaluation", "zoo", "datasets"}, {"pydantic"},
    ),
    "benchmarks.training": (
        {"benchmarks.common", "benchmarks.planning", "zoo", "datasets"}, {"torch", "safetensors"},
    ),
    "benchmarks.records": (
        {"benchmarks.common", "benchmarks.planning", "benchmarks.evaluation", "datasets"},
        {"pydantic"},
    ),
    "benchmarks.execution": (
        {"benchmarks.common", "benchmarks.planning", "benchmarks.training",
         "benchmarks.evaluation", "datasets"},
        {"torch", "numpy", "tensorboard", "rich", "safetensors", "threadpoolctl"},
    ),
    "benchmarks.report": (
        {"benchmarks.common", "benchmarks.planning", "benchmarks.evaluation",
         "benchmarks.records", "zoo", "datasets"},
        {"pandas", "seaborn", "matplotlib", "numpy", "scipy", "statsmodels", "rich", "jinja2",
         "pydantic", "typer"},
    ),
    "benchmarks.regression": (
        {"benchmarks.common", "benchmarks.planning", "benchmarks.training",
         "benchmarks.evaluation", "benchmarks.report", "zoo", "datasets"},
        {"torch", "safetensors", "pandas", "numpy", "scipy", "typer"},
    ),
    "benchmarks.corruptions": (
        {"benchmarks.common", "benchmarks.evaluation", "datasets"},
        {"torch", "torchvision", "typer"},
    ),
    "benchmarks.theory": (
        {"benchmarks.common", "benchmarks.report", "zoo"},
        {"torch", "numpy", "pandas", "scipy", "matplotlib"},
    ),
    "benchmarks.docgen": (
        {"benchmarks.common", "benchmarks.planning", "benchmarks.evaluation",
         "benchmarks.report", "zoo"}, set(),
    ),
    "benchmarks.speed": (
        {"benchmarks.common", "benchmarks.planning", "benchmarks.training",
         "benchmarks.evaluation", "benchmarks.execution", "zoo", "datasets"},
        {"torch", "torchvision", "numpy", "sklearn", "pandas", "matplotlib", "threadpoolctl",
         "typer"},
    ),
    "benchmarks": (
        {"benchmarks.common", "benchmarks.planning", "benchmarks.execution",
         "benchmarks.evaluation", "benchmarks.records", "benchmarks.report",
         "benchmarks.regression", "zoo", "datasets"},
        {"pandas", "torch", "rich"},
    ),
    "run_all": (
        {"benchmarks", "benchmarks.common", "benchmarks.regression", "datasets"},
        {"pydantic", "typer"},
    ),
}  # fmt: skip
TORCH_FREE = ("benchmarks.planning", "benchmarks.records", "benchmarks.report", "benchmarks.docgen")
"""Rooms whose reports and plans must not wait for torch."""
PARTS = {
    "zoo": ["zoo.networks", "zoo", "zoo.families"],
    "benchmarks.evaluation": [
        "benchmarks.evaluation.metrics", "benchmarks.evaluation.extractors",
        "benchmarks.evaluation",
    ],
    "benchmarks.report": [
        "benchmarks.report.stats", "benchmarks.report.data", "benchmarks.report.text",
        "benchmarks.report.figures", "benchmarks.report.formats", "benchmarks.report",
    ],
}  # fmt: skip
"""The parts of a room, from below: each imports only those before it."""


def imports(path: Path) -> set[str]:
    """Return every module a file imports, at any depth of its code."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            assert node.level == 0, f"{path}: relative import"
            submodules = (ROOT / node.module.replace(".", "/")).is_dir()
            found |= {f"{node.module}.{a.name}" if submodules else node.module for a in node.names}
    return found


def room_of(module: str, rooms: Iterable[str] = tuple(RULES)) -> str:
    """Return the room, or part of one, that holds a module: the longest name that fits."""
    return max((r for r in rooms if f"{module}.".startswith(f"{r}.")), key=len)


def files_of(room: str) -> list[Path]:
    """Return the files of a room and of no other."""
    folder = ROOT / room.replace(".", "/")
    found = folder.rglob("*.py") if folder.is_dir() else [folder.with_suffix(".py")]
    return [path for path in found if room_of(module_of(path)) == room]


def module_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def arrows(room: str) -> set[str]:
    """Return the other rooms that a room imports."""
    used = {name for path in files_of(room) for name in imports(path)}
    ours = {name for name in used if name.split(".")[0] in OURS}
    return {room_of(name) for name in ours} - {room}


@pytest.mark.parametrize("room", RULES)
def test_rooms_import_only_what_they_may(room: str) -> None:
    rooms, heavy = RULES[room]
    assert files_of(room)
    assert arrows(room) <= rooms
    for path in files_of(room):
        used = {name.split(".")[0] for name in imports(path)} & HEAVY
        assert used <= heavy, path


def test_rooms_stand_on_few_floors_without_a_circle() -> None:
    graph = {room: arrows(room) for room in RULES}
    floor: dict[str, int] = {}
    for room in TopologicalSorter(graph).static_order():  # raises CycleError
        floor[room] = 1 + max((floor[other] for other in graph[room]), default=0)
    assert max(floor.values()) <= 9, floor
    assert sum(map(len, graph.values())) <= 63


@pytest.mark.parametrize("room", PARTS)
def test_parts_of_a_room_import_only_those_below(room: str) -> None:
    parts = PARTS[room]
    for path in files_of(room):
        part = parts.index(room_of(module_of(path), parts))
        for name in imports(path):
            if f"{name}.".startswith(f"{room}."):
                assert parts.index(room_of(name, parts)) <= part, f"{path}: {name}"


def test_families_know_no_device_optimiser_or_dataset() -> None:
    from zoo.registry import FAMILIES, source

    for family in FAMILIES:
        assert imports(source(family)) <= {
            "torch", "torch.nn.functional", "zoo.game", "zoo.losses", "zoo.priors",
            "zoo.schedules",
        }, family  # fmt: skip
        assert 30 <= len(source(family).read_text().splitlines()) <= 150, family


def test_top_level_names_resolve_inside_the_checkout() -> None:
    code = (
        "import datasets, benchmarks, zoo\nfor m in (datasets, benchmarks, zoo): print(m.__file__)"
    )
    output = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    assert all(Path(name).is_relative_to(ROOT) for name in output.splitlines())


def test_planning_loads_nothing_heavy() -> None:
    code = (
        "import sys; from benchmarks import cli; from benchmarks.common.context import Context; "
        "cli.plan(Context('digits-all')); "
        "print([m for m in ('torch', 'pandas', 'sklearn', 'matplotlib') if m in sys.modules])"
    )
    output = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    assert output.strip() == "[]"


def test_the_installed_package_is_empty() -> None:
    import tomllib

    content = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert content["tool"]["setuptools"]["packages"] == []


def test_what_runs_leave_is_no_uncommitted_change(tmp_path: Path, monkeypatch) -> None:
    from benchmarks.common import environment

    for command in (["init", "-q"], ["config", "user.name", "a"], ["config", "user.email", "a@b"]):
        subprocess.run(["git", *command], cwd=tmp_path, check=True)
    (tmp_path / "code.py").write_text("x = 1\n")
    subprocess.run(["git", "add", "."], cwd=tmp_path, check=True)
    subprocess.run(["git", "commit", "-qm", "first"], cwd=tmp_path, check=True)
    monkeypatch.setattr(environment, "ROOT", tmp_path)
    (tmp_path / "results" / "published").mkdir(parents=True)
    (tmp_path / "results" / "published" / "manifest.json").write_text("{}")
    assert environment.environment("cpu", 1)["dirty"] is False
    (tmp_path / "code.py").write_text("x = 2\n")
    assert environment.environment("cpu", 1)["dirty"] is True
    (tmp_path / "code.py").write_text("x = 1\n")
    (tmp_path / "new.py").write_text("")
    assert environment.environment("cpu", 1)["dirty"] is True


# Size and names. Each number or list of what is still too long or double may only shrink.
