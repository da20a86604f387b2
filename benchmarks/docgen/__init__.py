"""Write what documents take from code and results: `python -m benchmarks.docgen`.

README.md and docs/ hold blocks between `<!-- NAME: written -->` and `<!-- end NAME -->`. This fills
them: tables from results/published/, a family's settings from its code, suites from their files.
What stands outside the blocks is written by hand and left alone.
"""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from benchmarks.common.errors import UserError
from benchmarks.common.files import ROOT
from benchmarks.docgen import families, metrics, overview
from zoo.registry import FAMILIES

WRITTEN = ": written -->"


def documents() -> dict[Path, str]:
    """Return every document with its blocks filled: path -> text."""
    blocks: dict[Path, dict[str, Callable[[], str]]] = {
        ROOT / "README.md": {
            "digits": partial(overview.main_table, "digits"),
            "digits_all": partial(overview.findings, "digits-all"),
            "decided": overview.decided,
            "mnist_short": partial(overview.findings, "mnist", short=True),
            "suites": overview.suites_in_short,
            "example": overview.example,
        },
        ROOT / "docs" / "protocol.md": {"sizes": overview.sizes},
        ROOT / "docs" / "reproduce.md": {
            "published": overview.published,
            "suites": overview.suites_in_full,
        },
    }
    written = {path: fill(path, own) for path, own in blocks.items()}
    written |= {page_of(family): _family(family) for family in FAMILIES}
    return written | {metrics.PATH: metrics.document()}


def page_of(family: str) -> Path:
    """Return where a family's page is, or will be."""
    return ROOT / "docs" / "families" / f"{family}.md"


def _family(family: str) -> str:
    blocks = {
        "paper": partial(families.paper, family),
        "settings": partial(families.settings, family),
        "measured": partial(families.measured, family),
    }
    return fill(page_of(family), blocks, families.skeleton(family))


def fill(path: Path, blocks: Mapping[str, Callable[[], str]], new: str = "") -> str:
    """Return a document with its blocks written anew.

    Args:
        path: where it is.
        blocks: block's name -> what writes it.
        new: a document with these blocks, taken where there is none yet.

    Raises:
        UserError: a block is not there, or is one that nobody writes.

    """
    there = path.read_text() if path.exists() else ""
    text = there if there.strip() else new
    marked = [
        line.removeprefix("<!-- ").removesuffix(WRITTEN)
        for line in text.splitlines()
        if line.endswith(WRITTEN)
    ]
    if sorted(marked) != sorted(blocks):
        raise UserError(
            f"{path} has the blocks {sorted(marked)}, expected {sorted(blocks)}: put each where it "
            "belongs, as <!-- NAME: written --> and <!-- end NAME -->"
        )
    for name, write in blocks.items():
        begin, end = f"<!-- {name}{WRITTEN}", f"<!-- end {name} -->"
        before, _, rest = text.partition(begin)
        _, found, after = rest.partition(end)
        if not found:
            raise UserError(f"{path}: {begin} has no {end}")
        text = f"{before}{begin}\n\n{write().strip()}\n\n{end}{after}"
    return text
