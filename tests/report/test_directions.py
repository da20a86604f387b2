"""Which rows have both directions, and what becomes of those that have one."""

from pathlib import Path

import pandas as pd
import pytest

from benchmarks.report.data import frame
from benchmarks.report.data.contents import Contents, gather
from benchmarks.report.data.directions import (
    BOTH,
    DRAWS,
    ENCODES,
    RECONSTRUCTS,
    UNKNOWN,
    directions,
    references,
)
from benchmarks.report.text import findings
from tests.planning.run_folders import run_of, write_run
from tests.report.report_pages import hand_made, suite_of


@pytest.mark.parametrize(
    ("measured", "way"),
    [
        ({"fid_hybrid": 1.0, "train_seconds": 3.0}, DRAWS),
        ({"reconstruction_mse": 0.1}, RECONSTRUCTS),
        ({"reconstruction_mse": 0.1, "knn1_accuracy_features": 0.9}, RECONSTRUCTS),
        ({"knn1_accuracy_features": 0.9, "fid_hybrid": 1.0}, BOTH),
        ({"knn1_accuracy_features": 0.9, "fid_hybrid": float("nan")}, ENCODES),
        ({"fid_hybrid": 1.0, "latent_error": 0.1}, BOTH),
        ({"train_seconds": 3.0}, UNKNOWN),
        ({"modes_covered": 25.0}, DRAWS),
        ({"mode_kept": 0.9}, RECONSTRUCTS),
        ({"mode_kept": 0.9, "modes_covered": 25.0}, BOTH),
    ],
)
def test_a_row_goes_the_ways_that_were_measured(measured: dict[str, float], way: str) -> None:
    assert directions(pd.DataFrame([{"label": "a"} | measured])) == {"a": way}


def test_a_look_during_training_tells_too() -> None:
    runs = pd.DataFrame({"label": ["a"], "status": ["diverged"], "fid_hybrid": [float("nan")]})
    light = pd.DataFrame({"label": ["a", "a"], "fid_hybrid": [9.0, 8.0], "latent_error": [1, 1]})
    assert directions(runs, pd.DataFrame()) == {"a": UNKNOWN}
    assert directions(runs, light) == {"a": BOTH}


def test_references_need_two_rows_to_refer_to() -> None:
    one = {"gan": DRAWS, "autoencoder": RECONSTRUCTS, "bigan": BOTH, "lost": UNKNOWN}
    assert references(one) == {}
    found = references(one | {"aegan": BOTH})
    assert list(found) == ["gan", "autoencoder"]
    assert found["gan"] == "z → x only: it has no encoder"
    assert found["autoencoder"] == "no prior: it cannot draw"  # but it reconstructs through G


@pytest.fixture
def contents(tmp_path: Path) -> Contents:
    """Three families of both directions, and a GAN better than all of them."""
    gan = [
        write_run(tmp_path, run_of("gan", seed), {"fid_hybrid": fid, "train_seconds": 60.0})
        for seed, fid in enumerate([0.10, 0.11, 0.12])
    ]
    jobs = [*gan, *hand_made(tmp_path)]
    controls = pd.DataFrame(columns=frame.results_frame(jobs).columns)
    return gather(suite_of(), jobs, controls, "python run_all.py")


def test_references_are_named_and_not_ranked(contents: Contents) -> None:
    said = findings.findings(contents)
    assert said[0].startswith("AEGAN is clearly best in FID (digit features) (1.10 [")
    assert said[-1] == (
        "Reference models (one direction only), not ranked: GAN (z → x only: it has no encoder). "
        "Better on average than every ranked model: GAN in FID (digit features) (0.11)."
    )
    assert [*contents.summary.keys][-1] == "GAN"
    assert contents.runs.groupby("label")["kind"].first()["GAN"] == "reference"
    assert set(contents.ranks["label"]) == {"AEGAN", "BiGAN", "BiGAN-QP"}
    fid = contents.differences[contents.differences["metric"] == "fid_hybrid"]
    assert len(fid) == 6  # pairs with the reference are still compared
