"""A row of a suite -> a run: its family, preset, networks, training settings and options."""

import ast
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from benchmarks.config import Claim, NetworkSettings, Published, Run, Suite, TrainingSettings
from benchmarks.errors import UserError, unknown
from benchmarks.evaluation.registry import METRICS
from datasets.registry import DATASETS
from zoo.registry import FAMILIES, bodies, presets, source

ROOMS: dict[str, type[BaseModel]] = {"networks": NetworkSettings, "training": TrainingSettings}
ROW = ("family", "preset", *ROOMS)
"""What a row may say of itself; all else are options of its family."""
BUDGET = re.compile(r"training\.steps(?:/([1-9]\d*))?")
BASE = "base"
"""What the setting of rows that vary none is called."""


def run_of(suite: Suite, name: str, seed: int) -> Run:
    """Return the run of one row with one seed.

    What the row says stands over its preset's settings, and these over the suite's.

    Raises:
        UserError: no faithful preset for its family, or a setting that does not fit.

    """
    row = suite.rows.get(name, {})
    family, tier = str(row.get("family", name)), row.get("preset", suite.tier)
    preset = _preset(name, family) if tier == "faithful" else {}
    networks = _settings(suite.networks, f"rows.{name}.networks", preset, row)
    training = _settings(suite.training, f"rows.{name}.training", preset, row)
    options = preset.get("options", {}) | {k: v for k, v in row.items() if k not in ROW}
    left_out = seed % DATASETS[suite.dataset].classes if suite.leave_one_class_out else None
    return Run(
        row=row_name(name),
        family=family,
        options={name: _in_steps(value, training.steps) for name, value in options.items()},
        tier=tier,
        dataset=suite.dataset,
        seed=seed,
        networks=networks,
        training=training,
        left_out=left_out,
    )


def _in_steps(value: Any, steps: int) -> Any:
    """Put the budget, or a part of it, in the place of its name: schedules then follow it."""
    found = BUDGET.fullmatch(value) if isinstance(value, str) else None
    return steps // int(found[1] or 1) if found else value


def _preset(row: str, family: str) -> dict[str, dict[str, Any]]:
    if family not in presets():
        none = [other for other in FAMILIES if other not in presets()]
        raise UserError(
            f"row {row} is of the faithful tier, but {family} has no faithful preset (neither have "
            f'{", ".join(none)}); leave it out, or set rows.{row}.preset to "controlled"'
        )
    return presets()[family]


Settings = TypeVar("Settings", NetworkSettings, TrainingSettings)


def _settings(own: Settings, where: str, *over: Mapping[str, Any]) -> Settings:
    """Return the suite's settings with those of the preset and of the row, `where`, over them."""
    room = where.rpartition(".")[2]
    values = own.model_dump()
    for table in over:
        if not isinstance(given := table.get(room, {}), dict):
            raise UserError(f"{where} must be a table, got {given!r}")
        values |= {name: _in_steps(value, values.get("steps", 0)) for name, value in given.items()}
    try:
        return type(own)(**values)
    except ValidationError as error:
        raise wrong_setting(error, where, type(own).model_fields) from error


def row_name(family: str) -> str:
    """Return what tables call a row: its name, or its file's."""
    return Path(family).stem if family.endswith(".py") else family


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
    """
    rows = dict(suite.rows)
    for variant, changes in suite.variants.items():
        for base in suite.families:
            name = _under(base, variant)
            own, given = suite.rows.get(base, {}), suite.rows.get(name, {})
            rows[name] = _merged({"family": base}, own, changes, given)
    changed: dict[str, Any] = {"rows": rows, "families": _everywhere(suite.families, suite)}
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


def place_of(row: str, suite: Suite) -> tuple[str, str]:
    """Return a row of a table as the row it varies, and the variant; "" if it varies none."""
    name, bracket, readout = row.partition(" (")
    longest_first = sorted(suite.variants, key=len, reverse=True)  # "half_lr" before "lr"
    for variant in longest_first:
        if name.endswith(f"_{variant}"):
            return name.removesuffix(f"_{variant}") + bracket + readout, variant
    return row, ""


def settings_of(suite: Suite, rows: Iterable[str]) -> dict[str, str]:
    """Return row -> its setting, in words; nothing if all rows are of one."""
    found = {row: place_of(row, suite)[1].replace("_", " ") or BASE for row in rows}
    return found if len(set(found.values())) > 1 else {}


def with_known_names(suite: Suite) -> Suite:
    """Check names that pydantic cannot know; loads no family, so that listing is quick."""
    if suite.dataset not in DATASETS:
        raise unknown("dataset", suite.dataset, DATASETS)
    _check_body("networks.body", suite.networks.body)
    for name, row in suite.rows.items():
        if "family" not in row and name not in {*FAMILIES, *suite.families}:
            raise unknown("row", name, {*FAMILIES, *suite.families})
    said: list[Claim | Published] = [*suite.claims, *suite.published]
    for stated in said:
        if stated.metric not in METRICS:
            raise unknown(f"metric in what is said of {stated.row}", stated.metric, METRICS)
    twice = {name for name in suite.families if suite.families.count(name) > 1}
    if twice:
        raise UserError(f"two rows would be called {', '.join(sorted(twice))}; name each once")
    for name in suite.families:
        _check_row(name, suite)
    return suite


def _check_row(name: str, suite: Suite) -> None:
    row = suite.rows.get(name, {})
    _check_family(str(row.get("family", name)), suite)
    if row.get("preset", "controlled") not in ("controlled", "faithful"):
        raise UserError(f"rows.{name}.preset must be controlled or faithful, got {row['preset']!r}")
    run = run_of(suite, name, 0)
    _check_body(f"rows.{name}.networks.body", run.networks.body)
    for setting in ("precision", "threads", "stacked"):
        if getattr(run.training, setting) != getattr(suite.training, setting):
            raise UserError(
                f"rows.{name}.training.{setting}: the runs of a suite share the machine; set "
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
    for row in suite.families:
        run, own = run_of(suite, row, 0), suite.rows.get(row, {}).get(room, {})
        if (
            run.tier == "faithful"
            and name in presets()[run.family].get(room, {})
            and name not in own
        ):
            raise UserError(
                f"{room}.{name} of row {row} is its faithful preset's; set rows.{row}.{room}.{name}"
            )


def wrong_setting(error: ValidationError, where: str, known: Iterable[str]) -> UserError:
    """Return pydantic's complaint as one about `where`, with the nearest of the known names."""
    # A misspelt name is also a missing one; the misspelling is what helps.
    first = min(error.errors(), key=lambda e: e["type"] != "extra_forbidden")
    name = ".".join(map(str, first["loc"]))
    if first["type"] == "extra_forbidden":
        return unknown(f"setting in {where}", name, known)
    if first["type"] == "missing":  # the input is then all that is there
        return UserError(f"{where}: {name} is missing")
    return UserError(f"{where}: {name}: {first['msg']}, got {first['input']!r}")
