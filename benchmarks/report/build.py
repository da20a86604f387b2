"""Write a report: tables, figures, and the pages that hold them together."""

import hashlib
import re
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pandas as pd

from benchmarks.common.files import read_json, whole, write_json, write_text
from benchmarks.report.data import frame, summary
from benchmarks.report.data.columns import first, keys_of
from benchmarks.report.data.contents import Contents, heading
from benchmarks.report.figures import forest, overview, pictures, quality
from benchmarks.report.figures.curves import gradient_norms, losses
from benchmarks.report.figures.style import FORMATS, Looks, looks_of
from benchmarks.report.formats import latex, markdown, page, report_json

DRAWN = ".figures.json"
TRADEOFF = (
    "FID against reconstruction error: a point per model, 95 % intervals over seeds; dashed: "
    "controls, dotted: models of one direction"
)
OVERVIEW = "Real test images, their reconstruction by every model, and the trade-off in numbers"
FOREST = "Headline metrics of {}: mean over seeds and 95 % interval; dashed: controls"
LEARNING = (
    "Quick evaluations during training, on fewer samples, over updates and over seconds (thick: "
    "mean over seeds; thin: each seed; hollow: the final evaluation, on all samples). Seconds "
    "compare only runs of one machine under the same load, so published runs next to your own have "
    "none; seeds that train together share them equally, and the first updates include start-up"
)
TRUNCATION = "Truncated draws |z| < threshold, on fewer samples (dotted: the whole prior)"
OVER_TRAINING = "Samples of the same 16 draws over training; left: updates so far"
EMBEDDING = (
    "E(x) of the same test images in two dimensions (t-SNE), each as its class: only local "
    "neighbourhoods are meaningful"
)
POINTS = (
    "Points of a known mixture, one run of each family: test points, as many samples, and what "
    "becomes of those test points on the way through E and G; what lies further out is cut off"
)
LOSSES = "{}: every term of every player's loss"
GRADIENTS = "Norm of each player's gradient during training"


def write_report(contents: Contents, results: Path) -> Path:
    """Write results/reports/<suite>/ and return the folder."""
    folder = results / "reports" / contents.suite.name
    _write_csv(summary.wide(contents.summary), folder / "table.csv")
    about = contents.summary.keys, contents.summary.seeds
    # All pairs of many rows: six digits keep the file small, and nobody computes on from them.
    pairs = first(contents.differences, *about, "a", "b")
    _write_csv(pairs, folder / "differences.csv", "%.6g")
    _write_csv(first(contents.ranks, *about), folder / "ranks.csv")
    everything = [part for part in (contents.runs, contents.controls) if len(part)]
    _write_csv(first(pd.concat(everything), *about), folder / "runs.csv")
    if len(truncation := frame.truncation_frame(contents.jobs)):
        _write_csv(first(truncation, *about), folder / "truncation.csv")
    write_text(folder / "table.tex", latex.table(contents.summary, caption(contents)))
    drawn = _figures(contents, folder)
    write_text(folder / "table.md", markdown.page(contents, drawn))
    write_json(folder / "report.json", report_json.content(contents, drawn))
    write_text(folder / "index.html", page.page(contents, drawn, folder))
    return folder


def drawn_in(folder: Path) -> dict[str, str]:
    """Return the figures of a report's folder: name -> what it shows, in the page's order."""
    drawn: dict[str, str] = (read_json(folder / DRAWN) or {}).get("drawn", {})
    return drawn


def _figures(contents: Contents, folder: Path) -> dict[str, str]:
    """Draw the figures, unless those of the last time stand there and nothing has changed since."""
    inputs, kept = _inputs(contents), read_json(folder / DRAWN) or {}
    drawn: dict[str, str] = kept.get("drawn", {})
    files = [folder / f"{name}.{suffix}" for name in drawn for suffix in FORMATS]
    if kept.get("inputs") != inputs or not all(map(Path.exists, files)):
        drawn = _draw(contents, folder)
        write_json(folder / DRAWN, {"inputs": inputs, "drawn": drawn})
    return drawn


