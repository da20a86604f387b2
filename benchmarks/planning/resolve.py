"""A suite -> its rows, each with its family, preset, networks, training settings and options."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, ValidationError

from benchmarks.common.errors import UserError, unknown
from benchmarks.planning.config import NetworkSettings, Run, Suite, TrainingSettings
from datasets.registry import DATASETS
from zoo.registry import FAMILIES, presets

ROOMS: dict[str, type[BaseModel]] = {"networks": NetworkSettings, "training": TrainingSettings}
ROW = ("family", "preset", *ROOMS)
"""What a row may say of itself; all else are options of its family."""
BUDGET = re.compile(r"training\.steps(?:/([1-9]\d*))?")


@dataclass(frozen=True)
class Resolved:
    """A row of a suite with all that its runs have in common.

    Attributes:
        name: in the suite, and of its runs.
        base, variant: the row that it varies, and how; its own name and "" if it varies none.
        family: the module (or file) that is played.
        leaves_out: each seed's training does not see one class.

    """

    name: str
    base: str
    variant: str
    family: str
    tier: Literal["controlled", "faithful"]
    dataset: str
    networks: NetworkSettings
    training: TrainingSettings
    options: dict[str, Any]
    leaves_out: bool

    def run(self, seed: int) -> Run:
        """Return its run with one seed."""
        return Run(
            row=self.name,
            family=self.family,
            options=self.options,
            tier=self.tier,
            dataset=self.dataset,
            seed=seed,
            networks=self.networks,
            training=self.training,
            left_out=seed % DATASETS[self.dataset].classes if self.leaves_out else None,
        )


_resolved: dict[str, dict[str, Resolved]] = {}
"""Suite as text -> its rows, for a suite is planned, checked and reported on by the same rows."""


def resolve(suite: Suite) -> dict[str, Resolved]:
    """Return the rows of a suite by name, in order; each suite is resolved once.

    Raises:
        UserError: as `resolve_row`.

    """
    text = repr(suite)
    if text not in _resolved:
        _resolved[text] = {row_name(name): resolve_row(suite, name) for name in suite.families}
    return _resolved[text]


def resolve_row(suite: Suite, name: str) -> Resolved:
    """Return one row, which need not be among those that the suite trains.

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
    base, variant = suite.varied.get(name, (row_name(name), ""))
    return Resolved(
        name=row_name(name),
        base=base,
        variant=variant,
        family=family,
        tier=tier,
        dataset=suite.dataset,
        networks=networks,
        training=training,
        options={name: _in_steps(value, training.steps) for name, value in options.items()},
        leaves_out=suite.leave_one_class_out,
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


def wrong_setting(error: ValidationError, where: str, known: Iterable[str]) -> UserError:
    """Return pydantic's complaint as one about `where`, with the nearest of the known names."""
    # A misspelt name is also a missing one; the misspelling is what helps.
    first = min(error.errors(), key=lambda e: e["type"] != "extra_forbidden")
    name = ".".join(map(str, first["loc"]))
    if first["type"] == "extra_forbidden":
        return unknown(f"setting in {where}", name, known)
    if first["type"] == "missing":  # the input is then all that is there
        return UserError(f"{where}: {name} is missing")
    return UserError(f"{where}: {name} {_must_be(first)}, got {first['input']!r}")


MUST_BE = {
    "int": "must be a whole number",
    "float": "must be a number",
    "finite": "must be a finite number",
    "string": "must be text",
    "bool": "must be true or false",
    "greater": "must be more than {gt}",
    "greater_than_equal": "must be at least {ge}",
    "less": "must be less than {lt}",
    "literal": "must be {expected}",
    "tuple": "must be a list",
    "dict": "must be a table",
    "model": "must be a table",
    "value": "is wrong: {error}",
}
"""Beginning of the type of pydantic's complaint -> the same in words."""


def _must_be(complaint: Any) -> str:
    """Return what a value must be, in words."""
    kind, context = str(complaint["type"]), complaint.get("ctx", {})
    words = MUST_BE.get(kind) or MUST_BE.get(kind.partition("_")[0])
    return words.format(**context) if words else f"is wrong: {complaint['msg']}"
