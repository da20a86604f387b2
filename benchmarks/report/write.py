"""Write a report: tables, figures, and the pages that hold them together."""

from pathlib import Path

import pandas as pd

from benchmarks.files import whole, write_text
from benchmarks.report import figures, frame, markdown, tables
from benchmarks.report.material import Material


def write_report(material: Material, results: Path) -> Path:
    """Write results/reports/<suite>/ and return the folder."""
    folder = results / "reports" / material.suite.name
    _write_csv(tables.wide(material.summary), folder / "table.csv")
    _write_csv(material.differences, folder / "differences.csv")
    _write_csv(material.ranks, folder / "ranks.csv")
    everything = [part for part in (material.runs, material.controls) if len(part)]
    _write_csv(pd.concat(everything), folder / "runs.csv")
    drawn = _draw(material, folder)
    write_text(folder / "table.md", markdown.page(material, drawn))
    return folder


def _draw(material: Material, folder: Path) -> dict[str, str]:
    jobs = material.jobs
    drawn = {
        f"{kind}.png": title
        for kind, title in figures.PICTURES.items()
        if figures.side_by_side(jobs, kind, folder / f"{kind}.png")
    }
    colours = figures.colours_of(jobs)
    if figures.learning(frame.light_frame(jobs), colours, folder / "learning.png"):
        drawn["learning.png"] = "Quality during training"
    truncation = frame.truncation_frame(jobs)
    if figures.truncation(truncation, colours, folder / "truncation.png"):
        _write_csv(truncation, folder / "truncation.csv")
        drawn["truncation.png"] = "Fidelity and diversity of truncated samples"
    return drawn


def _write_csv(table: pd.DataFrame, path: Path) -> None:
    with whole(path) as draft:
        table.to_csv(draft, index=False)
