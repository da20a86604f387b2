"""The steps of `--check` and `--make-baseline`; `run_all.py` strings them together."""

from benchmarks.common.console import say
from benchmarks.planning.plan import Plan


def prepare_comparison(plan: Plan, checking: bool, making_baseline: bool) -> None:
    """Complain of what cannot be compared in the end, before anything is trained.

    Raises:
        UserError: a baseline that is absent, of other settings or of the same seeds; or one to be
            made from too little.

    """
    if not (checking or making_baseline):
        return
    from benchmarks.regression import baseline

    seeds = [job.run.seed for job in plan.jobs]
    if making_baseline:
        baseline.refuse_weak_baseline(plan.suite, seeds)
    if checking:
        baseline.refuse_shared_seeds(baseline.read_baseline(plan.suite, plan.results), seeds)


def write_baseline(plan: Plan) -> None:
    """Write the plan's results as the suite's baseline."""
    from benchmarks.regression.gate import write

    say(f"wrote {write(plan)}")


def check(plan: Plan) -> bool:
    """Compare with the committed baseline and print every gated number; True if all is well."""
    from benchmarks.regression.gate import check

    passed, lines = check(plan)
    for line in lines:
        say(line)
    return passed
