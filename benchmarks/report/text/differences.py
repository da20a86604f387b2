"""How the families differ, as text; the report's section on it in Markdown."""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from benchmarks.evaluation.registry import METRICS, Metric, head, table_line
from benchmarks.report.stats.comparison import RESAMPLES
from benchmarks.report.stats.verdict import no_difference, size

TITLE = "## Differences between families\n"
NO_COMPARISON = (
    "One finished training seed supports no comparison: the spread between seeds is unknown, and "
    "another seed may turn the order round. Train at least three, better five or ten."
)
COLUMNS = (
    *("family", "n", "rank", "keeps it", "against the next (single pair, uncorrected)"),
    *("p (uncorrected)", "p Holm", "P(better)"),
)


@dataclass(frozen=True)
class Compared:
    """The families of one metric (at one setting), best first, each against the next."""

    metric: Metric
    setting: str
    said: str
    rows: list[tuple[str, ...]]

    @property
    def title(self) -> str:
        """The metric, and the setting if there are several."""
        return head(self.metric) + f", {self.setting}" * bool(self.setting)


def compared(
    differences: pd.DataFrame,
    ranks: pd.DataFrame,
    metrics: Sequence[Metric],
    settings: Mapping[str, str] | None = None,
) -> list[Compared]:
    """Return the comparison in some metrics, as text; without those that no two families share.

    With `settings` (row -> its own) there is one for each.
    """
    found = []
    for metric in metrics:
        pairs = differences[differences["metric"] == metric.name]
        ranked = ranks[ranks["metric"] == metric.name]
        own = ranked["label"].map(lambda row: (settings or {}).get(row, ""))
        for setting in own.unique():  # references are in pairs, and in no rank
            found.append(_compared(metric, setting, pairs, ranked[own == setting]))
    return found


def section(
    differences: pd.DataFrame,
    ranks: pd.DataFrame,
    metrics: Sequence[Metric],
    settings: Mapping[str, str] | None = None,
) -> str:
    """Return the section for some metrics; empty if no two families share a metric."""
    found = compared(differences, ranks, metrics, settings)
    if not found:
        return ""
    if differences["p"].isna().all():
        return f"{TITLE}\n{NO_COMPARISON}\n"
    return "\n".join([TITLE, f"{reading(differences)}\n", *map(_lines, found)])


def reading(differences: pd.DataFrame) -> str:
    """Return how to read the comparison, and how small a p can be with these seeds."""
    paired = bool(differences["paired"].all())
    unit = "The unit is the training seed" + (
        ", and those of two families that left out the same class are a pair. " if paired else ". "
    )
    interval, test, rival = (
        ("Student's", "paired", "the like") if paired else ("Welch's", "unpaired", "one")
    )
    return (
        f"{unit}Each metric's families in the order of their means (on its "
        f"natural scale), best first, with the mean rank over {RESAMPLES:,} bootstrap resamples of "
        "the seeds [central 95 %] and how often a family keeps its rank; few seeds make this too "
        "sure of itself. **Against the next**: this family's mean against that of the one below, "
        f"with {interval} 95 % interval; ≈ where that cannot tell the two apart. **p**: {test} "
        "permutation test of the two; **p Holm**: corrected for all pairs of the metric. "
        f"**P(better)**: how often a run of this family beats {rival} of the next; a lost run "
        "loses. "
        f"{_limits(differences)} All pairs are in `differences.csv`, the ranks in `ranks.csv`."
    )


def _limits(differences: pd.DataFrame) -> str:
    """Say how small a p can be with these seeds: a large one would be misread otherwise."""
    tested = differences.dropna(subset=["p"])
    sizes = zip(tested["n_a"], tested["n_b"], strict=True)
    limits = dict(zip((tuple(sorted(n)) for n in sizes), tested["smallest_p"], strict=True))
    said = " and ".join(f"{p:.2g} with {n} + {m} seeds" for (n, m), p in sorted(limits.items()))
    # Holm multiplies the smallest p of a metric by the number of that metric's pairs.
    name = tested["metric"].iloc[0]
    own = tested.loc[tested["metric"] == name, "smallest_p"]
    corrected = f"{min(1.0, len(own) * own.min()):.2g} in {METRICS[name].title}"
    return (
        f"**No p can be below {said}**, nor p Holm below {corrected}: a large p is no evidence "
        "that two families are equal."
    )


def _compared(metric: Metric, setting: str, pairs: pd.DataFrame, ranks: pd.DataFrame) -> Compared:
    said = str(pairs["estimand"].iloc[0])
    if ranks["order_share"].notna().all():
        said += (
            f"; the first is best in {ranks['best_share'].iloc[0]:.0%} of the resamples of these "
            f"seeds, the whole "
            f"order holds in {ranks['order_share'].iloc[0]:.0%}"
        )
    rows = []
    records = ranks.to_dict("records")
    for row, following in zip(records, [*ranks["label"][1:], None], strict=True):
        pair = pairs[(pairs["a"] == row["label"]) & (pairs["b"] == following)]
        n = f"{row['n']} ({row['lost']} lost)" if row["lost"] else str(row["n"])
        rows.append((str(row["label"]), n, *_rank(row), *_against(pair, metric)))
    return Compared(metric, setting, said, rows)


def _lines(one: Compared) -> str:
    lines = [f"**{one.title}** ({one.said})\n", table_line(COLUMNS)]
    lines.append(table_line(["---", *["---:"] * (len(COLUMNS) - 1)]))
    return "\n".join([*lines, *map(table_line, one.rows)]) + "\n"


def _rank(row: Mapping[Hashable, Any]) -> tuple[str, str]:
    if pd.isna(row["mean_rank"]):
        return f"{row['rank']:g}", "–"
    spread = f"{row['mean_rank']:.1f} [{row['rank_low']:g}, {row['rank_high']:g}]"
    return spread, f"{row['stability']:.0%}"


def _against(pairs: pd.DataFrame, metric: Metric) -> tuple[str, ...]:
    """Return the cells of a family's comparison with the next; empty for the last."""
    if pairs.empty:
        return ("",) * 4
    pair = pairs.iloc[0]
    interval = "–"
    if pd.notna(pair["low"]):
        estimate, low, high = (size(pair[end], metric) for end in ("estimate", "low", "high"))
        tied = " ≈" if pair["low"] <= no_difference(metric) <= pair["high"] else ""
        interval = f"{estimate} [{low}, {high}]{tied}"
    digits = {"p": "{:.2g}", "p_holm": "{:.2g}", "probability_of_improvement": "{:.2f}"}
    return interval, *(
        "–" if pd.isna(pair[c]) else form.format(pair[c]) for c, form in digits.items()
    )
