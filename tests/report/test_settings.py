"""Rows of several settings: how a suite names them, and what a report says of them."""

from dataclasses import replace
from pathlib import Path

import pytest
from scipy import stats

from benchmarks.common.errors import UserError
from benchmarks.evaluation.registry import METRICS
from benchmarks.planning import plan, suites
from benchmarks.planning.config import Suite
from benchmarks.planning.keys import Key
from benchmarks.planning.resolve import resolve
from benchmarks.planning.rows import settings_of, with_variants
from benchmarks.regression import baseline
from benchmarks.report.data.contents import WITHIN, Contents, gather
from benchmarks.report.data.summary import summarise
from benchmarks.report.formats import page_table
from benchmarks.report.stats import pairwise
from benchmarks.report.stats.comparison import holm
from benchmarks.report.text import findings, settings
from tests.planning import run_folders
from tests.report.report_pages import suite_of, written
from tests.report.test_intervals import NO_CONTROLS, runs

VARIANTS = {
    "half_lr": {"training": {"lr_factor": 0.5}},
    "small_z": {"networks": {"latent_dim": 8}},
}


def suite(**changes) -> Suite:
    return with_variants(suite_of(variants=VARIANTS, **changes))


def test_a_variant_gives_each_row_once_more() -> None:
    rows = {
        "wide": {"family": "aegan", "blocks": False, "networks": {"width": 32}},
        "wide_small_z": {"networks": {"latent_dim": 6}},  # the file's own word on such a row
    }
    found = suite(families=("wide", "bigan"), rows=rows)
    assert found.families == (
        *("wide", "bigan", "wide_half_lr", "bigan_half_lr", "wide_small_z", "bigan_small_z"),
    )
    rows = {name: row.run(0) for name, row in resolve(found).items()}
    both = rows["wide_small_z"]
    assert (both.family, both.options, both.networks.width) == ("aegan", {"blocks": False}, 32)
    assert both.networks.latent_dim == 6
    assert rows["bigan_small_z"].networks.latent_dim == 8
    half = rows["bigan_half_lr"]
    assert (half.family, half.options, half.networks) == ("bigan", {}, found.networks)
    assert half.training == found.training.model_copy(update={"lr_factor": 0.5})
    assert suites.override(found, families=["bigan_small_z"]).families == ("bigan_small_z",)


@pytest.mark.parametrize(
    ("name", "base", "variant"),
    [
        ("bigan", "bigan", ""),
        ("bigan_lr", "bigan", "lr"),
        ("bigan_half_lr", "bigan", "half_lr"),
        ("vae_lr", "vae_lr", ""),
        ("vae_lr_half_lr", "vae_lr", "half_lr"),
    ],
)
def test_a_varied_row_knows_its_base_whatever_its_name(name: str, base: str, variant: str) -> None:
    """Its own row's name may look like a variant's, and end in one."""
    rows, variants = {"vae_lr": {"family": "vae"}}, {"lr": {}, "half_lr": {}}
    found = with_variants(suite_of(families=("bigan", "vae_lr"), rows=rows, variants=variants))
    (job,) = [job for job in plan.jobs(found, Path(), [0]) if job.run.row == name]
    key = replace(job.key, readout="critic")
    assert (key.row, key.variant) == (base, variant)
    assert key.id == f"{name} (critic)"
    title = "BiGAN" if base == "bigan" else base
    named = f"{title} ({variant.replace('_', ' ')})" if variant else title
    assert (key.label, key.unvaried) == (f"{named} (critic)", f"{title} (critic)")


def test_a_file_cannot_say_which_rows_are_varied() -> None:
    with pytest.raises(UserError, match="it follows from variants"):
        with_variants(suite_of(varied={"bigan": ("gan", "half_lr")}))


def test_which_rows_are_varied_moves_no_baseline() -> None:
    kept = baseline.settings_of(suite())["suite"]
    assert kept["rows"]["bigan_half_lr"]["training"] == {"lr_factor": 0.5}
    assert {"varied", "variants"}.isdisjoint(kept)


def test_settings_are_those_of_the_suites_own_variants() -> None:
    found = suite(families=("bigan",))
    keys = [job.key for job in plan.jobs(found, Path(), [0])]
    assert settings_of(found, keys) == {
        **{"BiGAN": "base", "BiGAN (half lr)": "half lr", "BiGAN (small z)": "small z"},
    }
    assert settings_of(found, keys[:1]) == {}
    assert settings_of(suite_of(), [Key("bigan", "bigan", "lr 0.1"), *keys]) == {}


