"""Sizes that only go down: long files and functions, double names, modules that no test imports."""

import ast
from pathlib import Path

from benchmarks.common.files import ROOT
from tests.test_architecture import RULES, files_of, imports, module_of

LONG_FILES: set[str] = set()
"""Product files of 300 lines and more."""


LONG_FUNCTIONS = {"benchmarks/evaluation/questions.py: of_reconstructions"}
"""Product functions of more than 40 lines, docstring not counted."""


BY_CONTRACT = {
    *("Family", "Variant", "TITLE", "COLOUR", "LABELS", "NOTES", "VARIANTS"),  # a family's file
    *("network", "Generator", "JointDiscriminator", "JOINT_CRITIC", "IMAGE_RANGE"),  # a body's
    *("load", "main", "app"),  # a dataset's file, a command's
    *("evaluate", "evaluate_light", "evaluate_controls", "of_samples", "of_reconstructions"),
}  # fmt: skip
"""Public names that several files define because something looks for them by this name."""


DOUBLE_NAMES = 72
"""How many other public names more than one product file defines."""


TESTED_BY_NAME = {
    "zoo.families.": "by what is parametrised over zoo.registry",
    "zoo.networks.": "by what is parametrised over the bodies, and golden numbers",
    "benchmarks.speed.test_": "a test itself",
}
"""Start of a module's name -> how tests reach it without an import."""


NO_IMPORT = {
    "benchmarks.common.text", "benchmarks.docgen.blocks", "benchmarks.docgen.family_pages",
    "benchmarks.records.plausible", "benchmarks.regression.gate",
    "benchmarks.report.figures.overview", "benchmarks.report.formats.markdown",
    "benchmarks.report.formats.report_json", "benchmarks.report.stats.placement",
    "benchmarks.speed.conftest", "benchmarks.speed.plot", "benchmarks.speed.profile",
    "benchmarks.speed.timing", "benchmarks.training.meters", "datasets.digits", "zoo.check",
}  # fmt: skip
"""Modules that no test file imports yet: commands and other modules call them in tests."""


def product() -> list[Path]:
    """Return the files of the product."""
    return [path for room in RULES for path in files_of(room)]


def test_product_files_are_short() -> None:
    found = {path for path in product() if len(path.read_text().splitlines()) >= 300}
    assert {str(path.relative_to(ROOT)) for path in found} <= LONG_FILES


def lines_of(function: ast.FunctionDef) -> int:
    """Return how many lines a function has without its docstring."""
    first = function.body[0]
    text = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
    documented = (first.end_lineno or 0) - first.lineno + 1 if text else 0
    return (function.end_lineno or 0) - function.lineno + 1 - documented


def test_product_functions_are_short() -> None:
    found = {
        f"{path.relative_to(ROOT)}: {node.name}"
        for path in product()
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef) and lines_of(node) > 40
    }
    assert found <= LONG_FUNCTIONS


def test_the_length_of_a_function_is_counted_without_its_docstring() -> None:
    (function,) = ast.parse('def f():\n    """One.\n\n    Two.\n    """\n    return 1\n').body
    assert isinstance(function, ast.FunctionDef)
    assert lines_of(function) == 2


def public_names(path: Path) -> set[str]:
    """Return the functions, classes and constants that a file defines for others."""
    found: set[str] = set()
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            found.add(node.name)
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        found |= {target.id for target in targets if isinstance(target, ast.Name)}
    return {name for name in found if not name.startswith("_")}


def test_few_public_names_are_defined_twice() -> None:
    places: dict[str, list[str]] = {}
    for path in product():
        for name in public_names(path) - BY_CONTRACT:
            places.setdefault(name, []).append(str(path.relative_to(ROOT)))
    double = {name: where for name, where in places.items() if len(where) > 1}
    assert len(double) <= DOUBLE_NAMES, double


def test_tests_import_every_module() -> None:
    imported = {name for path in (ROOT / "tests").rglob("*.py") for name in imports(path)}
    modules = {module_of(path) for path in product() if path.name != "__init__.py"}
    found = {m for m in modules - imported if not m.startswith(tuple(TESTED_BY_NAME))}
    assert found <= NO_IMPORT
