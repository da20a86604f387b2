"""Who may import whom, and where the three top-level names come from."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
HEAVY = {
    *("torch", "torchvision", "torch_fidelity", "safetensors", "sklearn", "scipy", "numpy"),
    *("pandas", "seaborn", "matplotlib", "pydantic", "typer", "rich", "threadpoolctl", "jinja2"),
    *("huggingface_hub", "onnx", "onnxruntime", "onnxscript", "tensorboard"),
}
NEUTRAL = {
    *("benchmarks.errors", "benchmarks.files", "benchmarks.config", "benchmarks.keys"),
    "benchmarks.golden",
}
"""Small modules (heavy: only pydantic, in config) that every room of benchmarks may use."""

# room -> our modules it may import (prefixes), heavy packages it may import
RULES: dict[str, tuple[set[str], set[str]]] = {
    "datasets": ({"datasets"}, {"torch", "torchvision", "sklearn", "numpy"}),
    "zoo": ({"zoo"}, {"torch"}),
    "zoo/trained.py": ({"zoo", "datasets.registry"}, {"torch", "safetensors"}),
    "zoo/export.py": ({"zoo"}, {"torch"}),
    "zoo/hub.py": ({"zoo", "benchmarks.evaluation.registry"}, {"torch", "huggingface_hub"}),
    "benchmarks/training": (
        {"benchmarks.training", "zoo", "datasets", *NEUTRAL},
        {"torch", "safetensors"},
    ),
    "benchmarks/training/numerics.py": (
        {"benchmarks.training", "benchmarks.evaluation.golden", "benchmarks.evaluation",
         "benchmarks.identity", *NEUTRAL},
        {"typer"},
    ),
    "benchmarks/evaluation": (
        {"benchmarks.evaluation", "zoo", "datasets", "benchmarks.errors", "benchmarks.files",
         "benchmarks.golden"},
        {"torch", "torchvision", "torch_fidelity", "sklearn", "scipy", "safetensors", "numpy",
         "threadpoolctl", "typer"},
    ),
    "benchmarks/report": (
        {"benchmarks.report", "benchmarks.plan", "benchmarks.resolve", "benchmarks.rows",
         "benchmarks.identity", "benchmarks.evaluation.control_rows",
         "benchmarks.evaluation.protocol", "benchmarks.evaluation.registry", "datasets.registry",
         "benchmarks.nearest", "benchmarks.published", "benchmarks.records", "zoo.registry",
         *NEUTRAL},
        {"pandas", "seaborn", "matplotlib", "numpy", "scipy", "rich", "pydantic", "jinja2",
         "typer"},
    ),
    "benchmarks/speed": (
        {"benchmarks.speed", "benchmarks.training", "benchmarks.evaluation", "benchmarks.plan",
         "benchmarks.identity", "benchmarks.environment", "benchmarks.execute", "zoo", "datasets",
         *NEUTRAL},
        {"torch", "torchvision", "numpy", "sklearn", "pandas", "pytest", "pytest_benchmark",
         "matplotlib", "threadpoolctl", "typer"},
    ),
    "benchmarks/resolve.py": ({"datasets.registry", "zoo.registry", *NEUTRAL}, {"pydantic"}),
    "benchmarks/rows.py": (
        {"benchmarks.resolve", "benchmarks.evaluation.control_rows",
         "benchmarks.evaluation.registry", "datasets.registry", "zoo.registry", *NEUTRAL},
        set(),
    ),
    "benchmarks/trial.py": (
        {"benchmarks.resolve", "datasets.registry", "zoo.assembly", "zoo.game", *NEUTRAL},
        set(),
    ),
    "benchmarks/plan.py": (
        {"benchmarks.evaluation.protocol", "benchmarks.identity", "benchmarks.nearest",
         "benchmarks.resolve", "benchmarks.rows", "benchmarks.trial", *NEUTRAL},
        {"pydantic"},
    ),
    "benchmarks/documents": (
        {"benchmarks.documents", "benchmarks.evaluation", "benchmarks.identity", "benchmarks.plan",
         "benchmarks.resolve", "zoo", *NEUTRAL},
        set(),
    ),
    "benchmarks/plausible.py": (
        {"benchmarks.evaluation.registry", "datasets.registry"},
        set(),
    ),
    "benchmarks/records.py": (
        {"benchmarks.plausible", "datasets.registry", *NEUTRAL},
        {"pydantic"},
    ),
    "benchmarks/published.py": (
        {"benchmarks.evaluation.protocol", "benchmarks.identity", "benchmarks.nearest",
         "benchmarks.plan", "benchmarks.records", *NEUTRAL},
        set(),
    ),
    "benchmarks/nearest.py": ({"benchmarks.identity", "datasets.registry", *NEUTRAL}, set()),
    "benchmarks/tensorboard.py": (
        {"benchmarks.plan", "benchmarks.worker", *NEUTRAL},
        {"torch", "numpy", "tensorboard"},
    ),
    "benchmarks/regression.py": (
        {"benchmarks.evaluation.protocol", "benchmarks.evaluation.registry",
         "benchmarks.report.statistics", "benchmarks.report.comparison",
         "benchmarks.identity", "benchmarks.plan",
         *NEUTRAL},
        {"pandas", "numpy", "scipy"},
    ),
}  # fmt: skip


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


@pytest.mark.parametrize("room", RULES)
def test_rooms_import_only_what_they_may(room: str) -> None:
    ours, heavy = RULES[room]
    where = ROOT / room
    for path in [where] if where.is_file() else where.rglob("*.py"):
        if path != where and str(path.relative_to(ROOT)) in RULES:
            continue  # it has rules of its own
        for name in imports(path):
            top = name.split(".")[0]
            if top in ("zoo", "datasets", "benchmarks", "run_all", "tests"):
                assert any(name == o or name.startswith(f"{o}.") for o in ours), f"{path}: {name}"
            elif top in HEAVY:
                assert top in heavy, f"{path}: {name}"


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
        "import sys; from benchmarks import command; "
        "command.plan('digits-all', None, [], None, [], False, __import__('pathlib').Path('r')); "
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
    from benchmarks import environment

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
