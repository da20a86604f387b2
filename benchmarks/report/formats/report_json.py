"""The report as data: report.json, which README and documents take their numbers from."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from benchmarks.evaluation.protocol import PROTOCOLS, VERSION
from benchmarks.evaluation.registry import METRICS
from benchmarks.planning import register
from benchmarks.report.data import provenance
from benchmarks.report.data import summary as tables
from benchmarks.report.data.contents import Contents, conditions
from benchmarks.report.data.summary import Summary
from benchmarks.report.text import findings

SCHEMA = 1


def content(contents: Contents, drawn: Mapping[str, str]) -> dict[str, Any]:
    """Return all that a document may quote of a report.

    Args:
        contents: the runs.
        drawn: figure beside the report, without suffix -> what it shows.

    """
    suite, summary = contents.suite, contents.summary
    protocol = PROTOCOLS[suite.dataset]
    return {
        "schema": SCHEMA,
        "suite": suite.name,
        "question": suite.question,
        "dataset": suite.dataset,
        "command": contents.command,
        "conditions": conditions(contents.jobs),
        "protocol": {"version": VERSION, "samples": protocol.samples,
                     "extractor": protocol.extractor},
        "register": register.digest(),
        "changed": contents.changed,
        "published": findings.published(contents.reproduced),
        "verdicts": [
            {"claim": v.claim.id, "verdict": v.verdict, "word": v.word, "says": v.claim.says,
             "numbers": v.numbers, "p": v.p, "at_scale": v.at_scale,
             "exploratory": v.exploratory,
             "found": None if v.found is None else asdict(v.found)}
            for v in contents.verdicts
        ],
        "findings": findings.ranking(contents),
        "references": findings.references(contents),
        "certainty": findings.certainty(contents),
        "cost": findings.cost(contents),
        "notes": list(contents.notes),
        "origins": [
            {"code": code, "machine": machine, "runs": len(runs)}
            for (code, machine), runs in provenance.origins(contents.jobs).items()
        ],
        "headline": [metric.name for metric in tables.shown(summary)],
        "rows": [_row(summary, label) for label in summary.keys],
        "pictures": dict(drawn),
    }  # fmt: skip


def _row(summary: Summary, label: str) -> dict[str, Any]:
    """Return a line of the table: its key, its seeds, and a cell for every metric that it has."""
    key, seeds = summary.keys[label], summary.seeds[label]
    cells = {
        metric: asdict(cell)
        | {"best": label in summary.best[metric]}
        | {"text": tables.one_line(summary, label, METRICS[metric])}
        for (row, metric), cell in summary.cells.items()
        if row == label
    }
    return asdict(key) | {
        "id": key.id,
        "name": key.name,
        "label": label,
        "lacks": summary.references.get(label, ""),
        "seeds_done": seeds.done,
        "seeds_planned": seeds.planned,
        "seeds": summary.runs(label),
        "cells": cells,
    }