@pytest.mark.parametrize(("short", "sizes"), [(False, (16, 50, 128)), (True, (8, 16, 32))])
def test_sensitivity_has_each_family_at_five_settings(short: bool, sizes: tuple[int, ...]) -> None:
    whole = suites.load_suite("sensitivity")
    form = suites.shortened(whole) if short else whole
    jobs = {job.run.row: job.run for job in plan.jobs(form, Path(), [0])}
    bases = [name for name, row in resolve(form).items() if not row.variant]
    assert len(bases) == (4 if short else 11)
    assert len(jobs) == 5 * len(bases)
    for base in bases:
        names = [base, *(f"{base}_{v}" for v in ("half_lr", "double_lr", "small_z", "large_z"))]
        own = [jobs[name] for name in names]
        assert {run.family for run in own} == {base}
        small, middle, large = sizes
        assert [run.networks.latent_dim for run in own] == [middle] * 3 + [small, large]
        assert [run.training.lr_factor for run in own] == [None, 0.5, 2.0, None, None]


VALUES = {
    # aegan is far ahead, then behind bigan, which is far behind at first
    "aegan": [1.0, 1.01, 0.99],
    "bigan": [5.0, 5.05, 4.95],
    "bigan_qp": [9.0, 9.1, 8.9],
    "aegan_half_lr": [9.0, 9.09, 8.91],
    "bigan_half_lr": [2.0, 2.02, 1.98],
    "bigan_qp_half_lr": [4.0, 4.04, 3.96],
    # nobody is clearly ahead
    "aegan_small_z": [1.0, 2.0, 3.0],
    "bigan_small_z": [1.1, 2.1, 3.1],
    "bigan_qp_small_z": [1.2, 2.2, 3.2],
}
KEYS = {job.run.row: job.key for job in plan.jobs(suite(), Path(), [0])}
OWN = {KEYS[row]: values for row, values in VALUES.items()}
LABELS = [key.label for key in OWN]
SETTINGS = settings_of(suite(), KEYS.values())
FID = METRICS["fid_hybrid"]


def contents(results: Path, values: dict[str, list[float]] = VALUES, **changes) -> Contents:
    found = suite(**changes)
    jobs = []
    for job in plan.jobs(found, results, range(3)):
        own = values.get(job.run.row, [])[job.run.seed : job.run.seed + 1]
        for fid in own:
            metrics = {"fid_hybrid": fid, "reconstruction_mse": fid / 100}
            run_folders.write_run(results, job.run, metrics)
            jobs.append(job)
    return gather(found, jobs, NO_CONTROLS, "python run_all.py")


def test_the_best_is_that_of_a_setting() -> None:
    summary = summarise(runs(OWN), NO_CONTROLS, settings=SETTINGS)
    assert summary.best["fid_hybrid"] == ["AEGAN", "BiGAN (half lr)"]
    bodies = page_table.table_of(summary, [FID]).bodies
    assert [body.title for body in bodies] == ["base", "half lr", "small z"]
    assert [line.name for line in bodies[1].lines] == LABELS[3:6]


def test_marks_are_corrected_for_all_settings() -> None:
    """Two rows of a metric without spread elsewhere: clear at 95 %, not at 95 % of five."""
    close = {"a": [1.0, 1.2, 0.9], "b": [1.5, 1.7, 1.4]}
    assert summarise(runs(close), NO_CONTROLS).best["fid_hybrid"] == ["a"]
    five = {f"{row}{i}": own for i in range(5) for row, own in close.items()}
    apart = {row: row[1:] for row in five}
    assert summarise(runs(five), NO_CONTROLS, settings=apart).best["fid_hybrid"] == []


def test_only_rows_of_a_setting_are_compared() -> None:
    table = pairwise.differences(runs(OWN), [FID], SETTINGS)
    assert len(table) == 3 * 3
    assert all(SETTINGS[a] == SETTINGS[b] for a, b in zip(table["a"], table["b"], strict=True))
    assert table["p_holm"].tolist() == pytest.approx(holm(table["p"].to_numpy()).tolist())
    ranks = pairwise.ranks(runs(OWN), [FID], SETTINGS).set_index("label")["rank"]
    assert ranks.loc[LABELS].tolist() == [1, 2, 3, 3, 1, 2, 1, 2, 3]


def test_standings_by_hand(tmp_path: Path) -> None:
    standing, _ = settings.standings(contents(tmp_path))
    assert standing.metric == FID
    assert standing.orders == {
        "base": ["AEGAN", "BiGAN", "BiGAN-QP"],
        "half lr": ["BiGAN", "BiGAN-QP", "AEGAN"],
        "small z": ["AEGAN", "BiGAN", "BiGAN-QP"],
    }
    assert standing.leaders == {"base": "AEGAN", "half lr": "BiGAN", "small z": "AEGAN"}
    assert standing.clear == {"base", "half lr"}
    assert standing.turned == [("AEGAN", "BiGAN", "half lr"), ("AEGAN", "BiGAN-QP", "half lr")]
    assert [standing.swapped(s) for s in standing.orders] == [(0, 3), (2, 3), (0, 3)]


