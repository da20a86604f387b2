"""The register of claims: what the sources say, frozen before the runs that may decide it.

`python -m benchmarks.planning.register --freeze` seals what is new or changed.
"""

import hashlib
import json
import re
import sys
import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from benchmarks.common.errors import UserError, unknown
from benchmarks.common.files import ROOT, write_text
from benchmarks.evaluation.registry import METRICS
from benchmarks.planning.config import Claim

REGISTER = Path(__file__).with_name("register.toml")
PUBLISHED = ROOT / "results" / "published"
SOURCE = ("id", "says", "quote", "place", "scale")
"""What every entry says of its source."""
STAMPS = ("date", "seen", "seal")
"""What is written when an entry is frozen."""


@dataclass(frozen=True)
class Entry:
    """A registered claim.

    Attributes:
        id, says, quote, place, scale: what is claimed, where, and on what its author saw it.
        suites: those that test it; none, and then `reason` says why.
        reason: why it is not tested.
        claim: what suites test; None without a suite.

    """

    id: str
    says: str
    quote: str
    place: str
    scale: str
    suites: tuple[str, ...] = ()
    reason: str = ""
    claim: Claim | None = None


def entries(path: Path = REGISTER) -> list[Entry]:
    """Return every registered claim.

    Raises:
        UserError: an entry is incomplete, names what does not exist, or is not as it was frozen.

    """
    return _entries(path, path.stat().st_mtime_ns)


@cache
def _entries(path: Path, _changed: int) -> list[Entry]:
    return [_entry(raw, where) for raw, where in _read(path)]


def claims_of(suite: str) -> tuple[Claim, ...]:
    """Return the registered claims that a committed suite tests."""
    return tuple(e.claim for e in entries() if e.claim is not None and suite in e.suites)


def digest(path: Path = REGISTER) -> str:
    """Return the register's digest, which every report names."""
    return hashlib.sha256(path.read_bytes()).hexdigest()[:12]


def _read(path: Path) -> list[tuple[dict[str, Any], str]]:
    """Return each raw entry, and what an error calls it: file, line and number."""
    text = path.read_text()
    try:
        raw: list[dict[str, Any]] = tomllib.loads(text)["claim"]
    except (tomllib.TOMLDecodeError, KeyError) as error:
        raise UserError(f"{path.name} is no register of claims: {error}") from error
    lines = [text.count("\n", 0, m.start()) + 1 for m in re.finditer(r"(?m)^\[\[claim\]\]", text)]
    return [
        (entry, f"{path.name}, line {line}, claim {entry.get('id', 'without id')}")
        for entry, line in zip(raw, lines, strict=True)
    ]


def _entry(raw: Mapping[str, Any], where: str) -> Entry:
    if lacking := [name for name in SOURCE if not raw.get(name)]:
        raise UserError(f"{where}: has no {lacking[0]}")
    if raw.get("seal") != seal(raw):
        raise UserError(
            f"{where}: not as it was frozen on {raw.get('date', 'no day')}. Restore it, or freeze "
            "it anew (python -m benchmarks.planning.register --freeze): it is then exploratory for "
            "all runs that have been looked at"
        )
    id_, says, quote, place, scale = (str(raw[name]) for name in SOURCE)
    suites = tuple(raw.get("suites", ()))
    if bool(suites) == bool(raw.get("reason")):
        raise UserError(f"{where}: needs either suites that test it or the reason why none does")
    if not suites:
        return Entry(id_, says, quote, place, scale, reason=str(raw["reason"]))
    values = {name: value for name, value in raw.items() if name not in ("suites", "seal")}
    if raw.get("kind") != "at_least" and "margin" not in raw:
        raise UserError(f"{where}: has no margin, the least difference that matters")
    try:
        claim = Claim(**values)
    except ValidationError as error:
        first = error.errors()[0]
        at = ".".join(map(str, first["loc"]))
        raise UserError(f"{where}: {at}{': ' * bool(at)}{first['msg']}") from error
    for metric in filter(None, (claim.metric, claim.floor)):
        if metric not in METRICS:
            raise UserError(f"{where}: {unknown('metric', metric, METRICS)}")
    return Entry(id_, says, quote, place, scale, suites, claim=claim)


def seal(raw: Mapping[str, Any]) -> str:
    """Return the digest of an entry with its date and what had been seen by then."""
    frozen = {name: value for name, value in raw.items() if name != "seal"}
    text = json.dumps(frozen, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def freeze(path: Path = REGISTER, published: Path = PUBLISHED) -> list[str]:
    """Seal the entries that are new or changed, as of today; return their ids.

    Args:
        path: the register.
        published: the folder of published reports: what had been looked at.

    """
    blocks = re.split(r"(?m)^(?=\[\[claim\]\])", path.read_text())
    written, sealed = [blocks[0]], []
    for block, (raw, _) in zip(blocks[1:], _read(path), strict=True):
        if raw.get("seal") == seal(raw):
            written.append(block)
            continue
        own = {name: value for name, value in raw.items() if name not in STAMPS}
        own["date"] = datetime.now(UTC).date().isoformat()
        if own.get("suites"):
            own["seen"] = seen(published, own["suites"])
        stamps = {name: own[name] for name in STAMPS if name in own} | {"seal": seal(own)}
        kept = [line for line in block.rstrip().splitlines() if line.split(" ")[0] not in STAMPS]
        written.append(
            "\n".join([*kept, *(f"{k} = {_toml(v)}" for k, v in stamps.items())]) + "\n\n"
        )
        sealed.append(str(raw.get("id")))
    write_text(path, "".join(written).rstrip() + "\n")
    return sealed


def seen(published: Path, suites: Collection[str]) -> dict[str, int]:
    """Return report of some suites, long or short -> how many seeds of it are published."""
    found = {}
    for name in sorted({form for suite in suites for form in (suite, f"{suite}-short")}):
        path = published / name / "report.json"
        if path.exists():
            rows = json.loads(path.read_text())["rows"]
            found[name] = max(row["seeds_planned"] for row in rows if row["kind"] != "control")
    return found


def _toml(value: str | Mapping[str, int]) -> str:
    if isinstance(value, str):
        return json.dumps(value)
    return "{ " + ", ".join(f"{json.dumps(k)} = {v}" for k, v in value.items()) + " }"


if __name__ == "__main__":
    if sys.argv[1:] != ["--freeze"]:
        sys.exit("usage: python -m benchmarks.planning.register --freeze")
    print("frozen:", ", ".join(freeze()) or "nothing was new or changed")
