"""The house style: looks that can be told apart, ticks that do not touch."""

from itertools import combinations

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_rgb

from benchmarks.report.figures import style
from benchmarks.report.figures.style import TICKS, few_ticks, looks_of
from zoo.registry import FAMILIES, about

# How people without green or red cones see linear RGB (Machado, Oliveira and Fernandes 2009).
BLIND_TO = {
    "nothing": np.eye(3),
    "green": [[0.367, 0.861, -0.228], [0.280, 0.673, 0.047], [-0.012, 0.043, 0.969]],
    "red": [[0.152, 1.053, -0.205], [0.115, 0.786, 0.099], [-0.004, -0.048, 1.052]],
}
OKLAB = (  # Ottosson 2020
    [[0.4122, 0.5363, 0.0514], [0.2119, 0.6807, 0.1074], [0.0883, 0.2817, 0.6300]],
    [[0.2105, 0.7936, -0.0041], [1.9780, -2.4286, 0.4506], [0.0259, 0.7828, -0.8087]],
)


def perceived(colour: tuple[float, float, float], blindness: str) -> np.ndarray:
    """Return a colour where equal distances look equally far apart."""
    linear = np.array(colour) ** 2.2
    cones = np.array(OKLAB[0]) @ np.clip(np.array(BLIND_TO[blindness]) @ linear, 0, 1)
    return np.array(OKLAB[1]) @ np.cbrt(cones)


@pytest.mark.parametrize("blindness", BLIND_TO)
def test_the_families_of_a_figure_can_be_told_apart(blindness: str) -> None:
    digits = ("gan", "autoencoder", "bigan", "bigan_qp", "aegan", "bigbigan")
    titles = [about(family).title for family in digits]
    seen = [perceived(look.colour, blindness) for look in looks_of(titles).values()]
    seen.append(perceived((1.0, 1.0, 1.0), blindness))  # the paper
    assert min(np.linalg.norm(a - b) for a, b in combinations(seen, 2)) > 0.08


def test_looks_differ_without_colours() -> None:
    looks = looks_of([*FAMILIES, *(f"row {i}" for i in range(11))])
    assert len({(str(look.dash), look.marker) for look in looks.values()}) == len(looks)


def test_a_family_has_its_colour_in_every_report() -> None:
    assert len({about(family).colour for family in FAMILIES}) == len(FAMILIES)
    alone = looks_of(["BiGAN"])["BiGAN"]
    among = looks_of(["mine", "AEGAN", "BiGAN", "BiGAN (lr 0.1)"])
    assert among["BiGAN"] == alone
    assert alone.colour == to_rgb(about("bigan").colour)
    assert len(set(among.values())) == 4


@pytest.mark.parametrize("family", FAMILIES)
def test_colours_stand_out_from_white_paper(family: str) -> None:
    """Contrast by WCAG 2.1: at least 3 : 1 for graphics."""
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4
              for c in to_rgb(about(family).colour)]  # fmt: skip
    assert 1.05 / (np.dot([0.2126, 0.7152, 0.0722], linear) + 0.05) >= 3


def test_papers_get_truetype_fonts() -> None:
    figure, _ = style.grid(1)
    assert plt.rcParams["pdf.fonttype"] == plt.rcParams["ps.fonttype"] == 42
    assert style.FORMATS["png"]["dpi"] >= 200
    plt.close(figure)


@pytest.mark.parametrize("scale", ["linear", "log"])
@pytest.mark.parametrize(
    ("low", "high"),
    [(0.009, 0.2), (0.26, 1.01), (1.1, 9.9), (0.15, 34), (0.93, 0.98), (1e-4, 1e5), (18, 20)],
)
def test_few_ticks_and_all_within_the_axis(low: float, high: float, scale: str) -> None:
    figure, axis = plt.subplots()
    axis.set(xscale=scale, xlim=(low, high))
    few_ticks(axis.xaxis)
    ticks = axis.get_xticks()
    labels = [label.get_text() for label in axis.get_xticklabels()]
    assert 2 <= len(ticks) == len(set(labels)) <= TICKS
    places = axis.transData.transform([(tick, 0) for tick in ticks])[:, 0] / axis.bbox.width
    assert np.diff(places).min() > 0.1
    assert ((low <= ticks) & (ticks <= high)).all()
    assert [float(label) for label in labels] == pytest.approx(ticks, rel=1e-4)
    assert not len(axis.get_xticks(minor=True))
    plt.close(figure)


def test_a_legend_shows_dash_and_marker() -> None:
    figure, _ = style.grid(1)
    looks = looks_of(["bigan", "aegan"])
    style.legend(figure, looks, list(looks))
    (legend,) = figure.legends
    shown = {(line.get_marker(), line.get_linestyle()) for line in legend.get_lines()}
    assert len(shown) == 2
    plt.close(figure)


@pytest.mark.parametrize("name", ["ali", "bigan_qp_double_lr", "low_resolution_generator"])
def test_a_legend_of_many_rows_stays_inside_its_figure(name: str) -> None:
    figure, _ = style.grid(6)
    names = [f"{name}_{i:02}" for i in range(20)]
    style.legend(figure, looks_of(names), names)
    figure.canvas.draw()
    box = figure.legends[0].get_window_extent()
    assert box.x0 >= 0
    assert box.x1 <= figure.bbox.x1
    plt.close(figure)
