"""Suites, overrides, identities, and the states of a run folder."""

import io
import json
from pathlib import Path

import pytest
from rich.console import Console

from benchmarks import listing
from benchmarks.common.errors import UserError
from benchmarks.common.files import read_json, read_lines, whole
from benchmarks.planning import plan, suites
from tests.planning.run_folders import only_job
from zoo.registry import presets


@pytest.mark.parametrize("name", suites.suite_names())
def test_committed_suites_are_valid(name: str) -> None:
    suite = suites.override(suites.load_suite(name))
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
        (["training.lr_factor=0"], None, "training.lr_factor must be more than 0"),
        (["networks.body=aegan_paper"], ["bigan"], "rows.bigan: .* no network called 'J' .*body="),
        (["networks.body=aegan_paper"], ["aegan"], "the untrained control, a bigan .* 'J'"),
        (["networks.body=bigan_paper"], ["aegan"], "rows.aegan: .* no network called 'H'"),
    ],
)
def test_wrong_overrides(settings: list[str], families: list[str] | None, message: str) -> None:
    with pytest.raises(UserError, match=message):
        suites.override(suites.load_suite("digits"), settings, families)


@pytest.mark.parametrize("name", ["mnist-conv", "sensitivity"])
def test_a_narrow_plan_keeps_seed_state_and_the_whole_folder(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    console = Console(file=io.StringIO(), width=80)
    monkeypatch.setattr(listing, "console", console)
    suite = suites.load_suite(name)
    jobs = plan.jobs(suite, Path("results"), [0, 4])
    listing.show_plan(plan.Plan(suite, jobs, Path("results")))
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
        suites.load_suite("digitz")
    for path in (str(tmp_path / "mine.toml"), str(tmp_path / "mine"), "mine.toml", "mine.tml"):
        with pytest.raises(UserError, match=f"suite file {path} does not exist"):
            suites.load_suite(path)
    text = (suites.SUITES / "digits.toml").read_text()
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
            suites.load_suite(str(mine))
    mine.write_bytes(b"\xff")
    with pytest.raises(UserError, match="not valid TOML: 'utf-8'"):
        suites.load_suite(str(mine))


def test_rows_are_variants_of_a_family(tmp_path: Path) -> None:
    text = (suites.SUITES / "digits.toml").read_text()
    mine = tmp_path / "mine.toml"
    mine.write_text(
        text.replace('families = ["gan",', 'families = ["up_lr",')
        + '[rows.up_lr]\nfamily = "bigbigan"\nencoder_lr_factor = 10\n'
    )
    job = plan.jobs(suites.load_suite(str(mine)), tmp_path, [0])[0]
    assert (job.run.row, job.run.family) == ("up_lr", "bigbigan")
    assert job.run.options == {"encoder_lr_factor": 10}


def test_a_row_has_its_own_networks_and_training() -> None:
    settings = ["rows.bigan.networks.width=32", "rows.bigan.training.batch_size=16"]
    suite = suites.override(suites.load_suite("digits"), settings)
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
    suite = suites.override(suites.load_suite("digits"), settings)
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
    suite = suites.load_suite("digits").model_copy(
        update={"tier": "faithful", "families": ("bigan",)}
    )
    with pytest.raises(UserError, match=r"bigan is its faithful .* rows\.bigan\.networks\.width"):
        suites.override(suite, ["networks.width=8"])
    suites.override(suite, ["training.steps=8"])


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
    whole, without = suites.load_suite("digits"), suites.load_suite("digits-anomaly")
    assert whole.networks == without.networks
    assert whole.training.model_copy(update={"stacked": 5}) == without.training
    usual = plan.jobs(suites.override(whole, families=["bigan"]), Path(), [3])[0]
    anomaly = plan.jobs(suites.override(without, families=["bigan"]), Path(), [3, 13])
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
