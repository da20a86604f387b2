"""Every command, link and piece of code in the documents, in a short form."""

import ast
import importlib.util
import json
import re
import runpy
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torchvision.utils import save_image
from typer.testing import CliRunner

import run_all
from benchmarks import docgen
from benchmarks.common.errors import UserError
from benchmarks.docgen import __main__ as write_documents
from benchmarks.evaluation.normalise import main as normalise
from tests.zoo.test_trained import trained
from zoo.registry import FAMILIES

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted(
    path
    for path in (*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"))
    if not path.is_relative_to(ROOT / "results")
)
ELSEWHERE = {
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


def commands() -> dict[str, Path]:
    """Return command -> the page that shows it, of code blocks and of inline code."""
    found = {}
    for path in PAGES:
        text = path.read_text()
        lines = [
            line.split(" #")[0].strip()
            for block in re.findall(r"```bash\n(.*?)```", text, re.DOTALL)
            for line in block.splitlines()
        ]
        lines += re.findall(r"`(python [^`\n]+)`", text)
        for line in lines:
            found |= dict.fromkeys(filter(None, line.split(" && ")), path)
    # Minutes of timing; tests/speed/test_speed.py tests the parts.
    return {line: path for line, path in found.items() if not line.startswith(SPEED)}


@pytest.mark.parametrize("command", sorted(commands().keys() - ELSEWHERE.keys()))
def test_a_command_runs_in_a_short_form(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`run_all.py` plans what the command says; modules are there."""
    monkeypatch.chdir(ROOT)
    words = shlex.split(command)
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


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(path: Path) -> None:
    for target, anchor in re.findall(r"\]\(([^)#\s]*)(#[^)\s]*)?\)", path.read_text()):
        if target.startswith("http"):
            continue
        file = path if not target else path.parent / target
        assert file.exists(), target
        if anchor:
            names = re.findall(r'<a id="([^"]+)">', file.read_text())
            heads = re.findall(r"^#+ (.+)$", file.read_text(), re.MULTILINE)
            names += [re.sub(r"[^\w\- ]", "", h).lower().replace(" ", "-") for h in heads]
            assert anchor[1:] in names, f"{target}{anchor}"


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_code_blocks_are_python(path: Path) -> None:
    for block in re.findall(r"```python\n(.*?)```", path.read_text(), re.DOTALL):
        ast.parse(block)


def test_documents_are_what_the_command_writes() -> None:
    for path, text in docgen.documents().items():
        assert path.read_text() == text, f"{path.name}: run python -m benchmarks.docgen"


def test_tables_of_families_hold_the_numbers_of_the_results() -> None:
    """By another route: the digits table's own row, cell by cell, in the families' pages."""
    report = (ROOT / "results" / "published" / "digits" / "table.md").read_text()
    for family in ("bigan", "aegan", "autoencoder"):
        line = re.findall(rf"^\| {family} \| .*$", report, re.MULTILINE)[0]
        line = line.replace(", reference |", " |")  # how a report marks them, and no number
        cells = [cell.strip("* ").replace("**", "") for cell in line.split("|")[2:-1]]
        page = (ROOT / "docs" / "families" / f"{family}.md").read_text()
        shown = re.findall(rf"^\| {family} \| .*$", page.split("Suite `digits`")[1], re.MULTILINE)[
            0
        ]
        ours = [cell.strip().replace("**", "") for cell in shown.split("|")[2:-1]]
        assert [c for c in cells if c] == ours


def test_every_family_has_a_page_in_the_site() -> None:
    site = (ROOT / "mkdocs.yml").read_text()
    for path in PAGES:
        if path.is_relative_to(ROOT / "docs"):
            assert str(path.relative_to(ROOT / "docs")) in site, path
    assert all((ROOT / "docs" / "families" / f"{family}.md").exists() for family in FAMILIES)


def test_a_block_without_an_end_or_unknown_is_refused(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("a\n<!-- one: written -->\nold\n<!-- end one -->\nb\n")
    filled = docgen.fill(page, {"one": lambda: "new"})
    assert filled == "a\n<!-- one: written -->\n\nnew\n\n<!-- end one -->\nb\n"
    with pytest.raises(UserError, match="expected"):
        docgen.fill(page, {"two": lambda: ""})
    page.write_text("<!-- one: written -->\n")
    with pytest.raises(UserError, match="has no"):
        docgen.fill(page, {"one": lambda: ""})


@pytest.mark.parametrize("there", [None, "\n"])
def test_a_page_that_is_not_there_yet_is_begun(tmp_path: Path, there: str | None) -> None:
    page = tmp_path / "page.md"
    if there is not None:
        page.write_text(there)
    filled = docgen.fill(
        page, {"one": lambda: "new"}, "a\n<!-- one: written -->\n<!-- end one -->\n"
    )
    assert filled == "a\n<!-- one: written -->\n\nnew\n\n<!-- end one -->\n"


@pytest.mark.parametrize("family", FAMILIES)
def test_a_familys_page_begins_as_the_committed_ones(family: str) -> None:
    page = docgen.page_of(family).read_text()
    without = re.sub(r"(written -->\n).*?(<!-- end)", r"\1\2", page, flags=re.DOTALL)
    marks = r"<!-- .*? -->|^## (?:Settings|Measured|Known failure modes)$"
    new = docgen.families.skeleton(family)
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


@pytest.mark.slow
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
