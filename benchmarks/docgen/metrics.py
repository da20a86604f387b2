"""Write docs/metrics.md from the table of metrics: `python -m benchmarks.docgen.metrics`."""

from pathlib import Path

from benchmarks.common.files import write_text
from benchmarks.evaluation.protocol import PROTOCOLS, VERSION
from benchmarks.evaluation.registry import GATED, LIGHT, METRICS, Metric, head, table_line

PATH = Path(__file__).resolve().parents[2] / "docs" / "metrics.md"
QUESTIONS = {
    "samples": "Do samples G(z) look like the data, in all its variety, and are they new?",
    "modes": "Do samples reach all of a known mixture, and do reconstructions stay in their mode?",
    "representation": "Does E(x) know what the picture is?",
    "consistency": "Do the two directions invert each other?",
    "latents": "Does E fill the prior, and is the way between two draws smooth?",
    "anomaly": "Does a family trained without a class see that its images are strange?",
    "stability": "Does training hold, and how soon is it good?",
    "cost": "What does it cost?",
}
COLUMNS = (
    "column",
    "name",
    "what",
    "unit",
    "range",
    "measured on",
    "source",
    "read against",
    "marks",
)
READING = (
    "Arrows: ↓ lower is better, ↑ higher is better, → this value is best; without an arrow no "
    "value is better than another. **Headline**: in the main table. **Gated**: the regression "
    "check looks at it, and calls nothing below this difference one (relative on a logarithmic "
    "scale, absolute otherwise). **Light**: also measured during training, on fewer samples."
)


def document() -> str:
    """Return the page."""
    sizes = "; ".join(
        f"{name}: n = {protocol.samples:,}, during training {protocol.light_samples:,}, "
        f"extractor `{protocol.extractor}`"
        for name, protocol in PROTOCOLS.items()
    )
    parts = [
        "# The metrics\n",
        "Written by `python -m benchmarks.docgen.metrics` from "
        "[metrics.toml](../benchmarks/evaluation/metrics.toml), not edited by hand. "
        "Why these: [evaluation.md](evaluation.md).\n",
        f"Protocol {VERSION}. {sizes}.\n",
        f"{READING}\n",
    ]
    for question, asked in QUESTIONS.items():
        metrics = [metric for metric in METRICS.values() if metric.question == question]
        rows = [COLUMNS, ("---",) * len(COLUMNS), *map(_cells, metrics)]
        parts += [f"## {question.capitalize()}: {asked}\n", "\n".join(map(table_line, rows)) + "\n"]
    return "\n".join(parts)


def _cells(m: Metric) -> tuple[str, ...]:
    marks = {
        "headline": m.headline,
        f"gated at {m.floor}": m.name in GATED,
        "light": m.name in LIGHT,
    }
    marked = ", ".join(mark for mark, given in marks.items() if given)
    name = f'<a id="{m.name}"></a>`{m.name}`'
    return head(m), name, m.what, m.unit, m.range, m.size, m.source, m.controls, marked


if __name__ == "__main__":
    write_text(PATH, document())
