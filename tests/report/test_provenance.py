"""Where the numbers of a report come from, and the commands that make them again."""

import shlex
from pathlib import Path

import pytest

from benchmarks.planning import plan, suites
from benchmarks.report.data import provenance
from tests.planning.run_folders import run_of
from tests.report.report_pages import contents_of, hand_made, written


@pytest.mark.parametrize(
    "run",
    [
        run_of("bigan"),
        run_of("bigan", training={"steps": 60, "batch_size": 32}, networks={"width": 16}),
        run_of("bigbigan", options={"unary_z": False}),
        run_of("mine", family="bigbigan", options={"unary_z": False}),
        run_of("autoencoder", dataset="mnist"),
        *(job.run for job in plan.jobs(suites.load_suite("aegan-stability"), Path(), [0])),
        *(job.run for job in plan.jobs(suites.load_suite("sensitivity"), Path(), [0])[::11]),
    ],
)
def test_the_command_of_a_row_gives_that_row(run) -> None:
    """Read back by the command line's own functions, the run is the same."""
    words = shlex.split(provenance.command_of(run, "digits", 1))
    assert words[:2] == ["python", "run_all.py"]
    short = "--short" in words
    words = [word for word in words if word != "--short"]
    given = [tuple(words[i : i + 2]) for i in range(2, len(words), 2)]
    one = dict(given)
    settings = [value for name, value in given if name == "--set"]
    suite = suites.load_suite(one["--suite"])
    suite = suites.shortened(suite) if short else suite
    asked = suites.override(suite, settings, one["--families"].split(","), int(one["--seeds"]))
    (job,) = plan.jobs(asked, Path(), [0])
    assert job.run == run


def test_a_row_of_a_short_form_gets_the_short_command() -> None:
    short = suites.shortened(suites.load_suite("mnist"))
    (job, *_) = plan.jobs(short, Path(), [0])
    command = f"python run_all.py --suite mnist --short --families {job.run.row} --seeds 3"
    assert provenance.command_of(job.run, short.name, 3) == command


def test_rows_of_a_merged_report_get_the_command_of_their_row() -> None:
    run = run_of("bigan", networks={"width": 32})
    assert provenance.command_of(run, "merged", 1) == provenance.command_of(run, "digits", 1)


def test_a_row_of_data_that_no_committed_suite_has_is_of_its_own_suite(monkeypatch) -> None:
    monkeypatch.setattr(provenance, "suite_names", lambda: [])
    command = "python run_all.py --suite mine --families bigan --seeds 2"
    assert provenance.command_of(run_of("bigan"), "mine", 2) == command


def test_several_versions_of_the_code_are_said(tmp_path: Path) -> None:
    jobs = hand_made(tmp_path)
    assert contents_of(jobs).notes == []
    path = jobs[0].folder / "environment.json"
    path.write_text(path.read_text().replace("0123", "9999").replace("false", "true"))
    assert [note.split(";")[0] for note in contents_of(jobs).notes] == [
        "The runs stem from 2 commits of the code",
        "Some runs were made with uncommitted changes",
    ]


@pytest.mark.parametrize(
    ("short", "settings", "families", "seeds", "said"),
    [
        (False, [], None, None, ""),
        (True, [], None, None, ""),
        (
            *(False, ["training.steps=50"], ["bigan", "gan"], 1),
            "Modified suite: 50 of 3,000 updates, 1 of 3 seeds, 2 of 6 families.",
        ),
        (
            *(False, ["training.steps=6000", "networks.width=32"], None, 5),
            "Modified suite: 6,000 updates instead of 3,000, 5 seeds instead of 3, "
            "networks.width 32 instead of 64.",
        ),
        (
            *(False, ["rows.vae.variance=0.1"], ["gan", "vae"], None),
            "Modified suite: 1 of 6 families, vae added, rows.vae.variance 0.1 instead of default.",
        ),
        (
            *(True, ["training.steps=10"], None, None),
            "Modified suite: 10 of 2,000 updates.",
        ),
    ],
)
def test_a_suite_that_was_changed_says_so(short, settings, families, seeds, said) -> None:
    suite = suites.load_suite("gaussians" if short else "digits")
    suite = suites.override(suites.shortened(suite) if short else suite, settings, families, seeds)
    runs = plan.jobs(suite, Path(), range(suite.seeds))
    assert provenance.changes_of(suite, runs) == said
    mine = suite.model_copy(update={"name": "mine"})
    assert provenance.changes_of(mine, runs) == ""


def test_a_report_says_first_that_its_suite_was_changed(tmp_path: Path) -> None:
    contents = contents_of(hand_made(tmp_path))
    said = "Modified suite: 3 of 6 families."
    _, text = written(tmp_path, contents)
    assert f"<h2>The answer</h2>\n<p><strong>{said}</strong></p>" in text
    table = (tmp_path / "reports" / "digits" / "table.md").read_text()
    assert next(line for line in table.splitlines() if line[:1] == "-") == f"- **{said}**"
