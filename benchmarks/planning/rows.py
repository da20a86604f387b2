"""What a suite's file says of its rows: files and variants made rows, and every name checked."""

import ast
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from benchmarks.common.errors import UserError, unknown
from benchmarks.evaluation.control_rows import CONTROLS
from benchmarks.evaluation.protocol import PROTOCOLS
from benchmarks.evaluation.registry import METRICS
from benchmarks.planning.config import Claim, Published, Suite
from benchmarks.planning.keys import Key
from benchmarks.planning.resolve import Resolved, resolve, row_name
from datasets.registry import DATASETS
from zoo.registry import FAMILIES, bodies, presets, source

BASE = "base"
"""What the setting of rows that vary none is called."""


def with_files_as_rows(suite: Suite, folder: Path = Path()) -> Suite:
    """Make a row, called after it, of each family file, so that it is set like any other row.

    Args:
        suite: may name files in `families` and in a row's `family`.
        folder: where the relative ones start.

    """

    def located(family: str) -> str:
        return str(folder / family) if family.endswith(".py") else family

    rows = {
        row_name(name): row | ({"family": located(str(row["family"]))} if "family" in row else {})
        for name, row in suite.rows.items()
    }
    for family in suite.families:
        if family.endswith(".py"):
            rows[row_name(family)] = rows.get(row_name(family), {}) | {"family": located(family)}
    names = tuple(map(row_name, suite.families))
    return suite.model_copy(update={"families": names, "rows": rows})


def with_variants(suite: Suite) -> Suite:
    """Return the suite with its rows, and those of its short form, once more for each variant.

    What the file itself says of such a row stands over the variant.

    Raises:
        UserError: the file says itself which rows are varied.

    """
    if suite.varied:
        raise UserError("varied is not for a suite's file to say; it follows from variants")
    rows, varied = dict(suite.rows), {}
    for variant, changes in suite.variants.items():
        for base in suite.families:
            name = _under(base, variant)
            own, given = suite.rows.get(base, {}), suite.rows.get(name, {})
            rows[name] = _merged({"family": base}, own, changes, given)
            varied[name] = base, variant
    changed: dict[str, Any] = {"rows": rows, "varied": varied}
    changed["families"] = _everywhere(suite.families, suite)
    if suite.short and suite.short.families:
        families = _everywhere(suite.short.families, suite)
        changed["short"] = suite.short.model_copy(update={"families": families})
    return suite.model_copy(update=changed)


def _under(base: str, variant: str) -> str:
    return f"{base}_{variant}"


def _everywhere(families: Iterable[str], suite: Suite) -> tuple[str, ...]:
    """Return the rows, then those of each variant."""
    return (*families, *(_under(name, v) for v in suite.variants for name in families))


def _merged(*tables: Mapping[str, Any]) -> dict[str, Any]:
    """Return tables over each other, that of a room too."""
    merged: dict[str, Any] = {}
    for name, value in (item for table in tables for item in table.items()):
        inner = isinstance(value, dict) and isinstance(merged.get(name), dict)
        merged[name] = merged[name] | value if inner else value
    return merged


def settings_of(suite: Suite, keys: Iterable[Key]) -> dict[str, str]:
    """Return label -> its setting, in words; nothing if all rows are of one."""
    found = {
        key.label: key.variant.replace("_", " ") if key.variant in suite.variants else BASE
        for key in keys
    }
    return found if len(set(found.values())) > 1 else {}


def with_known_names(suite: Suite) -> Suite:
    """Check names that pydantic cannot know; loads no family, so that listing is quick."""
    if suite.dataset not in DATASETS:
        raise unknown("dataset", suite.dataset, DATASETS)
    if suite.leave_one_class_out and PROTOCOLS[suite.dataset].of_points:
        raise UserError(
            f"leave_one_class_out: {suite.dataset} is points, which have no class to leave out"
        )
    _check_body("networks.body", suite.networks.body)
    for name, row in suite.rows.items():
        if "family" not in row and name not in {*FAMILIES, *suite.families}:
            raise unknown("row", name, {*FAMILIES, *suite.families})
    said: list[Claim | Published] = [*suite.claims, *suite.published]
    for stated in said:
        if stated.metric not in METRICS:
            raise unknown(f"metric in what is said of {stated.row}", stated.metric, METRICS)
    for claim in suite.claims:
        _check_claimed(claim, suite)
    twice = {name for name in suite.families if suite.families.count(name) > 1}
    if twice:
        raise UserError(f"two rows would be called {', '.join(sorted(twice))}; name each once")
    for name in suite.families:
        _check_named(name, suite)
    for resolved in resolve(suite).values():
        _check_resolved(resolved, suite)
    return suite


def _check_claimed(claim: Claim, suite: Suite) -> None:
    known = {*suite.families, *suite.rows, *FAMILIES}
    for name, _ in claim.sides:
        if name not in known | ({*CONTROLS} if name == claim.against else set()):
            raise unknown(f"row of claim {claim.id or claim.says}", name, known)


def _check_named(name: str, suite: Suite) -> None:
    row = suite.rows.get(name, {})
    _check_family(str(row.get("family", name)), suite)
    if row.get("preset", "controlled") not in ("controlled", "faithful"):
        raise UserError(f"rows.{name}.preset must be controlled or faithful, got {row['preset']!r}")
    if name in {control.title for control in CONTROLS.values()}:
        raise UserError(f"a row cannot be called {name}: tables call a control so")


def _check_resolved(row: Resolved, suite: Suite) -> None:
    _check_body(f"rows.{row.name}.networks.body", row.networks.body)
    for setting in ("precision", "threads", "stacked"):
        if getattr(row.training, setting) != getattr(suite.training, setting):
            raise UserError(
                f"rows.{row.name}.training.{setting}: the runs of a suite share the machine; set "
                f"training.{setting} for all of them"
            )


def _check_body(where: str, body: str) -> None:
    if body not in bodies():
        raise unknown(where, body, bodies())


def _check_family(family: str, suite: Suite) -> None:
    if family.endswith(".py"):
        _check_file(source(family))
    elif family not in FAMILIES:
        raise unknown("family", family, {*FAMILIES, *suite.rows})


def _check_file(path: Path) -> None:
    if not path.is_file():
        raise UserError(f"family file {path} does not exist")
    try:
        ast.parse(path.read_text())
    except SyntaxError as error:
        raise UserError(f"family file {path}, line {error.lineno}: {error.msg}") from error
    except ValueError as error:
        raise UserError(f"family file {path} is no Python file: {error}") from error


def check_not_preset(path: str, suite: Suite) -> None:
    """A preset's value stands over the suite's; to set the suite's would do nothing, unseen."""
    room, _, name = path.partition(".")
    for row in resolve(suite).values():
        if (
            row.tier == "faithful"
            and name in presets()[row.family].get(room, {})
            and name not in suite.rows.get(row.name, {}).get(room, {})
        ):
            raise UserError(
                f"{room}.{name} of row {row.name} is its faithful preset's; set "
                f"rows.{row.name}.{room}.{name}"
            )
