"""The page on vanishing gradients, and its picture."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.ticker import NullLocator

from benchmarks.common.files import whole
from benchmarks.report.figures.style import grid, legend, logarithmic, looks_of
from benchmarks.theory.critics import HIDDEN, PENALTY, POINTS, RATE, SPREAD, STRENGTH

TOP = """# Does the generator's gradient vanish?

GAN-QP's author says of it that, by theory, its gradients do not vanish (claim 1 in
`benchmarks/planning/register.toml`). That is a statement about a critic at its optimum, which
training on images does not reach. Here it is tested where critics can be trained on and on, with

```bash
python -m benchmarks.theory.vanishing  # about a minute
```
"""

METHOD = """## What is tested

- **Data**: real are {points} points of a Gaussian in the plane (standard deviation {spread:g});
  fake are the same points, moved by a distance in a random direction. The supports do not touch.
- **Generator**: its only parameter is this shift. What is measured is the norm of its loss's
  gradient.
- **Critic**: two hidden layers of {hidden} leaky ReLUs, trained by Adam ({rate:g}) on all points
  at once while the generator stands still. The gradient is measured after up to {last:,} updates.
- **Losses**: the GAN's two, E log(1 - D) (saturating) and -E log D (non-saturating), share a
  critic; WGAN has gradient penalty {penalty:g}; GAN-QP has lambda {strength:g}, d the mean
  absolute difference, and all pairs of a real and a fake point.
- **Judged by ratios**, since losses have different units: the gradient after {last:,} updates
  over that after {first}, at each distance; and at the end of training, at distance {far:g} over
  distance {near:g}. Geometric means of {seeds} seeds with 95 % t-intervals on the logarithmic
  scale.
- **Thresholds**, fixed before any result was seen: a gradient vanishes if the whole interval of
  the ratio is below {threshold:g}, and does not if all of it is above; else it is open. With
  training, one distance at which it vanishes is enough, and it does not vanish if it does so at
  none and none is open.

Each loss has two verdicts, one with training and one with distance. A first version made one of
both, by which the non-saturating GAN's gradient vanished: they were parted after that was seen,
no threshold was changed.
"""

READING = """\
- **GAN, saturating**: point by point, the gradient is that of the non-saturating loss times D /
  (1 - D), and D of a fake falls to 0 as long as the critic trains.
- **GAN, non-saturating**: it does not vanish with training; it grows, since T of separated
  supports has no bound. It falls with distance, about as 1 / distance: T needs less slope to tell
  points that are farther apart.
- **WGAN-GP**: the optimal slope on the way is 1 + distance / {twice:g}, since the penalty has a
  finite weight, and this is what was measured.
- **GAN-QP**: where the supports are apart in both coordinates, T(x) - T(y) = lambda d(x, y) holds
  for all pairs with a T of slope lambda / sqrt(2) = {slope:.3g} at any distance. Measured is a
  little less.
"""

LIMITS = """## What it does not show

- A toy is not images. Whether a GAN's critic ever comes near its optimum, with a generator that
  moves and minibatches, is another question; so is whether a gradient that does not vanish makes
  better samples.
- A gradient of constant size is not a useful one: only its norm is measured here, not where it
  points.
- GAN-QP's optimum is a statement about values of T on the supports. Its slope there, which is
  what moves the generator, follows for a network that joins these values smoothly, as this one
  does, and not for every T.
- The penalty of WGAN-GP and lambda of GAN-QP set how large their gradients are; the ratios do not
  depend on units, but one value of each was tried.
"""


def page(numbers: Mapping[str, Any]) -> str:
    """Return the page as Markdown; `numbers` as of `vanishing.summary`."""
    (near, far), (first, last) = numbers["distances"], numbers["updates"]
    method = METHOD.format(
        **{"points": POINTS, "spread": SPREAD, "hidden": HIDDEN, "rate": RATE},
        **{"penalty": PENALTY, "strength": STRENGTH, "near": near, "far": far},
        **{"first": first, "last": last},
        **{"seeds": numbers["seeds"], "threshold": numbers["threshold"]},
    )
    picture = "![Gradient over the critic's updates](vanishing.png)\n"
    reading = READING.format(twice=2 * PENALTY, slope=STRENGTH / 2**0.5)
    return "\n".join([TOP, method, _results(numbers), reading, picture, LIMITS])


def _results(numbers: Mapping[str, Any]) -> str:
    """Return the section of both tables."""
    (near, far), (first, last) = numbers["distances"], numbers["updates"]
    cells = numbers["cells"]
    distances = list(dict.fromkeys(c["distance"] for c in cells if c["distance"] is not None))
    titles = [*(f"{d:g}" for d in distances), f"{far:g} over {near:g}"]
    ratios = [["loss", *titles, "with training", "with distance"]]
    ratios.append(["---", *["---:"] * len(titles), "---", "---"])
    sizes = [["loss", *titles[:-1]], ["---", *["---:"] * len(distances)]]
    for loss, verdicts in numbers["losses"].items():
        own = [c for c in cells if c["loss"] == loss]
        ratios.append([loss, *map(_ratio, own), verdicts["training"], verdicts["distance"]])
        sizes.append([loss, *(_number(c["gradient"]) for c in own if c["gradient"] is not None)])
    return (
        f"## Results\n\nGradient after {last:,} updates over that after {first}, by distance; then "
        f"the last gradient at distance\n{far:g} over that at {near:g}. Ratios and intervals; "
        f"bold is what vanishes.\n\n{_table(ratios)}\nThe gradient itself after {last:,} "
        f"updates, by distance:\n\n{_table(sizes)}"
    )


def _ratio(cell: Mapping[str, Any]) -> str:
    """Return a ratio with its interval, bold if it vanishes."""
    text = f"{_number(cell['ratio'])} [{_number(cell['low'])}, {_number(cell['high'])}]"
    return f"**{text}**" if cell["verdict"] == "vanishes" else text


def _number(value: float) -> str:
    """Return a number with three digits."""
    return f"{value:.2e}" if value < 0.001 else f"{value:.3g}"


def _table(rows: Iterable[Iterable[str]]) -> str:
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def draw(frame: pd.DataFrame, path: Path) -> None:
    """Draw the gradient over the critic's updates, a panel per distance: seeds and their mean.

    Args:
        frame: as of `vanishing.run`.
        path: of the PNG.

    """
    losses, distances = list(frame.loss.unique()), sorted(frame.distance.unique())
    looks = looks_of(losses)
    figure, axes = grid(len(distances), columns=3, panel=(2.9, 2.4))
    for axis, distance in zip(axes, distances, strict=True):
        for loss in losses:
            rows = frame[(frame.distance == distance) & (frame.loss == loss)]
            seeds = rows.pivot_table(index="updates", columns="seed", values="gradient")
            look = looks[loss]
            axis.plot(seeds.index, seeds, color=look.colour, linewidth=0.5, alpha=0.3)
            axis.plot(seeds.index, np.exp(np.log(seeds).mean(axis=1)), **look.points)
        logarithmic(axis.xaxis, axis.yaxis)
        axis.set_xticks(seeds.index, [f"{updates:,}" for updates in seeds.index])
        axis.xaxis.set_minor_locator(NullLocator())
        axis.set(title=f"distance {distance:g}", xlabel="updates of the critic")
        axis.set(ylim=(0.5 * frame.gradient.min(), 2 * frame.gradient.max()))
    axes[0].set_ylabel("gradient of the shift")
    legend(figure, looks, losses)
    with whole(path) as draft:
        figure.savefig(draft, format="png", dpi=110)
    plt.close(figure)
