"""Every command, link and piece of code in the documents, with a small budget."""

import ast
import importlib.util
import json
import math
import re
import runpy
import shlex
import subprocess
import sys
import tomllib
from itertools import pairwise
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch
import typer
from markdown_it import MarkdownIt
from markdown_it.token import Token
from torchvision.utils import save_image
from typer.testing import CliRunner

import run_all
from benchmarks import docgen
from benchmarks.common.errors import UserError
from benchmarks.docgen import __main__ as write_documents
from benchmarks.evaluation.metrics.undefined import Undefined
from benchmarks.evaluation.normalise import main as normalise
from benchmarks.evaluation.real_data import Real
from benchmarks.evaluation.registry import Metric, bounds
from datasets.loading import load
from datasets.registry import DATASETS
from tests.zoo.test_trained import trained
from zoo.export import main as export_main
from zoo.registry import FAMILIES, about

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted(
    path
    for path in (*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"))
    if not path.is_relative_to(ROOT / "results")
)
ELSEWHERE = {
    "git clone <address of this repository> bidirectional-gans": "the address is the reader's",
    "cd bidirectional-gans": "a folder of the reader's",
    "pip install .": ".ci/run installs the project",
    "pip install '.[test]'": ".ci/run installs it with the extra",
    "pip install '.[onnx]'": "a part of the extra test",
    "pip install '.[hub]'": "a part of the extra test",
    "pytest": "this is it",
    "ruff check .": ".ci/run",
    "ruff format --check .": ".ci/run",
    "mypy": ".ci/run",
    "mkdocs build --strict": ".ci/run",
    "python run_all.py --report results/runs path/to/others": "tests/cli/test_run_all.py",
    "python -m zoo.export RUN_FOLDER OUT": "tests/zoo/test_trained.py",
    "python -m benchmarks.evaluation.normalise RUN_FOLDER": "tests/zoo/test_trained.py",
}
"""Commands that are not run here, and why or where they are."""


SPEED = "pytest benchmarks/speed"
PYTHON = "python "
MARKDOWN = MarkdownIt("commonmark").enable("table")


def tokens(path: Path) -> list[Token]:
    """Return a document's blocks and what stands in its lines, as a Markdown parser sees them."""
    blocks = MARKDOWN.parse(path.read_text())
    return [token for block in blocks for token in (block, *(block.children or ()))]


def code(path: Path, language: str) -> list[str]:
    """Return a document's code blocks in one language."""
    return [t.content for t in tokens(path) if t.type == "fence" and language in t.info.split()[:1]]


def commands() -> dict[str, Path]:
    """Return command -> the page that shows it, of code blocks and of inline code."""
    found = {}
    for path in PAGES:
        lines = [line for block in code(path, "bash") for line in block.splitlines()]
        inline = [t.content for t in tokens(path) if t.type == "code_inline"]
        lines += [text for text in inline if text.startswith(PYTHON)]
        for line in lines:
            parts = line.split(" #")[0].strip().split(" && ")
            found |= dict.fromkeys(filter(None, parts), path)
    # Minutes of timing; tests/speed/test_speed.py tests the parts.
    return {line: path for line, path in found.items() if not line.startswith(SPEED)}


@pytest.mark.parametrize("command", sorted(commands().keys() - ELSEWHERE.keys()))
def test_a_command_runs_in_a_short_form(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`run_all.py` plans what the command says; modules are there."""
    monkeypatch.chdir(ROOT)
    words = shlex.split(command)
    if words[0] == "pytest":  # the tests are run anyway
        assert all(Path(word).exists() for word in words[1:])
        return
    assert words[0] == "python", f"{commands()[command]}: say in ELSEWHERE where this is run"
    if words[1] == "-m":
        assert importlib.util.find_spec(words[2]) is not None
        return
    assert words[1] == "run_all.py"
    options = [*words[2:], "--dry-run", "--results", str(tmp_path)]
    done = CliRunner().invoke(run_all.app, options)
    assert done.exit_code == 0, done.output


def test_nothing_is_excused_that_is_not_shown() -> None:
    assert ELSEWHERE.keys() <= commands().keys()


def slug(heading: str) -> str:
    """Return the anchor of a heading, as GitHub and the site make it."""
    kept = "".join(c for c in heading.lower() if c.isalnum() or c in "_- ")
    return kept.replace(" ", "-")


def anchors(path: Path) -> set[str]:
    """Return what a link to a document may name after "#"."""
    blocks = MARKDOWN.parse(path.read_text())
    heads = [
        slug("".join(part.content for part in inline.children or ()))
        for start, inline in pairwise(blocks)
        if start.type == "heading_open"
    ]
    html = [t.content for t in tokens(path) if t.type == "html_inline"]
    marks = [text.removeprefix('<a id="').removesuffix('">') for text in html]
    return {*heads, *marks}


def broken_links(path: Path) -> list[str]:
    """Return the links and pictures of a document that lead nowhere, web pages left out."""
    found = []
    for token in tokens(path):
        link = str(token.attrs.get("href") or token.attrs.get("src") or "")
        target, _, anchor = link.partition("#")
        if link and not link.startswith(("http:", "https:")):
            file = path.parent / target if target else path
            if not file.exists() or (anchor and anchor not in anchors(file)):
                found.append(link)
    return found


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(path: Path) -> None:
    assert broken_links(path) == []


@pytest.mark.parametrize("link", ["nowhere.md", "page.md#b", "#b", "nowhere.png"])
def test_a_broken_link_is_seen(link: str, tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"# A\n\n[right](page.md#a), ![](page.md) and ![wrong]({link})\n")
    assert broken_links(page) == [link]


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_code_blocks_are_python(path: Path) -> None:
    for block in code(path, "python"):
        if not block.startswith('"'):  # an entry of a dict
            ast.parse(block)


def run_blocks(page: str) -> dict[str, Any]:
    """Run a document's Python blocks one after another; return the names they define."""
    names: dict[str, Any] = {}
    for block in code(ROOT / "docs" / page, "python"):
        if not block.startswith('"'):
            exec(compile(block, page, "exec"), names)
    return names


def test_the_code_that_adds_a_data_set(monkeypatch: pytest.MonkeyPatch) -> None:
    loader = code(ROOT / "docs" / "add-a-data-set.md", "python")[0]
    module = ModuleType("datasets.discs")
    exec(compile(loader, "discs.py", "exec"), module.__dict__)
    monkeypatch.setitem(sys.modules, "datasets.discs", module)
    info = run_blocks("add-a-data-set.md")["info"]
    monkeypatch.setitem(DATASETS, info.name, info)
    images = load("discs", None, offline=True)  # checks the digest
    assert (len(images.train), len(images.test)) == (info.train, info.test)
    assert images.train.images.shape[1:] == info.image_shape
    assert images.train.images.dtype == torch.uint8
    assert len(images.test.labels.unique()) == info.classes
    ink = images.train.images.double().mean((1, 2, 3))
    means = [ink[images.train.labels == label].mean() for label in range(10)]
    assert means == sorted(means)  # a larger class is a larger disc


def test_the_code_that_adds_a_metric() -> None:
    page = ROOT / "docs" / "add-a-metric.md"
    ((name, fields),) = tomllib.loads(code(page, "toml")[0]).items()
    metric = Metric(name=name, **fields)
    assert bounds(metric, 10) == (0, math.inf)
    ink = run_blocks(page.name)[name]
    bright, dark = torch.ones(4, 1, 2, 2), torch.zeros(3, 1, 2, 2)
    assert ink(bright, dark) == 2
    assert ink(dark, bright) == 0.5
    with pytest.raises(Undefined, match="all black"):
        ink(bright, -bright)
    assert f'"{name}": lambda: s.{name}(x(), real.subset)' in page.read_text()
    assert "subset" in dir(Real)


@pytest.mark.long
def test_the_code_that_uses_a_trained_model_from_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In another folder and another process, with the checkout on the path as the page says."""
    page = ROOT / "docs" / "using.md"
    onnx = [block for block in code(page, "python") if "onnxruntime" in block]
    plain = [block for block in code(page, "python") if block not in onnx]
    path = next(block for block in plain if "CHECKOUT" in block)
    blocks = [path, *(block for block in plain if block != path)]
    script = "\n".join([f"CHECKOUT = {str(ROOT)!r}", *blocks])
    model = ROOT / "results" / "published" / "models" / "digits" / "bigan"
    assert export_main([str(model), str(tmp_path)]) == 0
    for text in (script, *onnx):
        done = subprocess.run(
            [sys.executable, "-W", "error::DeprecationWarning:__main__", "-c", text],
            cwd=tmp_path, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
    assert (tmp_path / "bigan-digits" / "README.md").exists()


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


def options() -> dict[str, str]:
    """Return option -> help of `run_all.py`."""
    command = typer.main.get_command(run_all.app)
    return {
        max(p.opts, key=len): getattr(p, "help", None) or ""
        for p in command.params
        if p.param_type_name == "option"
    }


def test_the_page_of_the_command_line_is_complete() -> None:
    page = (ROOT / "docs" / "command-line.md").read_text().splitlines()
    shown = {line.split("`")[1].split(" ")[0] for line in page if line.startswith("| `--")}
    assert shown == {*options(), "--help"}
    for path in [*ROOT.glob("benchmarks/**/*.py"), *ROOT.glob("zoo/*.py")]:
        if 'if __name__ == "__main__":' in path.read_text():
            module = ".".join(path.relative_to(ROOT).with_suffix("").parts)
            assert f"`python -m {module.removesuffix('.__main__')}" in "\n".join(page)


def test_the_page_of_the_command_line_has_the_exit_codes() -> None:
    """As `run_all.guarded` gives them."""

    def interrupted() -> bool:
        raise KeyboardInterrupt

    def wrong() -> bool:
        raise UserError("no such suite")

    flows = (lambda: True, lambda: False, wrong, interrupted)
    page = (ROOT / "docs" / "command-line.md").read_text().partition("## Exit codes")[2]
    shown = [line.split("|")[1].strip() for line in page.splitlines() if line.startswith("| ")]
    assert [str(run_all.guarded(flow)) for flow in flows] == shown[2:6]


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


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "the following arguments are required: model, picture, out"),
        (
            ["nowhere", "in.png", "out.png"],
            "nowhere is neither a run folder nor a published",
        ),
        (["bigan", "nowhere.png", "out.png"], "No such file or directory: 'nowhere.png'"),
        (["bigan", "bigan/config.json", "out.png"], "cannot identify image file"),
        (["gan", "in.png", "out.png"], "error: gan: this family has no encoder and generator"),
    ],
)
def test_the_example_says_what_is_wrong(
    arguments: list[str],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    if arguments and arguments[0] in FAMILIES:
        normalise(trained(tmp_path / arguments[0], arguments[0]), None)
    monkeypatch.chdir(tmp_path)
    script = str(ROOT / "examples" / "encode_picture.py")
    monkeypatch.setattr(sys, "argv", [script, *arguments])
    monkeypatch.setattr(sys, "path", [*sys.path])
    with pytest.raises(SystemExit) as caught:
        runpy.run_path(script, run_name="__main__")
    assert caught.value.code == 2
    assert message in capsys.readouterr().err


@pytest.mark.long
def test_the_example_that_encodes_a_picture(tmp_path: Path) -> None:
    folder = trained(tmp_path / "run", "bigan")
    normalise(folder, None)
    picture, out = tmp_path / "in.png", tmp_path / "out.png"
    save_image(torch.rand(3, 20, 20, generator=torch.Generator().manual_seed(0)), picture)
    script = ROOT / "examples" / "encode_picture.py"
    done = subprocess.run(
        [sys.executable, str(script), str(folder), str(picture), str(out)],
        capture_output=True, text=True, cwd=tmp_path, check=True,
    )  # fmt: skip
    latent_dim = json.loads((folder / "config.json").read_text())["run"]["networks"]["latent_dim"]
    assert len(done.stdout.split("=")[1].split()) == latent_dim
    assert out.exists()
