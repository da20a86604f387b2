"""The report as one page that needs nothing else: index.html."""

import base64
import json
import re
from collections.abc import Mapping, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from benchmarks.evaluation.registry import METRICS, Metric, head
from benchmarks.report.data import frame, provenance
from benchmarks.report.data import summary as tables
from benchmarks.report.data.contents import Contents, heading
from benchmarks.report.data.failures import endings
from benchmarks.report.data.summary import Summary
from benchmarks.report.figures import pictures
from benchmarks.report.formats import page_table
from benchmarks.report.formats.page_table import table_of
from benchmarks.report.text import by_class, differences, findings, glossary, settings
from benchmarks.report.text.differences import Compared
from datasets.registry import DATASETS

DOWNLOADS = (
    *("table.csv", "runs.csv", "differences.csv", "ranks.csv", "truncation.csv"),
    *("table.md", "table.tex", "report.json"),
)
"""Files of a report next to its page."""
TEMPLATES = Path(__file__).with_name("templates")
COSTS = ("train_seconds", "parameters")
"""Shown in the main table beside its metrics."""

ROOM = 6_000_000
"""Bytes of figures in one page; written as text they grow by a third, and with the pictures of runs
the page is to stay below 15 MB."""


def page(contents: Contents, drawn: Mapping[str, str], folder: Path) -> str:
    """Return the page with every picture inside.

    Args:
        contents: the runs.
        drawn: figure in the folder, without suffix -> what it shows.
        folder: where the figures are.

    """
    loader = FileSystemLoader(TEMPLATES)
    environment = Environment(
        loader=loader,
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "marked": marked,
        "explained": glossary.Explainer(),
        "breakable": breakable,
    }
    environment.globals["source_of"] = lambda name: Markup(loader.get_source(environment, name)[0])
    figures = {
        name: {"what": what, "src": data_uri(folder / f"{name}.png")}
        for name, what in _embedded(drawn, folder).items()
    }
    template = environment.get_template("page.html")
    return template.render(
        **_answer(contents), **_numbers(contents), **_pictures(contents), **_origin(contents),
        figures=figures,
        downloads=[name for name in DOWNLOADS if (folder / name).exists()],
        outside=[name for name in drawn if name.startswith("losses_") and name not in figures],
    )  # fmt: skip


def _embedded(drawn: Mapping[str, str], folder: Path) -> dict[str, str]:
    """Choose the figures of the page; where there are very many rows, loss curves stay outside."""
    shown = {
        n: what
        for n, what in drawn.items()
        if n not in (*pictures.PICTURES, "over_training", "overview")
    }
    room = ROOM
    kept = {}
    for name in sorted(shown, key=lambda name: name.startswith("losses_")):
        room -= (folder / f"{name}.png").stat().st_size
        if room > 0 or not name.startswith("losses_"):
            kept[name] = shown[name]
    return kept


def marked(text: str) -> Markup:
    """Turn the **bold** and `code` of our Markdown sentences into HTML; all else is escaped."""
    safe = str(escape(text))
    safe = re.sub(r"\*\*(.+?)\*\*", r"<strong>\1</strong>", safe)
    return Markup(re.sub(r"`(.+?)`", r"<code>\1</code>", safe))


def breakable(name: str) -> Markup:
    """Let a long name break behind an underscore."""
    return Markup("_<wbr>").join(name.split("_"))


def data_uri(path: Path) -> str:
    """Return a PNG file as text that can stand in a page."""
    return "data:image/png;base64," + base64.b64encode(path.read_bytes()).decode()


def as_uri(picture: np.ndarray) -> str:
    """Return an image, (H, W, C) in [0, 1], as the text of a PNG file."""
    file = BytesIO()
    plt.imsave(file, picture, format="png")
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()


def _answer(contents: Contents) -> dict[str, Any]:
    return {
        "suite": contents.suite,
        "changed": contents.changed,
        "heading": heading(contents.suite, contents.jobs),
        "published": findings.published(contents.reproduced),
        "verdicts": contents.verdicts,
        "findings": findings.findings(contents),
        "leaders": settings.table(contents),
        "leaders_title": settings.TITLE,
        "leaders_reading": settings.READING,
        "certainty": findings.certainty(contents),
        "cost": findings.cost(contents),
        "endings": endings(contents.jobs),
        "notes": contents.notes,
        "reproduced": [one.cells for one in contents.reproduced],
        "by_class": by_class.table(contents),
        "by_class_reading": by_class.READING,
    }


