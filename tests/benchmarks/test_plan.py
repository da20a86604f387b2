"""Suites, overrides, identities, and the states of a run folder."""

import io
import json
from pathlib import Path

import pytest
from rich.console import Console

from benchmarks import command, identity, plan
from benchmarks.errors import UserError
from benchmarks.files import read_json, read_lines, whole
from datasets.registry import DATASETS
from tests.benchmarks.run_folders import only_job, run_of, write_run
from zoo.registry import FAMILIES, bodies, presets


@pytest.mark.parametrize("name", plan.suite_names())
def test_committed_suites_are_valid(name: str) -> None:
    suite = plan.override(plan.load_suite(name))
    assert suite.name == name
    assert suite.question.endswith("?")


@pytest.mark.parametrize(
    ("settings", "families", "message"),
    [
        (["training.stepz=5"], None, "did you mean 'training.steps'"),
        (["training.steps=-5"], None, "training.steps"),
        (["training.steps=many"], None, "training.steps"),
        (["training.steps"], None, "needs name=value"),
        ([], ["bigann"], "unknown family 'bigann'; did you mean 'bigan'"),
        (["rows.bigbigan.unary=1"], None, "did you mean 'unary_[xz]'"),
        (["rows.bigbigan.unary_x=3"], None, "must be a bool"),
        (["networks.prior=cauchy"], None, "networks.prior"),
        (["networks.body=mpl"], None, "unknown networks.body 'mpl'; did you mean 'mlp'"),
        (["networks.width=1"], None, "networks.width"),
        (["rows.bigan_pq.strength=5.0"], None, "unknown row 'bigan_pq'; did you mean 'bigan_qp'"),
        (["rows.bigan_qp.strength=inf"], None, "must be a float"),
        (["rows.autoencoder.error=l3"], None, "rows.autoencoder: error must be one of"),
        (["rows.bigan.family=3"], None, "unknown family '3'"),
        ([], ["bigan", "bigan"], "two rows would be called bigan"),
        (["rows.bigan.networks.widht=8"], None, "in rows.bigan.networks 'widht'; .* 'width'"),
        (["rows.bigan.networks.width=many"], None, "rows.bigan.networks: width"),
        (["rows.bigan.networks=8"], None, "rows.bigan.networks must be a table"),
        (["rows.bigan.networks.body=mpl"], None, "unknown rows.bigan.networks.body 'mpl'; did you"),
        (["rows.bigan.training.step=8"], None, "in rows.bigan.training 'step'; .* 'steps'"),
        (["rows.bigan.training.threads=2"], None, "set training.threads for all of them"),
        (["rows.bigan.preset=paper"], None, "rows.bigan.preset must be controlled or faithful"),
        (["rows.vae.preset=faithful"], ["vae"], "vae has no faithful preset .*vae"),
        (["rows.bigan.decay_over=true"], None, "must be a int, got True"),
        (["training.lr_factor=0"], None, "training.lr_factor: .*greater than 0"),
        (["networks.body=aegan_paper"], ["bigan"], "rows.bigan: .* no network called 'J' .*body="),
        (["networks.body=aegan_paper"], ["aegan"], "the untrained control, a bigan .* 'J'"),
        (["networks.body=bigan_paper"], ["aegan"], "rows.aegan: .* no network called 'H'"),
    ],
)
def test_wrong_overrides(settings: list[str], families: list[str] | None, message: str) -> None:
    with pytest.raises(UserError, match=message):
        plan.override(plan.load_suite("digits"), settings, families)


