"""The register of claims: complete, frozen, and refused where it is not."""

import json
from pathlib import Path

import pytest

from benchmarks.common.errors import UserError
from benchmarks.planning import register
from benchmarks.planning.register import REGISTER, entries, freeze
from benchmarks.planning.suites import load_suite, suite_names

CLAIM = """[[claim]]
id = "1"
says = "a is better"
quote = "better"
place = "a paper, section 1"
scale = "one run"
suites = ["digits"]
row = "bigan"
against = "gan"
metric = "fid_hybrid"
kind = "better"
expected = "lower"
margin = 1.1
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A register with one claim, frozen; three seeds of its suite had been seen."""
    path, report = tmp_path / "register.toml", tmp_path / "published" / "digits" / "report.json"
    report.parent.mkdir(parents=True)
    planned = (("model", 3), ("reference", 1), ("control", 5))  # a control has no seeds
    rows = [{"kind": kind, "seeds_planned": seeds} for kind, seeds in planned]
    report.write_text(json.dumps({"rows": rows}))
    path.write_text("# What is here.\n\n" + CLAIM)
    assert freeze(path, tmp_path / "published") == ["1"]
    return path


def test_all_claims_of_the_audit_are_in_it() -> None:
    numbers = {int(entry.id.rstrip("ab")) for entry in entries()}
    assert numbers == {*range(1, 43)}
    assert len({entry.id for entry in entries()}) == len(entries())
    for entry in entries():
        assert bool(entry.suites) != bool(entry.reason)
        assert all((entry.says, entry.quote, entry.place, entry.scale))


def test_every_suite_of_an_entry_exists() -> None:
    assert {suite for entry in entries() for suite in entry.suites} <= {*suite_names()}


def test_freezing_stamps_what_is_new_and_leaves_the_rest(path: Path) -> None:
    text = path.read_text()
    assert text.startswith('# What is here.\n\n[[claim]]\nid = "1"')
    (entry,) = entries(path)
    assert (entry.claim.seen, len(entry.claim.date)) == ({"digits": 3}, 10)
    assert freeze(path, path.parent / "published") == []
    assert path.read_text() == text
    path.write_text(text + "\n" + CLAIM.replace('"1"', '"2"'))
    assert freeze(path, path.parent / "published") == ["2"]
    assert path.read_text().startswith(text)
    assert [one.id for one in entries(path)] == ["1", "2"]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("margin = 1.1", "margin = 1.0"),
        ('expected = "lower"', 'expected = "higher"'),
        ('{ "digits" = 3 }', '{ "digits" = 0 }'),
        ('quote = "better"', 'quote = "best"'),
    ],
)
def test_an_entry_that_was_edited_is_refused(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    with pytest.raises(UserError, match=r"register.toml, line 3, claim 1: not as it was frozen on"):
        entries(path)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('place = "a paper, section 1"\n', "", "line 3, claim 1: has no place"),
        ('quote = "better"', 'quote = ""', "has no quote"),
        ("margin = 1.1\n", "", "has no margin"),
        ("fid_hybrid", "fidd", "metric 'fidd'; did you mean"),
        ('kind = "better"', 'kind = "worse"', "kind: Input should be"),
        ('suites = ["digits"]\n', "", "needs either suites that test it or the reason"),
        ('against = "gan"\n', "", "at_least with a bound"),
        ('kind = "better"', 'kind = "at_least"', "at_least needs a bound"),
    ],
)
def test_an_incomplete_entry_is_refused_with_its_line(path: Path, old, new, said: str) -> None:
    path.write_text("# What is here.\n\n" + CLAIM.replace(old, new))
    freeze(path, path.parent / "published")
    with pytest.raises(UserError, match=r"register\.toml, line 3, claim 1: ") as error:
        entries(path)
    assert said in str(error.value)


def test_a_suite_without_such_a_row_is_refused(path: Path, monkeypatch) -> None:
    path.write_text(CLAIM.replace('against = "gan"', 'against = "gaan"'))
    freeze(path, path.parent / "published")
    claims = tuple(one.claim for one in entries(path))
    monkeypatch.setattr("benchmarks.planning.suites.claims_of", lambda suite: claims)
    with pytest.raises(UserError, match="row of claim 1 'gaan'; did you mean 'gan'"):
        load_suite("digits")


def test_the_committed_register_is_as_it_was_frozen() -> None:
    assert REGISTER.is_file()
    assert len(register.digest()) == 12
