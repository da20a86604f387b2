"""Every committed suite and its short form can be planned."""

from pathlib import Path

import pytest

from benchmarks.common.errors import UserError
from benchmarks.evaluation.control_rows import CONTROLS
from benchmarks.planning import plan, suites, validate
from benchmarks.planning.resolve import resolve
from zoo.build import options_of
from zoo.registry import FAMILIES, presets

NAMES = suites.suite_names()


@pytest.mark.parametrize("name", NAMES)
def test_every_suite_has_a_short_form_or_is_one(name: str) -> None:
    suite = suites.load_suite(name)
    if name.startswith("digits"):
        with pytest.raises(UserError, match="no short form; shorten it with --set"):
            suites.shortened(suite)
        return
    short = suites.shortened(suite)
    assert short.name == f"{name}-short"
    assert short.question == f"{suite.question} In short form, on {short.dataset}."
    runs = [job.run for job in plan.jobs(short, Path(), range(short.seeds))]
    whole = [job.run for job in plan.jobs(suite, Path(), range(suite.seeds))]
    updates = sum(run.training.steps * run.networks.width**2 for run in runs)
    assert updates < 0.1 * sum(run.training.steps * run.networks.width**2 for run in whole)


@pytest.mark.parametrize("name", NAMES)
def test_every_network_of_every_row_has_a_player(name: str) -> None:
    """Also of rows that planning does not try, for nothing in them is unusual."""
    suite = suites.load_suite(name)
    forms = [suite] if suite.short is None else [suite, suites.shortened(suite)]
    runs = [row.run(0) for form in forms for row in resolve(form).values()]
    for run in {(run.family, str(run.options), run.networks): run for run in runs}.values():
        validate.try_run(run, run.row)


@pytest.mark.parametrize("family", FAMILIES)
def test_every_network_of_every_preset_and_switch_has_a_player(family: str) -> None:
    """Planning tries what is not as the suite has it."""
    switches = {name: not on for name, on in options_of(family).items() if isinstance(on, bool)}
    settings = [f"rows.{family}.{name}={str(on).lower()}" for name, on in switches.items()]
    presets_own = [f"rows.{family}.preset=faithful"] if family in presets() else []
    for setting in [*settings, *presets_own]:
        suites.override(suites.load_suite("mnist"), [setting], [family])


def test_points_have_no_class_to_leave_out(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    text = (suites.SUITES / "gaussians.toml").read_text()
    path.write_text(text.replace("seeds = 5\n", "seeds = 5\nleave_one_class_out = true\n", 1))
    with pytest.raises(UserError, match="leave_one_class_out: gaussians is points"):
        suites.load_suite(str(path))


@pytest.mark.parametrize("name", NAMES)
def test_rows_of_claims_are_rows_of_the_suite(name: str) -> None:
    suite = suites.load_suite(name)
    said = {row for claim in suite.claims for row, _ in claim.sides}
    said |= {number.row for number in suite.published}
    assert said <= {*suite.families, *CONTROLS}


def test_a_short_form_claims_what_its_rows_can_decide() -> None:
    suite = suites.load_suite("aegan-stability")
    form = suites.shortened(suite)
    left_out = set(suite.families) - set(form.families)
    assert left_out == {"gan_author", "aegan_author"}
    gone = [claim for claim in suite.claims if claim not in form.claims]
    assert gone
    assert all(left_out & {row for row, _ in claim.sides} for claim in gone)
    assert not any(left_out & {row for row, _ in claim.sides} for claim in form.claims)


def test_a_short_form_compares_published_numbers_of_rows_that_it_trains_in_full() -> None:
    form = suites.shortened(suites.load_suite("bigan-table"))
    assert {one.row for one in form.published} == {"bigan_1_epoch", "bigan_25_epochs"}
    assert not suites.shortened(suites.load_suite("gaussians")).published