def _numbers(contents: Contents) -> dict[str, Any]:
    summary = contents.summary
    present = {name for _, name in summary.cells}
    headline = tables.shown(summary)
    wanted = {one.metric for one in contents.suite.claims}
    wanted |= {one.metric for one in contents.suite.published}
    costs = [METRICS[name] for name in COSTS if name in present]
    wanted |= {"failure_rate"} if _anywhere(summary, METRICS["failure_rate"]) else set()
    first = [*page_table.leading(summary, wanted), *costs]
    left_out = set(headline) - set(first)
    compared = differences.compared(
        contents.differences, contents.ranks, headline, summary.settings
    )
    decided = bool(contents.differences["p"].notna().any())
    return {
        "main": table_of(summary, first),
        "headline": table_of(summary, headline) if left_out else None,
        "headlines_shown": len(headline) - len(left_out),
        "further": {q: table_of(summary, ms) for q, ms in tables.further(summary).items()},
        "glossary": [m for m in METRICS.values() if m.name in present],
        "in_words": glossary.in_plain_words(m for m in headline if m.question != "cost"),
        "words": glossary.GENERAL,
        "rows": glossary.rows(summary, contents.jobs),
        "head": head,
        "compared": compared if decided else [],
        "ranks": ranks_of(contents, headline) if decided else [],
        "comparison_columns": differences.COLUMNS,
        "reading": differences.reading(contents.differences)
        if decided
        else differences.NO_COMPARISON,
        "improvement": {one.title: improvement(contents, one) for one in compared if decided},
        "undefined": frame.undefined_metrics(contents.jobs),
    }


def _anywhere(summary: Summary, metric: Metric) -> bool:
    """Whether a metric is above 0 in any row."""
    return any(cell.mean > 0 for (_, name), cell in summary.cells.items() if name == metric.name)


def ranks_of(contents: Contents, metrics: Sequence[Metric]) -> list[tuple[str, ...]]:
    """Return each family's mean rank in each metric: a head line, then a line per family."""
    ranks = contents.ranks.dropna(subset=["mean_rank"])
    known = {
        (row["label"], row["metric"]): f"{row['mean_rank']:.1f} "
        f"[{row['rank_low']:g}, {row['rank_high']:g}]"
        for row in ranks.to_dict("records")
    }
    ranked = [m for m in metrics if m.name in set(ranks["metric"])]
    families = [f for f in contents.summary.keys if f in set(ranks["label"])]
    lines = [(f, *(known.get((f, m.name), "") for m in ranked)) for f in families]
    return [("model", *(m.title for m in ranked)), *lines] if lines else []


def improvement(contents: Contents, one: Compared) -> list[tuple[str, ...]]:
    """Return P(improvement) of each family over each other: a head line, then a line per family."""
    setting = contents.differences["a"].map(lambda row: contents.summary.settings.get(row, ""))
    own = (contents.differences["metric"] == one.metric.name) & (setting == one.setting)
    pairs = contents.differences[own]
    names = list(dict.fromkeys([*pairs["a"], *pairs["b"]]))
    known = {
        (a, b): p
        for a, b, p in zip(pairs["a"], pairs["b"], pairs["probability_of_improvement"], strict=True)
    }
    known |= {(b, a): 1 - p for (a, b), p in known.items()}

    def cell(a: str, b: str) -> str:
        return f"{known[a, b]:.2f}" if known.get((a, b), float("nan")) >= 0 else ""

    return [("", *names), *((a, *(cell(a, b) for b in names)) for a in names)]


def _pictures(contents: Contents) -> dict[str, Any]:
    galleries = [
        {"title": what, "pictures": _gallery(contents, kind), "real": _real(contents, kind)}
        for kind, what in pictures.PICTURES.items()
    ]
    early = {
        family: [{"step": step, "src": data_uri(path)} for step, path in steps]
        for family, steps in pictures.early_samples(contents.jobs).items()
    }
    return {"galleries": [g for g in galleries if g["pictures"]], "early": early}


def _gallery(contents: Contents, kind: str) -> list[dict[str, Any]]:
    return [
        {"family": row, "seed": job.run.seed, "src": as_uri(pictures.picture_of(job, kind))}
        for row, job in pictures.showing(contents.jobs, f"{kind}.png").items()
    ]


def _real(contents: Contents, kind: str) -> str:
    """Return real images to hold samples against; empty for other pictures."""
    real = pictures.real_images(contents.jobs) if kind == "samples" else None
    return "" if real is None else as_uri(real)


def _origin(contents: Contents) -> dict[str, Any]:
    suite = contents.suite
    rows: dict[str, Any] = {}
    for job in contents.jobs:
        rows.setdefault(job.key.name, job.run)
    return {
        "command": contents.command,
        "configuration": json.dumps(suite.model_dump(mode="json", exclude={"varied"}), indent=1),
        "origins": provenance.origins(contents.jobs),
        "since": provenance.since(contents.jobs),
        "digest": DATASETS[suite.dataset].digest,
        "dataset": DATASETS[suite.dataset],
        "reproduce": {
            row: provenance.command_of(run, suite.name, _seeds(contents, row))
            for row, run in rows.items()
        },
    }


def _seeds(contents: Contents, row: str) -> int:
    return max(job.run.seed for job in contents.jobs if job.key.name == row) + 1