def _inputs(contents: Contents) -> str:
    """Return a digest of what the figures show: run folders, the table, the code that draws."""
    sha = hashlib.sha256(summary.wide(contents.summary).to_csv().encode())
    for job in contents.jobs:
        for path in sorted(job.folder.glob("[!.]*")):
            stat = path.stat()
            sha.update(f"{path} {stat.st_size} {stat.st_mtime_ns}".encode())
    for source in sorted(Path(__file__).parent.rglob("*.py")):
        sha.update(source.read_bytes())
    return sha.hexdigest()


def _draw(contents: Contents, folder: Path) -> dict[str, str]:
    """Draw what there is; return figure name -> what it shows, in the order of the page."""
    jobs, runs = contents.jobs, contents.runs
    looks = looks_of([*(job.key.name for job in jobs), *runs["label"]])
    truncation, curves = frame.truncation_frame(jobs), frame.curve_frame(jobs)
    drawings: dict[str, tuple[str, Callable[[Path], bool]]] = {
        "tradeoff": (TRADEOFF, partial(overview.tradeoff, contents.summary, looks)),
        **{
            f"forest_{question}": (
                FOREST.format(question),
                partial(forest.forest, contents.summary, looks, question),
            )
            for question in forest.questions(contents.summary)
        },
        "learning": (LEARNING, partial(_learning, contents, looks)),
        **{
            kind: (what, partial(pictures.side_by_side, jobs, kind))
            for kind, what in pictures.PICTURES.items()
        },
        "truncation": (TRUNCATION, partial(quality.truncation, truncation, looks)),
        "over_training": (OVER_TRAINING, partial(pictures.over_training, jobs)),
        "points": (POINTS, partial(pictures.points, jobs)),
        "embedding": (EMBEDDING, partial(pictures.embedding, jobs)),
    }
    for key, family in {job.key: job.run.family for job in jobs}.items():
        own = curves[curves["label"] == key.name] if len(curves) else curves
        stem = f"losses_{slug(key.id)}"
        drawings[stem] = (LOSSES.format(key.name), partial(losses, key.name, family, own))
    drawings["overview"] = (
        OVERVIEW,
        partial(overview.overview, contents.summary, jobs, looks),
    )
    drawings["gradient_norms"] = (GRADIENTS, partial(gradient_norms, curves))
    return {name: what for name, (what, draw) in drawings.items() if draw(folder / name)}


def _learning(contents: Contents, looks: Looks, stem: Path) -> bool:
    light = _of_one_machine(contents, frame.light_frame(contents.jobs))
    return quality.learning(light, _of_one_machine(contents, _final(contents)), looks, stem)


def _final(contents: Contents) -> pd.DataFrame:
    """Return the final evaluations as rows of a curve."""
    steps = {job.key.name: job.run.training.steps for job in contents.jobs}
    of_run = {label: steps[key.name] for label, key in keys_of(contents.runs).items()}
    runs = contents.runs
    return runs.assign(step=runs["label"].map(of_run), seconds=runs["train_seconds"])


def _of_one_machine(contents: Contents, rows: pd.DataFrame) -> pd.DataFrame:
    """Return rows of curves without the seconds of another machine than one's own."""
    if len(rows):
        foreign = rows["label"].isin(list(contents.summary.elsewhere))
        rows["seconds"] = rows["seconds"].mask(foreign)
    return rows


def caption(contents: Contents) -> str:
    """Return what stands above the table in a paper."""
    return (
        f"{contents.suite.question} Mean and 95 % interval over training seeds; bold: clearly "
        f"best. {heading(contents.suite, contents.jobs)}."
    )


def slug(name: str) -> str:
    """Return a name that can be part of a file's."""
    return re.sub(r"[^\w.-]+", "_", name).strip("_")


def _write_csv(table: pd.DataFrame, path: Path, float_format: str | None = None) -> None:
    with whole(path) as draft:
        table.to_csv(draft, index=False, float_format=float_format)
