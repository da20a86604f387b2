"""The same families at several settings: who leads at each, and whether the order is the same."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from benchmarks.common.text import listed
from benchmarks.evaluation.registry import Metric, head
from benchmarks.planning.resolve import ROOMS
from benchmarks.report.data import summary as tables
from benchmarks.report.data.contents import Contents
from benchmarks.report.stats.comparison import clear_best
from benchmarks.report.stats.pairwise import Group, are_paired, groups, within

TITLE = "Who leads at each setting"
READING = (
    "The family with the best mean; **bold**: clearly ahead of every other one there. A count says "
    "how many pairs of models are in the other order than at the first setting."
)
Pairs = set[tuple[str, str]]


@dataclass(frozen=True)
class Standing:
    """A metric at several settings.

    Attributes:
        metric: which.
        orders: setting -> families, best mean first; the other settings are held against the first.
        clear: the settings at which the leader is clearly best.
        turned: (a, b, setting): a is clearly better than b at the first setting, and b than a at
            this one. All pairs and settings together are at 95 %.

    """

    metric: Metric
    orders: dict[str, list[str]]
    clear: set[str]
    turned: list[tuple[str, str, str]]

    @property
    def leaders(self) -> dict[str, str]:
        """Setting -> the family with the best mean."""
        return {setting: order[0] for setting, order in self.orders.items()}

    def swapped(self, setting: str) -> tuple[int, int]:
        """Return how many pairs stand the other way round than at the first setting, of how many.

        Kendall's tau is one less twice their share.
        """
        first, own = next(iter(self.orders.values())), self.orders[setting]
        pairs = list(combinations([family for family in first if family in own], 2))
        return sum(own.index(a) > own.index(b) for a, b in pairs), len(pairs)


def standings(contents: Contents) -> list[Standing]:
    """Return the headline metrics at the settings of a suite; none while nothing can be ranked."""
    summary = contents.summary
    if not summary.settings or tables.unfinished(summary):
        return []
    found = [_standing(contents, metric) for metric in tables.shown(summary)]
    return [standing for standing in found if len(standing.orders) > 1]


def _standing(contents: Contents, metric: Metric) -> Standing:
    """Return a metric's standing; no orders if there are no ranks, or no spread over seeds."""
    summary, ranks = contents.summary, contents.ranks
    own = ranks[(ranks["metric"] == metric.name) & ranks["mean_rank"].notna()]
    orders: dict[str, list[str]] = {}
    for row in own["label"]:
        orders.setdefault(summary.settings[row], []).append(summary.keys[row].unvaried)
    runs = contents.runs[contents.runs["label"].isin(own["label"])]
    parts = within(groups(runs, metric), summary.settings)
    comparisons = sum(len(part) * (len(part) - 1) // 2 for part in parts.values())
    clear = {
        setting: _clear(_by_family(part, contents), metric, 0.05 / comparisons)
        for setting, part in parts.items()
        if setting in orders
    }
    first: Pairs = next(iter(clear.values()), set())
    turned = [(a, b, setting) for setting, own in clear.items() for a, b in first if (b, a) in own]
    best = {summary.settings[row] for row in summary.best[metric.name]}
    return Standing(metric, orders, best, sorted(turned))


def _by_family(part: Mapping[str, Group], contents: Contents) -> dict[str, Group]:
    return {contents.summary.keys[row].unvaried: group for row, group in part.items()}


def _clear(part: Mapping[str, Group], metric: Metric, error: float) -> Pairs:
    """Return the pairs (better, worse) that are clear, each at confidence 1 - error."""
    found = set()
    for a, b in combinations(part, 2):
        values = {row: part[row].values for row in (a, b)}
        best = clear_best(values, metric, are_paired((part[a], part[b])), error)
        if best is not None:
            found.add((best, b if best == a else a))
    return found


def table(contents: Contents) -> list[tuple[str, ...]]:
    """Return each metric's leader at each setting: a head line, then a line per metric."""
    found = standings(contents)
    settings = list(dict.fromkeys(setting for one in found for setting in one.orders))
    lines = [(head(one.metric), *(_cell(one, setting) for setting in settings)) for one in found]
    return [("metric", *settings), *lines] if lines else []


def _cell(standing: Standing, setting: str) -> str:
    if setting not in standing.orders:
        return ""
    leader, (swapped, pairs) = standing.leaders[setting], standing.swapped(setting)
    said = f"**{leader}**" if setting in standing.clear else leader
    return said + f", {swapped} of {pairs}" * bool(swapped)


def described(contents: Contents) -> list[str]:
    """Say which families there are, at which settings, and which of them are not ranked."""
    summary, keys = contents.summary, contents.summary.keys
    names = dict.fromkeys(keys[row].unvaried for row in summary.of("model"))
    settings = dict.fromkeys(summary.settings.values())
    changes = listed([_changes(setting, contents) for setting in settings])
    lines = [
        f"{len(names)} models ({listed(list(names))}), each at {len(settings)} settings: "
        f"{changes}. Rows are compared within their setting only."
    ]
    lacking = {keys[row].unvaried: lack for row, lack in summary.references.items()}
    if lacking:
        said = listed([f"{row} ({lack})" for row, lack in lacking.items()])
        lines.append(f"Reference models (one direction only), not ranked: {said}.")
    return lines


def _changes(setting: str, contents: Contents) -> str:
    """Return a setting with what it changes of a family's own row."""
    suite = contents.suite
    row = next(row for row, own in contents.summary.settings.items() if own == setting)
    key = contents.summary.keys[row]
    own, other = (_flat(suite.rows.get(name, {})) for name in (key.title or key.row, key.row))
    changes = [f"{k} {v}" for k, v in own.items() if k != "family" and other.get(k) != v]
    return setting + f" ({', '.join(changes)})" * bool(changes)


def _flat(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a row says, its networks and training settings among the rest."""
    flat = {name: value for name, value in row.items() if name not in ROOMS}
    for room in ROOMS:
        flat |= row.get(room, {})
    return flat


def compared(contents: Contents) -> list[str]:
    """Say whether the leader, and the whole order, is the same at every setting."""
    found = standings(contents)
    leaders = {one.metric.title: one.leaders for one in found}
    same = {title: own[next(iter(own))] for title, own in leaders.items() if _one(own)}
    lines = [f"The same model leads by the mean at every setting in {_of(same, found)}"]
    lines[0] += f": {_grouped(same, 'in')}." if same else "."
    changing = [f"{t} ({_grouped(own, 'at')})" for t, own in leaders.items() if t not in same]
    if changing:
        lines.append(f"The leader changes with the setting in {', '.join(changing)}.")
    return [*lines, _orders(found), *_clear_leaders(found), _turned(found)]


def _one(values: Mapping[str, str]) -> bool:
    return len(set(values.values())) == 1


def _grouped(values: Mapping[str, str], by: str) -> str:
    """Return "aegan in FID and KID; bigan in coverage" of {"FID": "aegan", ...}."""
    groups: dict[str, list[str]] = {}
    for name, value in values.items():
        groups.setdefault(value, []).append(name)
    return "; ".join(f"{value} {by} {listed(names)}" for value, names in groups.items())


def _of(some: Collection[str], found: Collection[Standing]) -> str:
    return f"{len(some)} of {len(found)} metrics"


def _orders(found: list[Standing]) -> str:
    """Say how much of the order of the means depends on the setting."""
    swaps = {one.metric.title: [one.swapped(s) for s in one.orders] for one in found}
    whole = [title for title, counts in swaps.items() if not any(n for n, _ in counts)]
    most, pairs = max((count for counts in swaps.values() for count in counts), default=(0, 0))
    names = f" ({listed(whole)})" * bool(whole)
    rest = f"; elsewhere up to {most} of {pairs} pairs of models change places" * bool(most)
    return (
        "The whole order of the means is the same at every setting in "
        f"{_of(whole, found)}{names}{rest}."
    )


def _clear_leaders(found: list[Standing]) -> list[str]:
    """Say where a leader is clearly best, and at which settings."""
    clear = {
        one.metric.title: {s: leader for s, leader in one.leaders.items() if s in one.clear}
        for one in found
    }
    every = {
        one.metric.title: clear[one.metric.title][next(iter(one.orders))]
        for one in found
        if _one(one.leaders) and len(one.clear) == len(one.orders)
    }
    some = [f"{t} ({_grouped(own, 'at')})" for t, own in clear.items() if own and t not in every]
    never = [title for title, own in clear.items() if not own]
    said = {
        "One model is clearly ahead at every setting": _grouped(every, "in"),
        "A model is clearly ahead at some settings": ", ".join(some),
        "No model is clearly ahead at any setting": listed(never, "or"),
    }
    return [f"{lead}: {what}." for lead, what in said.items() if what]


def _turned(found: list[Standing]) -> str:
    """Say which pairs are clearly the other way round at another setting."""
    said = [
        f"{a} and {b} in {one.metric.title} (the first clearly ahead at {next(iter(one.orders))}, "
        f"the second at {setting})"
        for one in found
        for a, b, setting in one.turned
    ]
    if said:
        return f"Two models change places by more than chance explains: {'; '.join(said)}."
    return (
        "No two models are clearly one way round at the first setting and clearly the other way "
        "round at another."
    )
