"""Generated documents: as committed, whole, and refused where they cannot be."""

import re
from pathlib import Path

import pytest

from benchmarks import docgen
from benchmarks.common.errors import UserError
from benchmarks.docgen import __main__ as write_documents
from zoo.registry import FAMILIES, about

ROOT = Path(__file__).resolve().parents[2]


def test_documents_are_what_the_command_writes() -> None:
    for path, text in docgen.documents().items():
        assert path.read_text() == text, f"{path.name}: run python -m benchmarks.docgen"


def cells(text: str, row: str) -> list[str]:
    """Return the cells that are not empty of the first table line that begins with a row's name."""
    line = next(line for line in text.splitlines() if line.startswith(f"| {row} |"))
    parts = [part.strip().replace("**", "") for part in line.split("|")[2:-1]]
    return [part for part in parts if part]


@pytest.mark.parametrize("family", ["bigan", "aegan", "autoencoder"])
def test_tables_of_families_hold_the_numbers_of_the_results(family: str) -> None:
    """By another route: the digits table's own row, cell by cell, in the models' pages."""
    report = (ROOT / "results" / "published" / "digits" / "table.md").read_text()
    title = about(family).title
    published = cells(report, family if f"| {family} |" in report else title)
    page = (ROOT / "docs" / "families" / f"{family}.md").read_text().split("Suite `digits`")[1]
    assert published == cells(page.replace("\N{NO-BREAK SPACE}", " "), title)


def test_every_document_is_in_the_site() -> None:
    """The pages of models are listed by docs/hooks.py; tests/test_checks.py sees to it."""
    site = (ROOT / "mkdocs.yml").read_text()
    for path in (ROOT / "docs").rglob("*.md"):
        if path.parent.name != "families":
            assert str(path.relative_to(ROOT / "docs")) in site, path
    assert all((ROOT / "docs" / "families" / f"{family}.md").exists() for family in FAMILIES)


def test_a_block_without_an_end_or_unknown_is_refused(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("a\n<!-- one: generated -->\nold\n<!-- end one -->\nb\n")
    filled = docgen.fill(page, {"one": lambda up: "new"})
    assert filled == "a\n<!-- one: generated -->\n\nnew\n\n<!-- end one -->\nb\n"
    with pytest.raises(UserError, match="unknown block 'one'"):
        docgen.fill(page, {"two": lambda up: ""})
    page.write_text("<!-- one: generated -->\n")
    with pytest.raises(UserError, match="has no"):
        docgen.fill(page, {"one": lambda up: ""})


@pytest.mark.parametrize("there", [None, "\n"])
def test_a_page_that_is_not_there_yet_is_begun(tmp_path: Path, there: str | None) -> None:
    page = tmp_path / "page.md"
    if there is not None:
        page.write_text(there)
    filled = docgen.fill(
        page, {"one": lambda up: "new"}, "a\n<!-- one: generated -->\n<!-- end one -->\n"
    )
    assert filled == "a\n<!-- one: generated -->\n\nnew\n\n<!-- end one -->\n"


@pytest.mark.parametrize("family", FAMILIES)
def test_a_familys_page_begins_as_the_committed_ones(family: str) -> None:
    page = docgen.page_of(family).read_text()
    without = re.sub(r"(generated -->\n).*?(<!-- end)", r"\1\2", page, flags=re.DOTALL)
    marks = r"<!-- .*? -->|^## (?:Settings|Measured|Known failure modes)$"
    new = docgen.family_pages.skeleton(family)
    assert re.findall(marks, new, re.MULTILINE) == re.findall(marks, without, re.MULTILINE)
    assert page.startswith(new.splitlines()[0])


def test_documents_that_cannot_be_written_are_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail() -> None:
        raise UserError("docs/x.md has no blocks")

    monkeypatch.setattr(write_documents, "documents", fail)
    assert write_documents.main() == 2
    assert capsys.readouterr().err == "error: docs/x.md has no blocks\n"
