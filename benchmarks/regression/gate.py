"""A plan's results against its suite's baseline."""

from pathlib import Path

from benchmarks.common.console import say
from benchmarks.common.files import read_json
from benchmarks.evaluation.control_rows import UNTRAINED
from benchmarks.planning.plan import Plan
from benchmarks.regression import baseline
from benchmarks.report.data.frame import controls_frame, results_frame


def write(plan: Plan) -> Path:
    """Write the plan's results as the suite's baseline, and return its file."""
    environment = read_json(plan.jobs[0].folder / "environment.json", say) or {}
    controls = controls_frame(plan.suite, plan.results)
    untrained = controls[controls["row"] == UNTRAINED]
    runs = results_frame(plan.jobs)
    return baseline.write_baseline(plan.suite, runs, untrained, environment, plan.results)


def check(plan: Plan) -> tuple[bool, list[str]]:
    """Compare with the committed baseline; return whether all is well, and every gated number."""
    known = baseline.read_baseline(plan.suite, plan.results)
    runs = results_frame(plan.jobs)
    findings = baseline.compare(known, runs)
    lost = baseline.losses(known, runs)
    controls = controls_frame(plan.suite, plan.results)
    powerless = baseline.powerless(known, runs, controls[controls["row"] == UNTRAINED])
    passed = bool(findings) and all(f.ok for f in findings) and not lost and not powerless
    return passed, [
        *map(str, findings),
        *lost,
        *(
            f"{row} {metric}: has no power: an untrained model would pass"
            for row, metric in powerless
        ),
        *(
            f"{name}: not gated, has no power: an untrained model would pass"
            for name in known["not_gated"]
        ),
        f"check against {len(known['seeds'])} baseline seeds: {'passed' if passed else 'FAILED'}",
    ]
