"""A suite's file and the command line's changes -> the suite as it is run."""

import tomllib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from benchmarks.common.errors import UserError, unknown
from benchmarks.evaluation.control_rows import CONTROLS
from benchmarks.planning.config import Suite
from benchmarks.planning.plan import control_run
from benchmarks.planning.register import claims_of
from benchmarks.planning.resolve import ROOMS, resolve, row_name, wrong_setting
from benchmarks.planning.rows import (
    check_not_preset,
    with_files_as_rows,
    with_known_names,
    with_variants,
)
from benchmarks.planning.validate import check_control, check_row

SUITES = Path(__file__).resolve().parents[1] / "suites"
SHORT = "-short"
"""What the name of a suite's short form ends in."""


def suite_names() -> list[str]:
    """Return the names of the committed suites."""
    return sorted(path.stem for path in SUITES.glob("*.toml"))


def load_suite(name: str) -> Suite:
    """Load a committed suite by name, or a user's own file.

    Raises:
        UserError: there is no such suite, or its file has unknown or wrong settings.

    """
    own = Path(name).name != name or Path(name).suffix != ""
    path = Path(name) if own else SUITES / f"{name}.toml"
    if not path.is_file():
        if own:
            raise UserError(f"suite file {name} does not exist")
        raise unknown("suite", name, suite_names())
    try:
        values = tomllib.loads(path.read_text())
        if not own:
            values["claims"] = [one.model_dump() for one in claims_of(name)]
        suite = _validated(values, str(path))
    except ValueError as error:  # TOML's, or what is no text
        raise UserError(f"{path} is not valid TOML: {error}") from error
    return with_known_names(with_variants(with_files_as_rows(suite, path.parent)))


def override(
    suite: Suite,
    settings: Iterable[str] = (),
    families: Sequence[str] | None = None,
    seeds: int | None = None,
) -> Suite:
    """Return the suite with `key.path=value` settings, families and number of seeds replaced.

    Raises:
        UserError: an unknown name or a value that does not fit.

    """
    values, settings = suite.model_dump(), list(settings)
    for setting in settings:
        _apply(values, setting)
    if families is not None:
        values["families"] = list(families)
    if seeds is not None:
        values["seeds"] = seeds
    suite = with_known_names(with_files_as_rows(_validated(values, "--set")))
    for setting in settings:
        check_not_preset(setting.partition("=")[0].strip(), suite)
    for row in resolve(suite).values():
        check_row(row, suite)
    check_control(control_run(suite))
    return suite


def shortened(suite: Suite) -> Suite:
    """Return the suite's short form, `<name>-short`.

    A published number stays only beside a row that is trained as in the long form, a claim only
    where all its rows are.

    Raises:
        UserError: it has none.

    """
    if suite.short is None:
        raise UserError(
            f"suite {suite.name} has no short form; shorten it with --set training.steps=N, "
            "--seeds N or --families"
        )
    short = suite.short
    changed = {
        "name": suite.name + SHORT,
        "question": f"{suite.question} In short form, on {short.dataset or suite.dataset}.",
        "dataset": short.dataset or suite.dataset,
        "families": tuple(map(row_name, short.families or suite.families)),
    }
    form = override(suite.model_copy(update=changed), short.settings, seeds=short.seeds)
    own, before = resolve(form), resolve(suite)
    whole = {name for name, row in own.items() if row == before.get(name)}
    kept = tuple(one for one in form.published if one.row in whole)
    known = {*own, *CONTROLS}
    claims = tuple(one for one in form.claims if {name for name, _ in one.sides} <= known)
    return form.model_copy(update={"published": kept, "claims": claims})


def _apply(values: dict[str, Any], setting: str) -> None:
    path, equals, text = setting.partition("=")
    keys = path.strip().split(".")
    if not equals:
        raise UserError(f"--set needs name=value, got {setting!r}")
    if keys[0] == "rows" and (len(keys) == 3 or (len(keys) == 4 and keys[2] in ROOMS)):
        table = values["rows"].setdefault(keys[1], {})
        for key in keys[2:-1]:
            table = table.setdefault(key, {})
        table[keys[-1]] = _value(text)
        return
    known = [name for name in _setting_names() if "." in name]
    if path.strip() not in known:
        raise unknown("setting", path, [*known, "rows.<row>.<option>"])
    values[keys[0]][keys[1]] = _value(text)


def _setting_names() -> list[str]:
    inner = [f"{room}.{name}" for room, model in ROOMS.items() for name in model.model_fields]
    return [*Suite.model_fields, *inner]


def _value(text: str) -> Any:
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text.strip()


def _validated(values: dict[str, Any], where: str) -> Suite:
    try:
        return Suite(**values)
    except ValidationError as error:
        raise wrong_setting(error, where, _setting_names()) from error
