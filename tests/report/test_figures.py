"""The figures: what they draw, and that they can be told apart."""

from pathlib import Path

import matplotlib.pyplot as plt
import pandas as pd
import pytest

from benchmarks.report import build
from benchmarks.report.build import write_report
from benchmarks.report.data.contents import Contents
from benchmarks.report.figures import curves, quality, style
from tests.report.report_pages import contents_of, hand_made


def test_a_mean_over_seeds_ends_where_a_seed_ends(tmp_path: Path, monkeypatch) -> None:
    drawn = []
    monkeypatch.setattr(quality, "save", lambda figure, stem: drawn.append(figure))
    light = pd.DataFrame(
        {"label": "a", "seed": [0, 0, 1], "step": [50, 100, 50], "fid_hybrid": [4.0, 1.0, 2.0]}
    )
    looks = style.looks_of("a")
    final = pd.DataFrame({"label": "a", "step": 200, "seconds": [20.0, 22.0]})
    final = final.assign(fid_hybrid=[0.5, 1.5], latent_error=0.1)
    assert quality.learning(light.assign(seconds=light["step"] / 10), final, looks, tmp_path)
    one, other, mean, last = drawn[0].axes[0].lines
    assert [len(line.get_xdata()) for line in (one, other, mean)] == [2, 1, 1]
    assert mean.get_ydata().tolist() == [3.0]
    assert (last.get_xdata(), last.get_ydata()) == ([200], [1.0])  # at the last update, hollow
    assert (last.get_markerfacecolor(), last.get_linestyle()) == ("none", "None")
    assert drawn[0].axes[1].lines[-1].get_xdata() == [21.0]
    assert [axis.get_xlabel() for axis in drawn[0].axes] == ["updates", "seconds of training"]
    plt.close("all")


@pytest.mark.parametrize("names", [["G/fool", "D/real"], ["D/real"], []])
def test_every_term_is_drawn_in_its_players_panel(names, tmp_path: Path, monkeypatch) -> None:
    drawn = []
    monkeypatch.setattr(curves, "save", lambda figure, stem: drawn.append(figure))
    table = pd.DataFrame({"label": "a", "seed": [0, 0, 1, 1], "step": [50, 100] * 2})
    for name in [*names, "D/grad_norm"]:
        table[name] = 1.0
    assert curves.losses("a", "mine.py", table, tmp_path) == bool(names)
    assert curves.gradient_norms(table, tmp_path)
    assert not curves.gradient_norms(table.drop(columns="D/grad_norm"), tmp_path)
    titles = {axis.get_title(): len(axis.lines) for axis in drawn[0].axes}
    if names:
        assert titles == {f"a: {name[0]}": 3 for name in names}  # two seeds and their mean
    assert [len(axis.lines) for axis in drawn[-1].axes] == [3]
    plt.close("all")


@pytest.mark.parametrize(("steps", "marked"), [([50], True), ([50, 100], False)])
def test_a_single_point_is_seen(
    steps: list[int], marked: bool, tmp_path: Path, monkeypatch
) -> None:
    drawn = []
    monkeypatch.setattr(curves, "save", lambda figure, stem: drawn.append(figure))
    table = pd.DataFrame({"seed": 0, "step": steps, "G/fool": 1.0})
    assert curves.losses("a", "gan", table, tmp_path)
    assert (drawn[0].axes[0].lines[-1].get_marker() != "None") == marked
    plt.close("all")


def test_a_legend_is_whole_and_clear_of_its_axis(tmp_path: Path, monkeypatch) -> None:
    drawn = []
    monkeypatch.setattr(curves, "save", lambda figure, stem: drawn.append(figure))
    keys = [f"generator_encoder/{term}" for term in ("latent_reconstructed", "s_xz_generator")]
    keys += [f"critic/{'a_term_with_a_very_long_name_' * 3}{i}" for i in range(8)]
    table = pd.DataFrame({"seed": [0, 0], "step": [50, 100], **dict.fromkeys(keys, 1.0)})
    assert curves.losses("a", "aegan", table, tmp_path)
    drawn[0].draw_without_rendering()
    whole = drawn[0].bbox
    for axis in drawn[0].axes:
        box = axis.get_legend().get_window_extent()
        assert whole.x0 <= box.x0 < box.x1 <= whole.x1
        assert whole.y0 <= box.y0 < box.y1 < axis.xaxis.label.get_window_extent().y0
        assert axis.bbox.height > 1.2 * drawn[0].dpi
    plt.close("all")


def test_figures_are_drawn_again_only_when_something_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs, drawn = hand_made(tmp_path)[:2], []

    def draw(contents: Contents, folder: Path) -> dict[str, str]:
        for suffix in style.FORMATS:
            (folder / f"forest.{suffix}").write_bytes(b"a picture")
        drawn.append(folder)
        return {"forest": "intervals"}

    monkeypatch.setattr(build, "_draw", draw)
    folder = write_report(contents_of(jobs), tmp_path)
    write_report(contents_of(jobs), tmp_path)
    assert len(drawn) == 1
    (folder / "forest.pdf").unlink()
    write_report(contents_of(jobs), tmp_path)
    assert len(drawn) == 2
    (jobs[0].folder / "samples.png").touch()
    write_report(contents_of(jobs), tmp_path)
    assert len(drawn) == 3
