"""Anomaly suites by class: seed s trains without class s, so each class has numbers of its own."""

from benchmarks.evaluation.registry import METRICS, number
from benchmarks.report.data.contents import Contents

TITLE = "By class left out of training"
READING = "One run per model and class; the mean over classes is the table's."


def table(contents: Contents) -> list[tuple[str, ...]]:
    """Return each model's AUROC by the class left out, a line per metric, under a head line.

    Args:
        contents: of a suite that leaves a class out; of any other there is nothing.

    """
    runs = contents.runs
    classes = {j.run.seed: j.run.left_out for j in contents.jobs if j.run.left_out is not None}
    metrics = [
        m for m in METRICS.values() if m.question == "anomaly" and runs[m.name].notna().any()
    ]
    if not classes or not metrics:
        return []
    runs = runs.assign(left_out=runs["seed"].map(classes))
    shown = sorted({int(c) for c in runs["left_out"].dropna()})
    lines = []
    for metric in metrics:
        means = runs.pivot_table(index="label", columns="left_out", values=metric.name, sort=False)
        for label, values in means.iterrows():
            cells = [number(values[c], metric) if c in values.dropna() else "" for c in shown]
            lines.append((str(label), metric.title, *cells))
    return [("model", "metric", *map(str, shown)), *lines]
