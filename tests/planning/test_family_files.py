"""Families from files outside the repository: tried while planning, with options of their own."""

from pathlib import Path

import pytest

from benchmarks.common.errors import UserError
from benchmarks.planning import plan, suites
from tests.planning.run_folders import only_job

EXAMPLE = suites.SUITES.parent.parent / "examples" / "my_family.py"


def changed(folder: Path, old: str, new: str) -> Path:
    """Write the example family with a piece of it changed."""
    folder.mkdir(exist_ok=True)
    text = EXAMPLE.read_text()
    assert old in text
    (folder / "mine.py").write_text(text.replace(old, new))
    return folder / "mine.py"


def with_margin(folder: Path) -> Path:
    """Write the example family with an option of its own."""
    return changed(folder, "prior: Prior)", "prior: Prior, margin: float = 1.0)")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("import Prior\n", "import Prior\n\ndef (:\n", ", line 6: invalid syntax"),
        ("Family = Mine", "", ": .*must set `Family` to a subclass"),
        ("Family = Mine", "Family = int", ": .*must set `Family` to a subclass"),
        ("import Prior\n", "import Pryor\n", r", line 4: ImportError: .*Pryor"),
        ('"s_xz"), prior', '"s_w"), prior', r", line 11: .*no network called 's_w'"),
        ('"s_xz"), prior', '"s_xz", "s_x"), prior', ": network s_x belongs to no player"),
        ('"J", "s_xz"), prior', '"J"), prior', ": player critic owns s_xz, which the family does"),
        ("self.players =", "self.player =", ": AttributeError: .*'players'"),
        ("(real - 1)", "(nonsense - 1)", ", line 23: NameError: .*nonsense"),
        ("batch.z)\n", "batch.w)\n", ", line 21: AttributeError: .*'w'"),
        (
            '"critic": {"real"',
            '"critics": {"real"',
            ": turn all: losses.. returns no terms",
        ),
        (
            "(real - 1).square().mean()",
            "(real - 1).square()",
            ": turn all: term real of critic is",
        ),
        ('("critic", "gen', '("critique", "gen', ": turn all: there is no player critique"),
    ],
)
def test_wrong_family_files(tmp_path: Path, old: str, new: str, message: str) -> None:
    file = changed(tmp_path, old, new)
    with pytest.raises(UserError, match=f"^family file {file}{message}"):
        suites.override(suites.load_suite("digits"), [], [str(file)])


def test_a_family_file_that_is_no_text(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_bytes(b"\xff\xfe")
    with pytest.raises(UserError, match="is no Python file: 'utf-8'"):
        only_job(tmp_path, family=str(tmp_path / "mine.py"))


def test_what_has_nothing_to_train_needs_no_player(tmp_path: Path) -> None:
    after = "        self.turns ="
    own = "        self.blur = nn.AvgPool2d(2)\n"
    own += "        self.fixed = nn.Linear(2, 2).requires_grad_(False)\n"
    file = changed(tmp_path, after, f"{own}{after}")
    file.write_text("from torch import nn\n" + file.read_text())
    assert only_job(tmp_path, family=str(file)).run.row == "mine"


@pytest.mark.parametrize(
    ("family", "row"),
    [
        ("sub/mine.py", "[rows.mine]\n"),
        ("other", '[rows.other]\nfamily = "sub/mine.py"\n'),
    ],
)
def test_a_family_file_is_a_row_seen_from_its_suite(tmp_path: Path, family: str, row: str) -> None:
    file, mine = with_margin(tmp_path / "sub"), tmp_path / "mine.toml"
    text = (suites.SUITES / "digits.toml").read_text()
    text = text.replace('families = ["gan",', f'families = ["{family}",')
    mine.write_text(f"{text}{row}margin = 2.0\n")
    run = plan.jobs(suites.override(suites.load_suite(str(mine))), tmp_path, [0])[0].run
    assert run.row == ("other" if family == "other" else "mine")
    assert (run.family, run.options) == (str(file), {"margin": 2.0})


def test_a_family_file_of_the_command_line_has_options(tmp_path: Path) -> None:
    file = str(with_margin(tmp_path))
    run = only_job(tmp_path, "rows.mine.margin=2", family=file).run
    assert (run.row, run.family, run.options) == ("mine", file, {"margin": 2.0})
    assert only_job(tmp_path, family=file).run.options == {}
    with pytest.raises(UserError, match="unknown option of mine 'margn'; did you mean 'margin'"):
        only_job(tmp_path, "rows.mine.margn=2", family=file)
    with pytest.raises(UserError, match="unknown option of my_family 'x'; known: none"):
        only_job(tmp_path, "rows.my_family.x=1", family=str(EXAMPLE))
    with pytest.raises(UserError, match="two rows would be called mine"):
        suites.override(suites.load_suite("digits"), [], [file, file])
