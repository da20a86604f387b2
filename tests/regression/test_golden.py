"""Golden numbers: trainings and evaluations compute what their versions say."""

import math
from pathlib import Path
from typing import Any

import pytest
import typer

from benchmarks.common.files import read_json
from benchmarks.planning.identity import VERSIONS, numerics_versions
from benchmarks.regression import evaluation_golden as evaluation
from benchmarks.regression import golden as tables
from benchmarks.regression import numerics, training_golden
from benchmarks.regression.golden import Move, compared, read_table, write_table
from benchmarks.regression.training_cases import Case, cases
from tests.regression.fault import Planted
from tests.regression.mutations import ROOT, copy_of_checkout, moves, planted_in
from tests.regression.planted import HARMLESS, PLANTED
from zoo.build import options_of
from zoo.registry import FAMILIES, bodies, presets

CASES = cases()
TRAININGS = training_golden.engines_of(list(CASES.values()))
SHOWN = 10
"""Moved numbers in a test's message."""


def told(found: list[Move]) -> str:
    return "\n".join([f"{len(found)} moved", *map(str, found[:SHOWN])])


@pytest.mark.parametrize(
    ("case", "engine"), TRAININGS, ids=[f"{case.name}-{engine}" for case, engine in TRAININGS]
)
def test_a_training_gives_its_golden_numbers(case: Case, engine: str) -> None:
    entry = training_golden.table()[case.name]
    assert len(entry) > 5
    found = training_golden.moved(case, engine, entry)
    assert not found, told(found)


@pytest.mark.parametrize("name", evaluation.CASES)
def test_an_evaluation_gives_its_golden_numbers(name: str) -> None:
    entry = evaluation.table()[name]
    assert len(entry) > 15
    found = evaluation.moved(name, entry)
    assert not found, told(found)


def test_tables_belong_to_the_cases_and_versions() -> None:
    assert numerics.table_faults() == []


def test_everything_with_a_version_has_a_case_and_everything_has_a_version() -> None:
    used = {name for case in CASES.values() for name in numerics.names_of(case)}
    assert used == {*numerics_versions()}
    assert {f"family.{family}" for family in FAMILIES} <= used
    assert {f"body.{body}" for body in bodies()} <= used


def test_families_presets_and_engines_are_covered() -> None:
    controlled = {c.run.family for c in CASES.values() if c.run.tier == "controlled"}
    faithful = {c.run.family for c in CASES.values() if c.run.tier == "faithful"}
    stacked = {case.run.family for case, engine in TRAININGS if engine == "stacked"}
    assert controlled == stacked == {*FAMILIES}
    assert faithful == {*presets()}


@pytest.mark.parametrize("family", FAMILIES)
def test_every_option_of_a_family_is_varied(family: str) -> None:
    own = [case.run.options for case in CASES.values() if case.run.family == family]
    for option, default in options_of(family).items():
        assert any(options.get(option, default) != default for options in own), option


def test_every_kind_of_turn_runs_in_both_engines() -> None:
    turns: dict[str, set[tuple[str, str]]] = {"eager": set(), "stacked": set()}
    for case, engine in TRAININGS:
        game = training_golden.build(case.run)
        turns[engine] |= {(case.run.family, turn.name) for turn in game.turns}
    assert turns["eager"] == turns["stacked"]


def test_a_number_beyond_its_tolerance_a_missing_and_a_new_one_are_moves() -> None:
    was = {"loss a": [1.0, 2.0], "loss b": [3.0]}
    allowed = {"loss a": 0.1, "loss b": 0.1}
    assert compared("case", "eager", was, {"loss a": [1.05, 1.95], "loss b": [3.0]}, allowed) == []
    found = compared("case", "eager", was, {"loss a": [1.0, 2.2], "loss c": [0.0]}, allowed)
    assert [move.quantity for move in found] == ["loss a", "loss b", "loss c"]
    assert found[0].times == pytest.approx(2.0)
    assert found[1].times == math.inf
    assert str(found[0]).startswith("case (eager): loss a was 2, is 2.2, allowed ± 0.1")
    assert compared("case", "", {"a": [1.0]}, {"a": [math.nan]}, {"a": 1.0})