@pytest.mark.parametrize("name", ["mnist-conv", "sensitivity"])
def test_a_narrow_plan_keeps_seed_state_and_the_whole_folder(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    console = Console(file=io.StringIO(), width=80)
    monkeypatch.setattr(command, "console", console)
    suite = plan.load_suite(name)
    jobs = plan.jobs(suite, Path("results"), [0, 4])
    command.show_plan(command.Plan(suite, jobs, Path("results")))
    assert isinstance(console.file, io.StringIO)
    head, *lines = console.file.getvalue().splitlines()
    assert head.split() == ["row", "seed", "state", "folder"]
    assert max(map(len, lines)) <= 80
    at = head.index("folder")
    rows = [line[:at].split() for line in lines if line[:at].strip()]
    assert rows == [[job.run.row, str(job.run.seed), "missing"] for job in jobs]
    assert "".join(line[at:].strip() for line in lines) == "".join(str(j.folder) for j in jobs)


def test_wrong_suites(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="unknown suite 'digitz'; did you mean 'digits'"):
        plan.load_suite("digitz")
    for path in (str(tmp_path / "mine.toml"), str(tmp_path / "mine"), "mine.toml", "mine.tml"):
        with pytest.raises(UserError, match=f"suite file {path} does not exist"):
            plan.load_suite(path)
    text = (plan.SUITES / "digits.toml").read_text()
    mine = tmp_path / "mine.toml"
    for old, new, message in (
        ("steps = 3000", "step = 3000", "unknown setting .* 'training.step'; .*'training.steps'"),
        ('dataset = "digits"', 'dataset = "digit"', "unknown dataset 'digit'; did you mean"),
        ("[training]", "[training", "not valid TOML"),
        ("width = 64", "", "mine.toml: networks.width is missing$"),
        (text[text.index("[networks]") : text.index("[training]")], "", "networks is missing$"),
    ):
        mine.write_text(text.replace(old, new))
        with pytest.raises(UserError, match=message):
            plan.load_suite(str(mine))
    mine.write_bytes(b"\xff")
    with pytest.raises(UserError, match="not valid TOML: 'utf-8'"):
        plan.load_suite(str(mine))


def test_rows_are_variants_of_a_family(tmp_path: Path) -> None:
    text = (plan.SUITES / "digits.toml").read_text()
    mine = tmp_path / "mine.toml"
    mine.write_text(
        text.replace('families = ["gan",', 'families = ["up_lr",')
        + '[rows.up_lr]\nfamily = "bigbigan"\nencoder_lr_factor = 10\n'
    )
    job = plan.jobs(plan.load_suite(str(mine)), tmp_path, [0])[0]
    assert (job.run.row, job.run.family) == ("up_lr", "bigbigan")
    assert job.run.options == {"encoder_lr_factor": 10}


def test_a_row_has_its_own_networks_and_training() -> None:
    settings = ["rows.bigan.networks.width=32", "rows.bigan.training.batch_size=16"]
    suite = plan.override(plan.load_suite("digits"), settings)
    runs = {job.run.row: job.run for job in plan.jobs(suite, Path(), [0])}
    own = runs.pop("bigan")
    assert own.networks == suite.networks.model_copy(update={"width": 32})
    assert own.training == suite.training.model_copy(update={"batch_size": 16})
    assert own.options == {}
    for run in runs.values():
        assert (run.networks, run.training) == (suite.networks, suite.training)


def test_a_faithful_row_has_its_preset_and_what_it_says_itself() -> None:
    settings = [
        *("rows.bigan.preset=faithful", "rows.bigan.networks.width=32", "training.steps=77"),
        *("rows.aegan.preset=faithful", "rows.aegan.blocks=false"),
    ]
    suite = plan.override(plan.load_suite("digits"), settings)
    runs = {job.run.row: job.run for job in plan.jobs(suite, Path(), [0])}
    bigan, aegan = runs["bigan"], runs["aegan"]
    assert (bigan.tier, aegan.tier, runs["gan"].tier) == ("faithful", "faithful", "controlled")
    preset = presets()["bigan"]["networks"]
    assert bigan.networks.model_dump() == preset | {"width": 32}
    assert (bigan.training.batch_size, bigan.training.steps) == (128, 77)
    assert bigan.options == {"decay_over": 77}  # the paper's schedule follows the budget
    assert aegan.options == {"blocks": False, "input_noise": 0.01}
    assert (aegan.training.batch_size, aegan.training.steps) == (32, 77)


def test_parts_of_the_budget_by_name() -> None:
    settings = ["training.steps=77", "rows.latent_regressor.gan_steps=training.steps/2"]
    assert only_job(Path(), *settings, family="latent_regressor").run.options == {"gan_steps": 38}
    settings = ["training.steps=77", "rows.aegan.training.steps=training.steps/4"]
    settings += ["rows.aegan.half_life=training.steps"]
    run = only_job(Path(), *settings, family="aegan").run
    assert (run.training.steps, run.options) == (19, {"half_life": 19})


def test_setting_what_presets_set_would_do_nothing_and_is_refused() -> None:
    suite = plan.load_suite("digits").model_copy(
        update={"tier": "faithful", "families": ("bigan",)}
    )
    with pytest.raises(UserError, match=r"bigan is its faithful .* rows\.bigan\.networks\.width"):
        plan.override(suite, ["networks.width=8"])
    plan.override(suite, ["training.steps=8"])


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
    for stem in ("game", "losses", "mlp", "loop", "meters", "optimisers", "images", "bigan"):
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


def test_a_family_from_a_file_is_its_text_and_the_families_it_builds_on(tmp_path: Path) -> None:
    mine = tmp_path / "mine.py"
    texts = ["from zoo.bigan import Family\n", "from zoo.bigan import Family\nx = 1\n"]
    found = []
    for text in texts:
        mine.write_text(text)
        identity._file_digest.cache_clear()
        found.append(identity.versions_of(run_of(str(mine))))
    assert found[0]["family.bigan"] == 1
    assert found[0]["family.mine"] != found[1]["family.mine"]


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


def test_states_of_a_run(tmp_path: Path) -> None:
    job, said = only_job(tmp_path), []
    assert plan.state(job) == "missing"
    job.folder.mkdir(parents=True)
    (job.folder / "checkpoint.pt").touch()
    assert plan.state(job) == "to resume"
    (job.folder / "training.json").write_text('{"status": "trained"}')
    (job.folder / "weights.safetensors").touch()
    assert plan.state(job) == "to evaluate"
    metrics = job.folder / "metrics.json"
    metrics.write_text(json.dumps({"identity": job.evaluation_identity, "rows": {}}))
    assert plan.state(job) == "done"
    metrics.write_text(
        json.dumps({"identity": job.evaluation_identity | {"protocol": "0"}, "rows": {}})
    )
    assert plan.state(job) == "to evaluate"  # a new protocol evaluates again, never retrains
    metrics.write_text('{"identity": ')
    assert plan.state(job, said.append) == "to evaluate"
    assert (job.folder / "metrics.json.damaged-1").exists()
    assert "damaged" in said[0]
    (job.folder / "training.json").write_text('{"status": "diverged"}')
    assert plan.state(job) == "diverged"


def test_files_are_whole_or_absent(tmp_path: Path) -> None:
    path = tmp_path / "file.json"
    path.write_text("{}")
    with pytest.raises(ZeroDivisionError), whole(path) as draft:
        draft.write_text(f"half {1 / 0}")
    assert path.read_text() == "{}"
    assert list(tmp_path.iterdir()) == [path]
    path.write_text("[1]")
    assert read_json(path, lambda line: None) is None  # not an object
    lines = tmp_path / "lines.jsonl"
    lines.write_text('{"step": 1}\n{"step": 2}\n{"st')
    assert read_lines(lines) == [{"step": 1}, {"step": 2}]


def test_a_class_left_out_is_part_of_the_identity_and_nothing_else_moves() -> None:
    whole, without = plan.load_suite("digits"), plan.load_suite("digits-anomaly")
    assert whole.networks == without.networks
    assert whole.training.model_copy(update={"stacked": 5}) == without.training
    usual = plan.jobs(plan.override(whole, families=["bigan"]), Path(), [3])[0]
    anomaly = plan.jobs(plan.override(without, families=["bigan"]), Path(), [3, 13])
    assert usual.run.left_out is None
    assert [job.run.left_out for job in anomaly] == [3, 3]
    assert len({usual.identity, *(job.identity for job in anomaly)}) == 3
    assert "left_out" not in json.dumps(usual.run.model_dump(mode="json", exclude_none=True))


def test_inception_metrics_are_a_file_of_their_own(tmp_path: Path) -> None:
    job = only_job(tmp_path)
    job.folder.mkdir(parents=True)
    (job.folder / "training.json").write_text('{"status": "trained"}')
    (job.folder / "weights.safetensors").touch()
    whole_identity = json.dumps({"identity": job.evaluation_identity})
    (job.folder / "metrics.json").write_text(whole_identity)
    assert plan.state(job) == "done"
    assert plan.state(job, with_inception=True) == "to evaluate"
    (job.folder / "inception.json").write_text(whole_identity)
    assert plan.state(job, with_inception=True) == "done"
