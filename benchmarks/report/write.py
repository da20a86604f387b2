"""Write a report: tables, figures, and the pages that hold them together."""

import re
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pandas as pd

from benchmarks.files import whole, write_text
from benchmarks.report import figures, frame, latex, look, markdown, page, tables
from benchmarks.report.curves import gradient_norms, losses
from benchmarks.report.material import Material, heading
from benchmarks.report.style import looks_of

FOREST = "Headline metrics: mean over seeds and 95 % interval"
LEARNING = (
    "Quality during training, on fewer samples, over updates and over seconds (thick: mean over "
    "seeds; thin: each seed)"
)
TRUNCATION = "Truncated draws |z| < threshold, on fewer samples (dotted: the whole prior)"
OVER_TRAINING = "Samples of the same 16 draws over training; left: updates so far"
EMBEDDING = (
    "E(x) of the same test images in two dimensions (t-SNE), each as its class: who lies beside "
    "whom has a meaning, distances between groups have none"
)
GRADIENTS = "Norm of each player's gradient during training"


def write_report(material: Material, results: Path) -> Path:
    """Write results/reports/<suite>/ and return the folder."""
    folder = results / "reports" / material.suite.name
    _write_csv(tables.wide(material.summary), folder / "table.csv")
    _write_csv(material.differences, folder / "differences.csv")
    _write_csv(material.ranks, folder / "ranks.csv")
    everything = [part for part in (material.runs, material.controls) if len(part)]
    _write_csv(pd.concat(everything), folder / "runs.csv")
    write_text(folder / "table.tex", latex.table(material.summary, caption(material)))
    drawn = _draw(material, folder)
    write_text(folder / "table.md", markdown.page(material, drawn))
    write_text(folder / "index.html", page.page(material, drawn, folder))
    return folder


def _draw(material: Material, folder: Path) -> dict[str, str]:
    """Draw what there is; return figure name -> what it shows, in the order of the page."""
    jobs, runs = material.jobs, material.runs
    looks = looks_of([*(job.run.family for job in jobs), *runs["family"]])
    truncation, curves = frame.truncation_frame(jobs), frame.curve_frame(jobs)
    if len(truncation):
        _write_csv(truncation, folder / "truncation.csv")
    drawings: dict[str, tuple[str, Callable[[Path], bool]]] = {
        "forest": (FOREST, lambda stem: figures.forest(material.summary, looks, stem)),
        "learning": (
            LEARNING,
            lambda stem: figures.learning(frame.light_frame(jobs), looks, stem),
        ),
        **{
            kind: (what, partial(look.side_by_side, jobs, kind))
            for kind, what in look.PICTURES.items()
        },
        "truncation": (TRUNCATION, partial(figures.truncation, truncation, looks)),
        "over_training": (OVER_TRAINING, partial(look.over_training, jobs)),
        "embedding": (EMBEDDING, partial(look.embedding, jobs)),
    }
    for row in dict.fromkeys(job.run.family for job in jobs):
        own = curves[curves["family"] == row] if len(curves) else curves
        stem = f"losses_{slug(row)}"
        drawings[stem] = (f"{row}: every term of every player's loss", partial(losses, own))
    drawings["gradient_norms"] = (GRADIENTS, partial(gradient_norms, curves))
    return {name: what for name, (what, draw) in drawings.items() if draw(folder / name)}


def caption(material: Material) -> str:
    """Return what stands above the table in a paper."""
    return (
        f"{material.suite.question} Mean and 95 % interval over training seeds; bold: clearly "
        f"best. {heading(material.suite, material.jobs)}."
    )


def slug(name: str) -> str:
    """Return a name that can be part of a file's."""
    return re.sub(r"[^\w.-]+", "_", name).strip("_")


def _write_csv(table: pd.DataFrame, path: Path) -> None:
    with whole(path) as draft:
        table.to_csv(draft, index=False)
