"""Generate what documents take from code and results: `python -m benchmarks.docgen`.

README.md and docs/ hold blocks between `<!-- NAME: generated -->` and `<!-- end NAME -->`. This
fills them: tables from results/published/, a model's settings from its code, suites from their
files. Text outside the blocks is left alone. Any document may hold any block of `BLOCKS`.
"""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from benchmarks.common.errors import UserError
from benchmarks.common.files import ROOT
from benchmarks.docgen import blocks, family_pages, metrics
from zoo.registry import FAMILIES

GENERATED = ": generated -->"
Block = Callable[[str], str]
"""Takes the way from a document to the root of the repository ("../"); returns the block's text."""
BLOCKS: dict[str, Block] = {
    "picture": partial(blocks.picture, "digits-all"),
    "small_table": lambda up: blocks.small_table("digits-all"),
    "digits": lambda up: blocks.main_table("digits"),
    "digits_all": partial(blocks.findings, "digits-all"),
    "mnist_short": partial(blocks.findings, "mnist", short=True),
    "k_of_n": blocks.k_of_n,
    "claims": blocks.claims_in_full,
    "published": blocks.published,
    "suites": lambda up: blocks.suites_in_short(),
    "suites_in_full": blocks.suites_in_full,
    "sizes": lambda up: blocks.sizes(),
    "models": lambda up: blocks.models(),
    "example": lambda up: blocks.example(),
}


def documents() -> dict[Path, str]:
    """Return every document with its blocks filled: path -> text."""
    docs = ROOT / "docs"
    pages = [ROOT / "README.md", docs / "families" / "index.md", *sorted(docs.glob("*.md"))]
    texts = {path: fill(path, BLOCKS) for path in pages}
    texts |= {page_of(family): _family(family) for family in FAMILIES}
    return texts | {metrics.PATH: metrics.document()}


def page_of(family: str) -> Path:
    """Return where a family's page is, or will be."""
    return ROOT / "docs" / "families" / f"{family}.md"


def _family(family: str) -> str:
    own: dict[str, Block] = {
        "paper": partial(family_pages.paper, family),
        "settings": lambda up: family_pages.settings(family),
        "measured": partial(family_pages.measured, family),
    }
    return fill(page_of(family), own, family_pages.skeleton(family))


def fill(path: Path, known: Mapping[str, Block], new: str = "") -> str:
    """Return a document with its blocks generated again.

    Args:
        path: where it is, in the repository or anywhere.
        known: block's name -> what generates it.
        new: a document with blocks, taken where there is none yet.

    Raises:
        UserError: a block is unknown or has no end.

    """
    there = path.read_text() if path.exists() else ""
    text = there if there.strip() else new
    up = "../" * (len(path.relative_to(ROOT).parts) - 1) if path.is_relative_to(ROOT) else ""
    lines, rest = [], iter(text.splitlines(keepends=True))
    for line in rest:
        lines.append(line)
        if not line.rstrip().endswith(GENERATED):
            continue
        name = line.strip().removeprefix("<!-- ").removesuffix(GENERATED)
        if name not in known:
            raise UserError(f"{path}: unknown block {name!r}; there are {', '.join(known)}")
        end = f"<!-- end {name} -->"
        if not any(skipped.strip() == end for skipped in rest):
            raise UserError(f"{path}: <!-- {name}{GENERATED} has no {end}")
        lines.append(f"\n{known[name](up).strip()}\n\n{end}\n")
    return "".join(lines)
