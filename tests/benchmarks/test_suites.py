"""Every committed suite and its short form can be planned."""

from pathlib import Path

import pytest

from benchmarks import plan
from benchmarks.errors import UserError

NAMES = plan.suite_names()


@pytest.mark.parametrize("name", NAMES)
def test_every_suite_has_a_short_form_or_is_one(name: str) -> None:
    suite = plan.load_suite(name)
    if name.startswith("digits"):
        with pytest.raises(UserError, match="no short form; shorten it with --set"):
            plan.shortened(suite)
        return
    short = plan.shortened(suite)
    assert short.name == f"{name}-short"
    assert short.question == f"{suite.question} In short form, on {short.dataset}."
    runs = [job.run for job in plan.jobs(short, Path(), range(short.seeds))]
    whole = [job.run for job in plan.jobs(suite, Path(), range(suite.seeds))]
    updates = sum(run.training.steps * run.networks.width**2 for run in runs)
    assert updates < 0.1 * sum(run.training.steps * run.networks.width**2 for run in whole)


@pytest.mark.parametrize("name", NAMES)
def test_rows_of_claims_are_rows_of_the_suite(name: str) -> None:
    suite = plan.load_suite(name)
    said = {row for claim in suite.claims for row in claim.rows}
    said |= {number.row for number in suite.published}
    assert {row.partition(" (")[0] for row in said} <= set(suite.families)