def test_tables_are_read_as_written(tmp_path: Path) -> None:
    table = {"versions": {"training": 1}, "case": {"loss a": [0.1, 2.0]}}
    write_table(tmp_path / "t.json", table)
    assert read_table(tmp_path / "t.json") == table
    assert len((tmp_path / "t.json").read_text().splitlines()) == 8
    assert read_table(tmp_path / "absent.json") == {}


def test_raising_a_version_keeps_the_comments() -> None:
    text = "# why\n\ntraining = 1\n\n[family]\ngan = 1  # plain\nvae = 2\n\n[body]\nmlp = 1\n"
    assert numerics.raised(text, "training") == text.replace("training = 1", "training = 2")
    assert numerics.raised(text, "family.gan") == text.replace("gan = 1", "gan = 2")
    assert numerics.raised(text, "family.new") == text.replace("vae = 2\n", "vae = 2\nnew = 1\n")
    assert numerics.raised(text, "body.mlp") == text.replace("mlp = 1", "mlp = 2")
    assert numerics.raised(text, "prior.new").endswith("mlp = 1\n\n[prior]\nnew = 1\n")


@pytest.fixture
def sandbox(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Three quick cases, and copies of the tables and versions that may be written."""
    names = ("controlled vae", "option vae variance=0.5", "controlled autoencoder")
    few = {name: Case(name, CASES[name].run, ("eager",), CASES[name].precision) for name in names}
    table: dict[str, Any] = {name: dict(training_golden.table()[name]) for name in names}
    table["versions"] = training_golden.table()["versions"]
    write_table(tmp_path / "golden.json", table)
    (tmp_path / "versions.toml").write_text(VERSIONS.read_text())
    monkeypatch.setattr(numerics, "cases", lambda: few)
    monkeypatch.setattr(numerics, "VERSIONS", tmp_path / "versions.toml")
    monkeypatch.setattr(training_golden, "TABLE", tmp_path / "golden.json")
    monkeypatch.setattr(
        training_golden, "table", lambda: tables.read_table(tmp_path / "golden.json")
    )
    monkeypatch.setattr(evaluation, "CASES", ())
    return tmp_path


def spoil(folder: Path, case: str) -> None:
    """Let a case look moved: change one of its golden numbers."""
    table = read_table(folder / "golden.json")
    table[case]["gradient autoencoder/grad_norm"][0] *= 1.001
    write_table(folder / "golden.json", table)


def command(**given: Any) -> int:
    asked = {"check": False, "update": None, "new": False, "case": None} | given
    with pytest.raises(typer.Exit) as ended:
        numerics.main(**asked)
    return ended.value.exit_code


def test_check_names_case_quantity_and_versions(
    sandbox: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command(check=True, case=["vae"]) == 0
    assert "no number moved" in capsys.readouterr().out
    spoil(sandbox, "controlled vae")
    assert command(check=True, case=["vae"]) == 1
    said = capsys.readouterr().out
    assert (
        "controlled vae: uses training, engine.eager, body.mlp, dataset.digits, family.vae" in said
    )
    assert "gradient autoencoder/grad_norm was " in said
    assert "1 golden numbers moved, in 1 cases" in said


def test_update_writes_the_numbers_and_raises_the_version(
    sandbox: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good = read_table(sandbox / "golden.json")
    spoil(sandbox, "controlled vae")
    assert command(update=["family.vae"]) == 0
    assert "of 2 cases that use them, 1 moved" in capsys.readouterr().out
    table = read_table(sandbox / "golden.json")
    assert "\nvae = 2\n" in (sandbox / "versions.toml").read_text()
    assert training_golden.moved(CASES["controlled vae"], "eager", table["controlled vae"]) == []
    assert table["controlled autoencoder"] == good["controlled autoencoder"]


def test_update_refuses_when_others_have_moved(
    sandbox: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spoil(sandbox, "controlled autoencoder")
    before = {path.name: path.read_text() for path in sandbox.iterdir()}
    assert command(update=["family.vae"]) == 1
    said = capsys.readouterr().out
    assert "controlled autoencoder moved too, and uses" in said
    assert "family.autoencoder" in said
    assert {path.name: path.read_text() for path in sandbox.iterdir()} == before


def test_a_case_without_numbers_is_told_and_written(
    sandbox: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    good = read_table(sandbox / "golden.json")
    table = {name: entry for name, entry in good.items() if name != "controlled vae"}
    write_table(sandbox / "golden.json", table)
    assert "controlled vae: no golden numbers; write them with --new" in numerics.table_faults()
    monkeypatch.setattr(numerics, "_new_evaluations", lambda: None)
    assert command(new=True) == 0
    again = read_table(sandbox / "golden.json")
    assert {**again} == good
    assert (sandbox / "versions.toml").read_text() == VERSIONS.read_text()


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"update": ["famly.vae"]}, "did you mean 'family.vae'?"),
        ({}, "say one of --check, --update NAME and --new"),
        ({"check": True, "new": True}, "say one of"),
        ({"update": ["evaluation"]}, "raise VERSION in benchmarks/evaluation/protocol.py"),
        ({"update": ["evaluation", "family.vae"]}, "--update evaluation goes alone"),
    ],
)
def test_wrong_orders(given: dict[str, Any], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert command(**given) == 2
    assert said in capsys.readouterr().err


def test_an_edited_version_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        numerics, "numerics_versions", lambda: numerics_versions() | {"training": 9}
    )
    assert any(
        "training: version 9, but its golden numbers are of 1" in f for f in numerics.table_faults()
    )


def test_engines_that_disagree_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    case = CASES["controlled vae"]
    real = training_golden.of_case

    def other(case: Case, engine: str) -> tables.Numbers:
        numbers = real(case, "eager")
        return numbers if engine == "eager" else numbers | {"loss autoencoder/divergence": [0, 0]}

    monkeypatch.setattr(training_golden, "of_case", other)
    with pytest.raises(numerics.UserError, match="the engines disagree"):
        numerics._entry(case)


def test_committed_models_are_of_known_runs() -> None:
    for family in FAMILIES:
        config = read_json(evaluation.MODELS / family / "config.json")
        assert config is not None
        assert config["run"]["family"] == family


# The planted faults: the script runs for minutes, so here that it cannot rot, and that it works.


@pytest.mark.parametrize("planted", [*PLANTED, *HARMLESS], ids=lambda planted: planted.what)
def test_text_to_replace_is_there(planted: Planted) -> None:
    text = (ROOT / planted.file).read_text()
    assert text.count(planted.old) == planted.times
    assert planted.new != planted.old
    names = [f"{case.name} ({engine})" for case, engine in TRAININGS]
    names += [f"evaluation of {name}" for name in evaluation.CASES]
    for part in planted.cases:
        assert any(part in name for name in names), f"no case is called {part}"


def test_there_are_enough_faults_and_each_is_there_once() -> None:
    assert len(PLANTED) >= 40
    assert len({planted.what for planted in [*PLANTED, *HARMLESS]}) == len([*PLANTED, *HARMLESS])


@pytest.mark.long
def test_a_fault_is_planted_found_and_taken_back(tmp_path: Path) -> None:
    folder = copy_of_checkout(tmp_path)
    fault = Planted(
        "", "zoo/families/vae.py", "/ (2 * self.variance)", "/ self.variance", ("controlled vae",)
    )
    before = (folder / fault.file).read_text()
    found = moves(folder, fault)
    assert {*found} == {"controlled vae (eager)", "controlled vae (stacked)"}
    assert (folder / fault.file).read_text() == before
    absent = Planted("", "zoo/families/vae.py", "no such text", "", ())
    with pytest.raises(ValueError, match="has 0 times"), planted_in(folder, absent):
        pass