def test_swapped_pairs_are_kendalls() -> None:
    orders = {"base": list("abcde"), "other": list("cadeb")}
    swapped, pairs = settings.Standing(FID, orders, set(), []).swapped("other")
    tau = stats.kendalltau(range(5), [orders["other"].index(x) for x in "abcde"]).statistic
    assert (swapped, pairs) == (4, 10)
    assert tau == pytest.approx(1 - 2 * swapped / pairs)
    fewer = settings.Standing(FID, orders | {"other": list("ca")}, set(), [])
    assert fewer.swapped("other") == (1, 1)  # of the families that both have


def test_sentences_and_table(tmp_path: Path) -> None:
    found = contents(tmp_path)
    said = findings.findings(found)
    assert said[0].startswith(
        "3 models (AEGAN, BiGAN and BiGAN-QP), each at 3 settings: base, half lr (lr_factor 0.5) "
        "and small z (latent_dim 8)."
    )
    assert said[1:] == [
        "The same model leads by the mean at every setting in 0 of 2 metrics.",
        "The leader changes with the setting in FID (digit features) (AEGAN at base and small "
        "z; BiGAN at half lr), recon. MSE (AEGAN at base and small z; BiGAN at half lr).",
        "The whole order of the means is the same at every setting in 0 of 2 metrics; elsewhere up "
        "to 2 of 3 pairs of models change places.",
        "A model is clearly ahead at some settings: FID (digit features) (AEGAN at base; BiGAN at "
        "half lr), recon. MSE (AEGAN at base; BiGAN at half lr).",
        "Two models change places by more than chance explains: "
        + "; ".join(
            f"AEGAN and {other} in {title} (the first clearly ahead at base, the second at half lr)"
            for title in ("FID (digit features)", "recon. MSE")
            for other in ("BiGAN", "BiGAN-QP")
        )
        + ".",
    ]
    assert settings.table(found)[:2] == [
        ("metric", "base", "half lr", "small z"),
        ("FID (digit features) ↓", "**AEGAN**", "**BiGAN**, 2 of 3", "AEGAN"),
    ]
    assert "better than every other model at its setting" in findings.certainty(found)
    assert found.notes[0] == WITHIN


def test_one_leader_at_every_setting_is_said(tmp_path: Path) -> None:
    values = {row: own for row, own in VALUES.items() if "half" not in row}
    said = findings.findings(contents(tmp_path, values))
    assert said[1:4] == [
        "The same model leads by the mean at every setting in 2 of 2 metrics: AEGAN in FID (digit "
        "features) and recon. MSE.",
        "The whole order of the means is the same at every setting in 2 of 2 metrics (FID (digit "
        "features) and recon. MSE).",
        "A model is clearly ahead at some settings: FID (digit features) (AEGAN at base), recon. "
        "MSE (AEGAN at base).",
    ]
    assert said[4].startswith("No two models are clearly one way round at the first setting")


def test_nothing_is_said_of_the_order_while_runs_are_missing(tmp_path: Path) -> None:
    found = contents(tmp_path)
    job = found.jobs[0]
    absent = [replace(job, folder=job.folder / "nothing"), *found.jobs[1:]]
    unfinished = gather(found.suite, absent, NO_CONTROLS, "")
    assert settings.table(unfinished) == []
    said = findings.findings(unfinished)
    assert said[1:] == ["Ranking disabled: some runs did not finish (AEGAN 2/3, 1 not started)."]
    single = {row: own[:1] for row, own in VALUES.items()}
    one = contents(tmp_path / "one", single)
    assert settings.table(one) == []
    assert findings.findings(one)[0].startswith("One training seed per model")


def test_the_page_compares_within_settings(tmp_path: Path) -> None:
    page, text = written(tmp_path, contents(tmp_path))
    assert list(page.rows)[1:5] == ["base", "AEGAN", "BiGAN", "BiGAN-QP"]
    assert f"<h3>{settings.TITLE}</h3>" in text
    assert "<td><strong>BiGAN</strong>, 2 of 3</td>" in text
    assert "<summary>FID (digit features) ↓, half lr <small>" in text
    start = text.index("<summary>FID (digit features) ↓, half lr <small>")
    block = text[start : text.index("</details>", start)]
    assert "BiGAN (half lr)" in block
    assert "small z" not in block
    markdown = (tmp_path / "reports" / "digits" / "table.md").read_text()
    assert "| FID (digit features) ↓ | **AEGAN** | **BiGAN**, 2 of 3 | AEGAN |" in markdown
    assert "**FID (digit features) ↓, half lr** (ratio;" in markdown
