"""Pages that commands write: up to date, and right on a small case."""

import math
from pathlib import Path
from typing import get_args

import pytest

from benchmarks.corruptions.measure import (
    FOLDER,
    SIZES,
    Halves,
    measured,
    reconstruction_sets,
    sample_sets,
)
from benchmarks.corruptions.page import (
    Line,
    Near,
    Rises,
    reconstruction_claims,
    sample_claims,
    table,
    verdicts,
)
from benchmarks.docgen.metrics import PATH, QUESTIONS, document
from benchmarks.evaluation import questions as q
from benchmarks.evaluation.protocol import PROTOCOLS, VERSION
from benchmarks.evaluation.real_data import Reference
from benchmarks.evaluation.registry import METRICS, Metric, Question, head, table_line
from datasets.loading import load

SAMPLES = ("fid_hybrid", "coverage_hybrid", "kid_hybrid", "is_hybrid")
PAIRED = ("reconstruction_mse", "reconstruction_psnr", "label_agreement")


@pytest.fixture(scope="module")
def reference() -> Reference:
    return Reference(load("digits"))


def test_the_page_of_metrics_is_what_the_command_writes() -> None:
    assert PATH.read_text() == document(), "run python -m benchmarks.docgen.metrics"


def test_the_page_of_metrics_holds_every_metric_and_whole_lines() -> None:
    assert set(QUESTIONS) == set(get_args(Question))
    lines = document().splitlines()
    for metric in METRICS.values():
        (line,) = (line for line in lines if f"`{metric.name}`" in line)
        assert line.replace(r"\|", "").count("|") == 10, line
        assert metric.source in line


def test_samples_on_digits(reference: Reference) -> None:
    halves, sizes = Halves(reference), SIZES["digits"]
    sets = sample_sets(halves, sizes)
    wanted = ("clean", "noise 0.2", "one class lost", "10 images repeated")
    found = measured(
        {name: sets[name] for name in wanted},
        lambda x: q.of_samples(x, reference, halves.real),
        SAMPLES,
    )
    rows = table(found).splitlines()
    columns = [head(metric) for name, metric in METRICS.items() if name in SAMPLES]
    assert rows[0] == table_line(["images", "n", *columns])
    assert [row.split(" | ")[0] for row in rows[2:]] == [f"| {name}" for name in wanted]
    assert rows[5].startswith("| 10 images repeated | 648 of 10 | ")
    claims = (
        Rises("", "fid_hybrid", ("clean", "noise 0.2", "10 images repeated")),
        Rises("", "kid_hybrid", ("clean", "noise 0.2", "10 images repeated")),
        Rises("", "coverage_hybrid", ("10 images repeated", "one class lost", "clean")),
        Near("", "coverage_hybrid", "one class lost", 0.969 * found["one class lost"].kept, 0.03),
        Near("", "is_hybrid", "10 images repeated", found["clean"].metrics["is_hybrid"], 0.5),
    )
    for claim in claims:
        assert claim.verdict(found)[0], claim.verdict(found)[1]
    assert found["one class lost"].kept == pytest.approx(0.9, abs=0.01)


def test_sample_sets_are_what_their_names_say(reference: Reference) -> None:
    halves, sizes = Halves(reference), SIZES["digits"]
    sets = sample_sets(halves, sizes)
    assert not set(halves.pool.tolist()) & set(halves.others.tolist())
    ten = sets["10 images repeated"].make()
    assert len(ten) == halves.n
    assert len(ten.flatten(1).unique(dim=0)) == 10
    clean, mixed = sets["clean"].make(), sets["10 % noise images"].make()
    changed = (clean != mixed).flatten(1).any(1)
    assert int(changed.sum()) == math.ceil(len(clean) / 10)
    moved = sets["shift by 1 px"].make()
    assert (moved[..., 1:] == clean[..., :-1]).all()
    assert (moved[..., 0] == -1).all()
    thinned = int((halves.labels[halves.thinned()] == 7).sum())
    assert thinned == int((halves.labels == 7).sum()) // 10
    assert sets["five classes lost"].kept == pytest.approx(0.5, abs=0.01)
    assert all(images.make().abs().max() <= 1.0001 for images in sets.values())


def test_reconstructions_on_digits(reference: Reference) -> None:
    sets = reconstruction_sets(reference, SIZES["digits"])
    wanted = ("identity", "mean image", "another of its class")
    found = measured(
        {name: sets[name] for name in wanted}, lambda x: q.of_reconstructions(x, reference), PAIRED
    )
    rows = table(found).splitlines()
    assert rows[0] == table_line(["images", "n", "recon. MSE ↓", "PSNR ↑", "class preserved ↑"])
    assert rows[2] == "| identity | 500 | 0.0000 |  | 1.000 |"
    assert rows[-1] == "Empty: identity: reconstruction_psnr is infinite for equal images."
    for claim in (
        Rises("", "reconstruction_mse", wanted),
        Rises("", "label_agreement", ("mean image", "another of its class", "identity")),
    ):
        assert claim.verdict(found)[0], claim.verdict(found)[1]


def test_a_claim_that_fails_is_said_to_fail() -> None:
    lines = {
        name: Line("5", 1.0, {"fid_hybrid": value}, {}) for name, value in (("a", 2.0), ("b", 1.0))
    }
    text = verdicts(
        [
            Rises("up", "fid_hybrid", ("a", "b")),
            Rises("down", "fid_hybrid", ("b", "a")),
            Near("near", "fid_hybrid", "a", 1.9, 0.05),
        ],
        lines,
    ).splitlines()[2:]
    assert text == [
        "| up | FID (digit features) | **does not hold** | a 2.00 → b 1.00 |",
        "| down | FID (digit features) | holds | b 1.00 → a 2.00 |",
        "| near | FID (digit features) | **does not hold** | a 2.00, expected 1.90 ± 0.05 |",
    ]


@pytest.mark.parametrize("dataset", SIZES)
def test_the_committed_page_belongs_to_the_protocol(dataset: str) -> None:
    text, sizes = (FOLDER / f"{dataset}.md").read_text(), SIZES[dataset]
    assert f"Protocol {VERSION}, extractor {PROTOCOLS[dataset].extractor}." in text
    values = dict.fromkeys(METRICS, 0.0)
    rows = {row: Line("", 1.0, values, {}) for row in ("clean", "one class lost")}
    rows["five classes lost"] = rows["clean"]
    claims = [*sample_claims(sizes, rows), *reconstruction_claims(sizes, rows)]
    for claim in claims:
        rows_of = claim.rows if isinstance(claim, Rises) else (claim.row,)
        assert all(f"\n| {row} | " in text for row in rows_of), claim
    assert text.count("holds |") + text.count("**does not hold** |") >= len(claims)


def test_table_lines_keep_bars_inside_their_cells() -> None:
    metric: Metric = METRICS["code_mean"]
    assert table_line([metric.title, "1"]) == r"| code \|mean\| | 1 |"
    assert Path(PATH).parent == FOLDER.parent
