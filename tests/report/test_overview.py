"""The trade-off at a glance: which points, lines and images are shown."""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from benchmarks.planning.keys import Key
from benchmarks.report.data.summary import Summary, summarise
from benchmarks.report.figures import overview
from benchmarks.report.figures.pictures import cells_of, real_images
from benchmarks.report.figures.style import looks_of
from tests.planning.run_folders import run_of, write_run
from tests.report.test_intervals import control, runs

FID = {"aegan": [1.0, 1.1, 1.2], "bigan": [5.0, 5.5, 4.5], "gan": [2.0, 2.1, 1.9]}
MSE = {"aegan": [0.02, 0.03, 0.04], "bigan": [0.1, 0.11, 0.12]}


def summary_of(mse: dict[str, list[float]] = MSE, real: float = 0.4) -> Summary:
    frame = runs(FID)
    frame["reconstruction_mse"] = [v for row in FID for v in mse.get(row, [np.nan] * 3)]
    controls = runs({control("real_train", 9): [real], control("noise"): [20.0]})
    pca = runs({control("pca", 16): [0.01]}, metric="reconstruction_mse")
    return summarise(frame, pd.concat([controls, pca]), {"GAN": "z → x only"})


def drawn(summary: Summary, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Figure:
    figures: list[Figure] = []
    monkeypatch.setattr(overview, "save", lambda figure, stem: figures.append(figure))
    assert overview.tradeoff(summary, looks_of(summary.keys), tmp_path)
    return figures[0]


def test_models_are_points_with_intervals_and_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    summary = summary_of()
    (axis,) = drawn(summary, tmp_path, monkeypatch).axes
    assert (axis.get_xscale(), axis.get_yscale()) == ("log", "log")
    points = [container.lines[0].get_xydata()[0] for container in axis.containers]
    expected = [[0.03, 1.1], [0.11, 5.0]]
    assert np.array(points) == pytest.approx(np.array(expected))
    segments = axis.containers[1].lines[2]  # of BiGAN: across, then up
    across = segments[0].get_segments()[0][:, 0]
    cell = summary.cells["BiGAN", "reconstruction_mse"]
    assert across == pytest.approx([cell.low, cell.high])
    names = {text.get_text() for text in axis.texts}
    assert {"AEGAN", "BiGAN", "GAN", "real, 9 of train", "PCA, 16 dimensions"} <= names
    assert "noise" not in names
    plt.close("all")


@pytest.mark.parametrize("share", [0.9, 0.95, 1.0, 1.02, 1.05, 1.1])
def test_a_points_name_does_not_cover_a_lines(
    share: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rightmost point lies near a line whose name is at the right end."""
    figure = drawn(summary_of(real=5.0 * share), tmp_path, monkeypatch)
    figure.draw_without_rendering()
    texts = {text.get_text(): text.get_window_extent() for text in figure.axes[0].texts}
    for line in ("GAN", "real, 9 of train"):
        assert not texts["BiGAN"].overlaps(texts[line])
    plt.close("all")


def test_nothing_is_drawn_where_no_model_has_both(tmp_path: Path) -> None:
    assert not overview.tradeoff(summary_of({}), {}, tmp_path / "none")
    assert not overview.overview(summary_of(), [], {}, tmp_path / "none")
    assert not list(tmp_path.iterdir())


def test_the_images_of_a_picture_are_cut_out(tmp_path: Path) -> None:
    """Pairs of four rows: each image is all of its number, its reconstruction minus it."""
    cells = np.arange(1, 65) / 100
    picture = np.zeros((8 * 4 + 1, 8 * 4 + 1, 3), np.float32)
    for i, value in enumerate(cells):
        row, column = divmod(i, 8)
        picture[4 * row + 1 : 4 * row + 4, 4 * column + 1 : 4 * column + 4] = value
    found = cells_of(picture, 8)
    assert [cell.shape for cell in found] == [(3, 3, 3)] * 64
    assert [float(cell.mean()) for cell in found] == pytest.approx(cells)
    job = write_run(tmp_path, run_of("bigan"), {})
    plt.imsave(job.folder / "reconstructions.png", picture)
    real = real_images([job])
    assert real is not None
    assert real.shape[:2] == (4 * 4 + 1, 8 * 4 + 1)  # as samples are laid out
    again = cells_of(real, 8)
    assert [float(c[..., :3].mean()) for c in again] == pytest.approx(cells[::2], abs=0.005)
    (job.folder / "reconstructions.png").write_bytes(b"damaged")
    assert real_images([job]) is None


def test_the_overview_has_a_row_of_real_images_and_one_per_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs = [write_run(tmp_path, run_of(family), {}) for family in ("aegan", "bigan", "gan")]
    for job in jobs:
        plt.imsave(job.folder / "reconstructions.png", np.zeros((33, 33, 3)))
    figures: list[Figure] = []
    monkeypatch.setattr(overview, "save", lambda figure, stem: figures.append(figure))
    summary = summary_of()
    assert overview.overview(summary, jobs, looks_of(summary.keys), tmp_path)
    left, _ = figures[0].axes
    assert [label.get_text() for label in left.get_yticklabels()] == [
        *("real images", "AEGAN", "BiGAN"),
    ]
    assert Key("gan", "gan").label == "GAN"  # of one direction: no reconstructions to show
    plt.close("all")
