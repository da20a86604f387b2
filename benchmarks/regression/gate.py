"""The steps of the command line that make a baseline and compare with it."""

from benchmarks.common.console import say
from benchmarks.common.files import read_json
from benchmarks.evaluation.control_rows import UNTRAINED
from benchmarks.planning.plan import Plan


def write_baseline(plan: Plan) -> None:
    """Write the plan's results as the suite's baseline."""
    from benchmarks.regression import baseline as regression
    from benchmarks.report.data.frame import controls_frame, results_frame

    environment = read_json(plan.jobs[0].folder / "environment.json", say) or {}
    runs = results_frame(plan.jobs)
    controls = controls_frame(plan.suite, plan.results)
    untrained = controls[controls["row"] == UNTRAINED]
    path = regression.write_baseline(plan.suite, runs, untrained, environment, plan.results)
    say(f"wrote {path}")


def prepare(plan: Plan, checking: bool, making_baseline: bool) -> None:
    """Complain of what cannot be compared in the end, before anything is trained.

    Raises:
        UserError: a baseline that is absent, of other settings or of the same seeds; or one to be
            made from too little.

    """
    if not (checking or making_baseline):
        return
    from benchmarks.regression import baseline as regression

    seeds = [job.run.seed for job in plan.jobs]
    if making_baseline:
        regression.refuse_weak_baseline(plan.suite, seeds)
    if checking:
        baseline = regression.read_baseline(plan.suite, plan.results)
        regression.refuse_shared_seeds(baseline, seeds)


def check(plan: Plan) -> bool:
    """Compare with the committed baseline and print every gated number; True if all is well."""
    from benchmarks.regression import baseline as regression
    from benchmarks.report.data.frame import controls_frame, results_frame

    baseline = regression.read_baseline(plan.suite, plan.results)
    runs = results_frame(plan.jobs)
    findings = regression.compare(baseline, runs)
    for finding in findings:
        say(str(finding))
    lost = regression.losses(baseline, runs)
    controls = controls_frame(plan.suite, plan.results)
    blunt = regression.toothless(baseline, runs, controls[controls["row"] == UNTRAINED])
    for line in lost:
        say(line)
    for family, metric in blunt:
        say(f"{family} {metric}: untrained networks would pass, the check says nothing: TOOTHLESS")
    for name in baseline["not_gated"]:
        say(f"{name}: not gated, it spreads so widely that untrained networks would pass")
    passed = bool(findings) and all(f.ok for f in findings) and not lost and not blunt
    say(
        f"check against {len(baseline['seeds'])} baseline seeds: {'passed' if passed else 'FAILED'}"
    )
    return passed
