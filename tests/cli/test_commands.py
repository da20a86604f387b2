"""Every command, link and piece of code in the documents, with a small budget."""

import ast
import importlib.util
import math
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
from typer.testing import CliRunner

import run_all
from benchmarks.common.errors import UserError
from benchmarks.evaluation.metrics.undefined import Undefined
from benchmarks.evaluation.real_data import Real
from benchmarks.evaluation.registry import Metric, bounds
from datasets.loading import load
from datasets.registry import DATASETS
from zoo.export import main as export_main

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
