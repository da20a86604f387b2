"""What cannot be compared in the end is refused before anything is trained."""

import pytest

from benchmarks import cli
from benchmarks.common.context import Context
from benchmarks.common.errors import UserError
from benchmarks.common.files import ROOT
from benchmarks.comparison import prepare_comparison
from benchmarks.regression.baseline import FIRST_BASELINE_SEED

DIGITS = Context("digits", results=ROOT / "results")


def test_a_check_needs_a_baseline_of_other_seeds() -> None:
    checked = cli.plan(DIGITS)
    prepare_comparison(checked, checking=True, making_baseline=False)
    own = cli.plan(DIGITS, for_baseline=True)
    assert own.jobs[0].run.seed == FIRST_BASELINE_SEED
    with pytest.raises(UserError, match="are the baseline's own; check with others"):
        prepare_comparison(own, checking=True, making_baseline=False)
    prepare_comparison(own, checking=False, making_baseline=False)


def test_a_baseline_is_not_made_from_one_seed() -> None:
    alone = cli.plan(Context("digits", seeds=1), for_baseline=True)
    with pytest.raises(UserError):
        prepare_comparison(alone, checking=False, making_baseline=True)
