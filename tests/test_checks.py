"""Every check of `.ci/run` can fail: each is run, as it stands there, on a planted fault."""

import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
BIN = Path(sys.executable).parent
PROJECT = ("pyproject.toml", "mkdocs.yml", "docs/hooks.py")
CLEAN = (
    '"""A module."""\n\n\ndef double(x: int) -> int:\n    """Return twice x."""\n    return 2 * x\n'
)
TEST = '"""A."""\n\n\ndef test_one() -> None:\n    assert True\n'
PAGE = "# Home\n\n[right](other.md#other)\n"
OTHER = "# Other\n\n[code](../run_all.py) and [results](../results/published/some/table.md)\n"
FAMILIES = "docs/families"
SITE = "site_name: A site\nplugins: []\nhooks: [docs/hooks.py]\nexclude_docs: hooks.py\n"


def checks() -> dict[str, list[str]]:
    """Return a check's first words -> its command line, as `.ci/run` has it."""
    lines = (ROOT / ".ci" / "run").read_text().splitlines()
    after = lines[lines.index("wait") + 1 :]
    return {" ".join(line.split()[:2]): shlex.split(line) for line in after if line}


def test_the_script_stops_at_the_first_check_that_fails() -> None:
    assert "set -euo pipefail" in (ROOT / ".ci" / "run").read_text()
    assert list(checks()) == [
        *("ruff check", "ruff format", "mypy", "mkdocs build", "pytest", "pytest -m"),
        "python run_all.py",
    ]


def exit_code(check: str, folder: Path) -> int:
    """Return how a check of `.ci/run` ends in a folder."""
    first, *others = [word.replace("$scratch", str(folder / "out")) for word in checks()[check]]
    done = subprocess.run(
        [BIN / first, *others], cwd=folder, capture_output=True, text=True, check=False
    )
    assert "rror: unrecognized" not in done.stderr, done.stderr
    return done.returncode


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A checkout with the project's settings, one module, one test and two pages."""
    for name in PROJECT:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    for folder in ("benchmarks", "zoo", "datasets", "tests", "results/published/some", FAMILIES):
        (tmp_path / folder).mkdir(parents=True)
    for name, text in {
        "run_all.py": CLEAN,
        "benchmarks/a.py": CLEAN,
        "zoo/b.py": CLEAN,
        "datasets/c.py": CLEAN,
        "tests/test_one.py": TEST,
        "docs/index.md": PAGE,
        "docs/other.md": OTHER,
        "docs/families/a.md": "# A\n",
        "results/published/some/table.md": "# some\n",
        "results/published/some/report.json": '{"question": "Which?"}',
    }.items():
        (tmp_path / name).write_text(text)
    settings = (ROOT / "mkdocs.yml").read_text()
    middle = settings[settings.index("validation:") : settings.index("nav:\n")]
    nav = "nav: [{Home: index.md}, {Other: other.md}, {Models: []}, {Published results: []}]\n"
    (tmp_path / "mkdocs.yml").write_text(SITE + middle + nav)
    return tmp_path


def append(path: Path, text: str) -> None:
    """Add text at the end of a file, which may be new."""
    path.write_text((path.read_text() if path.exists() else "") + text)


FAULTS = [
    ("ruff check", "benchmarks/a.py", "import os\n"),
    ("ruff format", "benchmarks/a.py", "x  =  1\n"),
    ("mypy", "benchmarks/a.py", 'y: int = double("one")\n'),
    ("mkdocs build", "docs/other.md", "[wrong](nowhere.md)\n"),
    ("mkdocs build", "docs/other.md", "[wrong](index.md#nowhere)\n"),
    ("mkdocs build", "docs/other.md", "[wrong](../zoo/nowhere.py)\n"),
    ("mkdocs build", "docs/other.md", "![wrong](nowhere.png)\n"),
    ("mkdocs build", "docs/lost.md", "# In no menu\n"),
    ("pytest", "tests/test_one.py", "\n\ndef test_two() -> None:\n    assert False\n"),
]


@pytest.mark.parametrize("check", ["ruff check", "ruff format", "mypy", "mkdocs build", "pytest"])
def test_a_check_passes_where_nothing_is_wrong(check: str, copy: Path) -> None:
    assert exit_code(check, copy) == 0


@pytest.mark.parametrize(("check", "file", "fault"), FAULTS)
def test_a_check_fails_on_a_fault(check: str, file: str, fault: str, copy: Path) -> None:
    append(copy / file, fault)
    assert exit_code(check, copy) != 0


def test_pytest_fails_where_no_test_is_found(copy: Path) -> None:
    (copy / "tests" / "test_one.py").unlink()
    assert exit_code("pytest", copy) != 0


def test_the_site_shows_published_results_and_leads_links_to_them(copy: Path) -> None:
    shutil.copy(ROOT / "docs" / "speed-growth.png", copy / "results/published/some/learning.png")
    append(copy / "results/published/some/table.md", "\n![picture](learning.png)\n")
    append(copy / "docs" / "other.md", "\n![picture](../results/published/some/learning.png)\n")
    assert exit_code("mkdocs build", copy) == 0
    other = (copy / "out" / "site" / "other" / "index.html").read_text()
    assert 'href="../results/published/some/table/"' in other
    assert 'src="../results/published/some/learning.png"' in other
    assert "code <code>run_all.py</code>" in other  # nowhere to lead to: the file is named
    published = copy / "out" / "site" / "results" / "published"
    assert (published / "some" / "learning.png").exists()
    table = (published / "some" / "table" / "index.html").read_text()
    assert 'src="../learning.png"' in table
    assert (copy / "out" / "site" / "families" / "a" / "index.html").exists()
    assert ">some</a>: Which?" in (published / "index.html").read_text()


def test_links_to_code_lead_to_the_repository_where_it_is_known(
    copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REPOSITORY_URL", "https://host.example/a/b")
    settings = (copy / "mkdocs.yml").read_text()
    (repository,) = (
        line for line in (ROOT / "mkdocs.yml").read_text().splitlines() if "repo_url" in line
    )
    (copy / "mkdocs.yml").write_text(f"{repository}\n{settings}")
    assert exit_code("mkdocs build", copy) == 0
    other = (copy / "out" / "site" / "other" / "index.html").read_text()
    assert 'href="https://host.example/a/b/blob/main/run_all.py"' in other
