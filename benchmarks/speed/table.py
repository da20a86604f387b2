"""A saved benchmark file -> the table of docs/speed.md; nothing is measured here."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

TIME_COLUMNS = (
    "benchmark",
    "threads",
    "median ms",
    "best ms",
    "floor ms",
    "best / floor",
    "calls",
    "in reference products",
    "speedup",
)


MEMORY = "memory["
MEMORY_COLUMNS = ("family", "MiB by which a process grew in 40 steps")


@dataclass(frozen=True)
class Timing:
    """One benchmark.

    Attributes:
        name: as pytest calls it.
        threads: of PyTorch.
        median: seconds.
        best: seconds.
        normalised: best seconds in units of the reference product measured beside it.
        floor: seconds a step needs at least, where that is known.
        calls: tensor operations of a step.
        speedup: how many times slower what it is compared with was in the same run.

    """

    name: str
    threads: int
    median: float
    best: float
    normalised: float
    floor: float | None = None
    calls: int | None = None
    speedup: float | None = None

    @property
    def ratio(self) -> float | None:
        """Best time over the floor."""
        return None if self.floor is None else self.best / self.floor


def normalised(content: Mapping[str, Any]) -> list[Timing]:
    """Return the lines of a pytest-benchmark file, each with its time in reference products."""
    return [_line(benchmark) for benchmark in content["benchmarks"]]


def _line(benchmark: Mapping[str, Any]) -> Timing:
    stats, facts = benchmark["stats"], benchmark["extra_info"]
    return Timing(
        name=benchmark["name"].removeprefix("test_"),
        threads=facts["threads"],
        median=stats["median"],
        best=stats["min"],
        normalised=stats["min"] / facts["reference_seconds"],
        floor=facts.get("floor_seconds"),
        calls=facts.get("calls"),
        speedup=facts.get("speedup"),
    )


def slowdowns(new: Sequence[Timing], old: Sequence[Timing]) -> dict[str, float]:
    """Return name -> new over old normalised time, where both files have the benchmark."""
    before = {line.name: line.normalised for line in old}
    return {line.name: line.normalised / before[line.name] for line in new if line.name in before}


def speed_table(content: Mapping[str, Any]) -> str:
    """Return the table and on what it was measured, without a date or the machine's name."""
    rows = [_cells(line) for line in normalised(content) if not line.name.startswith(MEMORY)]
    table, memory = _table(TIME_COLUMNS, rows), _table(MEMORY_COLUMNS, _memory(content))
    machine = content["machine_info"]
    where = (
        f"{machine['processor']}, {machine['cores']} cores, torch {machine['packages']['torch']}, "
        f"Python {machine['python_version']}; reference product "
        f"{1e3 * _reference(content):.2f} ms"
    )
    return f"{table}\n\n{memory}\n\n<sub>{where}.</sub>\n"


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    rule = ["---", *["---:"] * (len(columns) - 1)]
    return "\n".join(f"| {' | '.join(row)} |" for row in (columns, rule, *rows))


def _memory(content: Mapping[str, Any]) -> list[list[str]]:
    """Return family and growth of every benchmark of memory."""
    rows = []
    for benchmark in content["benchmarks"]:
        name, facts = benchmark["name"].removeprefix("test_"), benchmark["extra_info"]
        if name.startswith(MEMORY) and "grown_mib" in facts:
            family = name.removeprefix(MEMORY).removesuffix("]")
            rows.append([family, f"{facts['grown_mib']:.1f}"])
    return rows


def _cells(line: Timing) -> list[str]:
    return [
        line.name,
        str(line.threads),
        f"{1e3 * line.median:,.2f}",
        f"{1e3 * line.best:,.2f}",
        "" if line.floor is None else f"{1e3 * line.floor:,.2f}",
        "" if line.ratio is None else f"{line.ratio:.2f}",
        "" if line.calls is None else f"{line.calls:,}",
        f"{line.normalised:,.2f}",
        "" if line.speedup is None else f"{line.speedup:.2f}",
    ]


def _reference(content: Mapping[str, Any]) -> float:
    times: list[float] = [b["extra_info"]["reference_seconds"] for b in content["benchmarks"]]
    return min(times)


def ratios(lines: Sequence[Timing]) -> dict[str, float]:
    """Return family-size -> step over floor: what the tripwire compares with."""
    return {
        line.name.removeprefix("step[").removesuffix("]"): round(line.ratio, 2)
        for line in lines
        if line.name.startswith("step[") and line.ratio is not None
    }


def read(path: Path) -> dict[str, Any]:
    """Read a saved file."""
    content: dict[str, Any] = json.loads(path.read_text())
    return content
