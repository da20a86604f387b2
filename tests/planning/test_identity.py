"""What makes a run the same run, and what is said of one that is outdated or missing."""

import json
from pathlib import Path

import pytest

from benchmarks.planning import identity, plan
from datasets.registry import DATASETS
from tests.planning.run_folders import only_job, run_of, write_run
from zoo.registry import FAMILIES, bodies


def test_a_factor_of_one_is_not_no_factor_and_none_is_no_part_of_the_identity() -> None:
    plain = only_job(Path())
    assert only_job(Path(), "training.lr_factor=0.5").identity != plain.identity
    assert "lr_factor" not in json.dumps(plain.run.model_dump(mode="json", exclude_none=True))


def test_what_belongs_to_the_identity(tmp_path: Path) -> None:
    base = only_job(tmp_path).identity
    assert only_job(tmp_path).identity == base
    for other in (
        only_job(tmp_path, "training.steps=500"),
        only_job(tmp_path, "training.threads=2"),
        only_job(tmp_path, "training.precision=bf16"),
        only_job(tmp_path, seed=1),
        only_job(tmp_path, family="aegan"),
    ):
        assert other.identity != base


def test_everything_that_trains_has_a_numerics_version() -> None:
    known = identity.numerics_versions()
    wanted = {"training", "engine.eager", "engine.stacked"}
    wanted |= {f"family.{name}" for name in FAMILIES} | {f"body.{name}" for name in bodies()}
    assert set(known) == wanted | {f"dataset.{name}" for name in DATASETS}
    assert all(isinstance(version, int) and version > 0 for version in known.values())


@pytest.mark.parametrize(
    ("raised", "settings", "moves"),
    [
        ("training", [], True),
        ("family.bigan", [], True),
        ("family.aegan", [], False),
        ("body.mlp", [], True),
        ("body.conv", [], False),
        ("engine.stacked", [], True),
        ("engine.stacked", ["training.stacked=false"], False),
        ("engine.eager", ["training.stacked=false"], True),
        ("dataset.digits", [], True),
        ("dataset.mnist", [], False),
    ],
)
def test_a_raised_version_outdates_the_runs_that_use_it_and_no_others(
    raised: str, settings: list[str], moves: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = only_job(tmp_path, *settings)
    write_run(tmp_path, before.run)
    assert plan.state(before) == "done"
    versions = dict(identity.numerics_versions())
    monkeypatch.setattr(
        identity, "numerics_versions", lambda: versions | {raised: versions[raised] + 1}
    )
    now = only_job(tmp_path, *settings)
    assert (now.identity != before.identity) == moves
    assert plan.state(now) == ("outdated" if moves else "done")
    said = f"numerics version of {raised} is 2, not 1 as in the nearest run there"
    assert plan.why(now) == (said if moves else "")


def test_source_text_is_provenance_and_no_part_of_the_identity(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = only_job(tmp_path)
    before = identity.sources_of(job.run)
    for stem in ("game", "losses", "mlp", "loop", "meters", "optimiser", "images", "bigan"):
        assert any(Path(name).stem == stem for name in before), stem
    assert not any("aegan" in name for name in before)
    monkeypatch.setattr(identity, "_file_digest", lambda path: "0" * 64)
    assert set(identity.sources_of(job.run).values()) == {"0" * 12}
    assert only_job(tmp_path).identity == job.identity


def test_comments_and_layout_change_no_digest(tmp_path: Path) -> None:
    file = tmp_path / "code.py"
    file.write_text('"""Doc."""\nx = 1\n')
    first = identity._normalised(file)
    file.write_text('"""Other."""\n\n# why\nx  =  1\n')
    assert identity._normalised(file) == first
    file.write_text("x = 2\n")
    assert identity._normalised(file) != first


def test_a_family_from_a_file_is_its_text_and_what_it_builds_on(tmp_path: Path) -> None:
    """Also where the file is called like the family it builds on, and with a helper beside it."""
    mine, helper = tmp_path / "bigan.py", tmp_path / "helper.py"

    def versions(text: str, help_text: str = "x = 1\n") -> identity.Versions:
        mine.write_text(text)
        helper.write_text(help_text)
        for found in (identity._file_digest, identity._names, identity._imports):
            found.cache_clear()
        return identity.versions_of(run_of(str(mine)))

    first = versions("from zoo.families.bigan import Family\nimport helper\n")
    assert first["family.bigan"] == 1
    assert len({first["file.bigan"], first["file.helper"]}) == 2
    assert versions("from zoo.families.bigan import Family\nimport helper\nx = 1\n") != first
    assert versions("from zoo.families.bigan import Family\nimport helper\n", "x = 2\n") != first
    assert versions("from zoo.families.bigan import Family\nimport helper\n") == first


@pytest.mark.parametrize(
    ("settings", "seed", "said"),
    [
        (["training.steps=500"], 0, "training.steps is 500, not 3000 as in the nearest run there"),
        (["rows.bigan.decay_over=9"], 0, "options.decay_over is 9, not not set"),
        ([], 1, ""),
        (["training.steps=500", "networks.width=8", "networks.latent_dim=2",
          "training.batch_size=8"], 0, ""),
    ],
)  # fmt: skip
def test_a_missing_run_says_in_what_the_nearest_differs(
    settings: list[str], seed: int, said: str, tmp_path: Path
) -> None:
    write_run(tmp_path, only_job(tmp_path).run)
    job = only_job(tmp_path, *settings, seed=seed)
    assert plan.state(job) == "missing"
    assert plan.why(job).startswith(said)
    assert bool(plan.why(job)) == bool(said)


def test_changed_data_make_a_run_outdated(tmp_path: Path) -> None:
    job = only_job(tmp_path)
    other = write_run(tmp_path, job.run, identity="0" * 64)
    path = other.folder / "config.json"
    path.write_text(path.read_text().replace(DATASETS["digits"].digest, "f" * 64))
    assert plan.state(job) == "outdated"
    assert plan.why(job).startswith("content of digits is a6217a99, not ffffffff")
