"""What an eye compares: the families' pictures side by side, their codes in two dimensions."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import seaborn as sns
from PIL import Image

from benchmarks.planning.plan import Job
from benchmarks.report.figures.style import grid, save

PICTURES = {
    "samples": "Samples G(z) of the same 64 draws of the prior",
    "reconstructions": "Test images, each with its reconstruction G(E(x)) on its right: four pairs "
    "in a row",
    "interpolation": "From one test image to another: the image, nine points on the straight line "
    "between the codes of both, the other image",
    "neighbours": "Test image, then its five nearest training images in latent space by distance "
    "(behind the first gap)",
    "truncated": "The same twelve draws, a row for each threshold (0.25, 0.5, 0.75, 1, 1.5, 2), "
    "the last row not truncated",
}
"""Picture of a run folder -> what it shows, the same for every family."""


COLUMNS = 8
"""Images in a row of a run's samples and reconstructions."""
NEIGHBOUR_COLUMNS, BY_DISTANCE = 13, 7
"""Columns of a run's neighbours: a query, a gap, five by distance, a gap, five by angle."""
PADDING = 1
"""Pixels between the images of a picture, and round it."""


def cells_of(picture: np.ndarray, columns: int) -> list[np.ndarray]:
    """Return the images of a run's picture, row by row, each (H, W, C) without its padding."""
    side = (picture.shape[1] - PADDING) // columns
    rows = (picture.shape[0] - PADDING) // side
    return [
        picture[r * side + PADDING : (r + 1) * side, c * side + PADDING : (c + 1) * side]
        for r in range(rows)
        for c in range(columns)
    ]


def showing(jobs: Iterable[Job], name: str) -> dict[str, Job]:
    """Return row -> its first run whose folder has a file; a damaged picture counts as absent."""
    found: dict[str, Job] = {}
    for job in jobs:
        if job.key.name not in found and _is_readable(job.folder / name):
            found[job.key.name] = job
    return found


def _is_readable(path: Path) -> bool:
    if path.suffix != ".png":
        return path.exists()
    try:
        with Image.open(path) as image:
            image.verify()
    except (OSError, SyntaxError):
        return False
    return True


def picture_of(job: Job, kind: str) -> np.ndarray:
    """Return a run's picture, (H, W, C) in [0, 1]; of neighbours those by distance alone."""
    picture = plt.imread(job.folder / f"{kind}.png")
    if kind == "neighbours":
        side = (picture.shape[1] - PADDING) // NEIGHBOUR_COLUMNS
        picture = picture[:, : BY_DISTANCE * side + PADDING]
    return picture


def early_samples(jobs: Iterable[Job]) -> dict[str, list[tuple[int, Path]]]:
    """Return family -> (step, picture) of its first run that has samples over training."""
    found: dict[str, list[tuple[int, Path]]] = {}
    for job in jobs:
        steps = [(int(p.stem.split("-")[1]), p) for p in job.folder.glob("samples-*.png")]
        if steps:
            found.setdefault(job.key.name, sorted(steps))
    return found


def side_by_side(jobs: Sequence[Job], kind: str, stem: Path) -> bool:
    """Draw each family's picture (its first finished seed) in one figure; False if none."""
    first = showing(jobs, f"{kind}.png")
    if not first:
        return False
    shown = {f"{row}, seed {job.run.seed}": picture_of(job, kind)
             for row, job in first.items()}  # fmt: skip
    if kind == "samples" and (real := real_images(jobs)) is not None:
        shown = {"real test images": real} | shown
    figure, axes = grid(len(shown), columns=3, panel=(3.4, 3.5))
    for axis, (title, picture) in zip(axes, shown.items(), strict=True):
        axis.imshow(picture, interpolation="nearest")
        axis.set_title(title)
        axis.axis("off")
    save(figure, stem)
    return True


def real_images(jobs: Iterable[Job]) -> np.ndarray | None:
    """Return test images as a picture of samples is laid out, from a run's reconstructions."""
    for job in showing(jobs, "reconstructions.png").values():
        images = cells_of(plt.imread(job.folder / "reconstructions.png"), COLUMNS)[::2]
        rows = [_padded(images[i : i + COLUMNS]) for i in range(0, len(images), COLUMNS)]
        return np.concatenate([np.zeros_like(rows[0][:PADDING]), *rows])
    return None


def _padded(images: Sequence[np.ndarray]) -> np.ndarray:
    """Return a row of images with the padding of pictures to their left and below."""
    framed = [np.pad(image, ((0, PADDING), (PADDING, 0), (0, 0))) for image in images]
    row = np.concatenate(framed, axis=1)
    return np.concatenate([row, np.zeros_like(row[:, :PADDING])], axis=1)


def over_training(jobs: Sequence[Job], stem: Path) -> bool:
    """Draw each family's samples over training in one figure, a row per step; False if none."""
    early = early_samples(jobs)
    if not early:
        return False
    figure, axes = grid(len(early), columns=2, panel=(4.2, 2.6))
    for axis, (family, steps) in zip(axes, early.items(), strict=True):
        strips = [plt.imread(path) for _, path in steps]
        axis.imshow(np.concatenate(strips), interpolation="nearest")
        height = len(strips[0])
        middles = [height * (i + 0.5) for i in range(len(steps))]
        axis.set_yticks(middles, [f"{step:,}" for step, _ in steps])
        axis.set(title=family, xticks=[])
        axis.grid(visible=False)
    save(figure, stem)
    return True


def points(jobs: Sequence[Job], stem: Path) -> bool:
    """Draw each family's samples and reconstructions over the real points; False if none.

    A row per family: test points, samples, reconstructions of those test points.
    """
    rows = showing(jobs, "points.npz")
    if not rows:
        return False
    figure, axes = grid(3 * len(rows), columns=3, panel=(2.6, 2.6))
    for place, (family, job) in enumerate(rows.items()):
        found = np.load(job.folder / "points.npz")
        limit = 1.2 * float(np.abs(found["real"]).max())
        own = axes[3 * place : 3 * place + 3]
        for axis, kind in zip(own, ("real", "samples", "reconstructions"), strict=True):
            if kind not in found:
                axis.axis("off")
                continue
            axis.plot(*found[kind].T, ",", color="black", alpha=0.5)
            axis.set(title=f"{family}, {kind}", aspect="equal", xticks=[], yticks=[])
            axis.set(xlim=(-limit, limit), ylim=(-limit, limit))
    save(figure, stem)
    return True


def embedding(jobs: Sequence[Job], stem: Path) -> bool:
    """Draw each family's E(x) of test images in two dimensions by class; False if none."""
    points = {
        family: np.load(job.folder / "embedding.npz")
        for family, job in showing(jobs, "embedding.npz").items()
    }
    points = {family: found for family, found in points.items() if len(found["xy"])}
    if not points:
        return False
    figure, axes = grid(len(points), columns=3, panel=(3.4, 3.2))
    for axis, (family, found) in zip(axes, points.items(), strict=True):
        colours = sns.color_palette("colorblind", int(found["labels"].max()) + 1)
        for label, colour in enumerate(colours):
            own = found["xy"][found["labels"] == label]
            # The digit itself is the mark: legible without colours.
            axis.plot(*own.T, linestyle="", marker=f"${label}$", color=colour, markersize=4.5)
        axis.set(title=family, xticks=[], yticks=[])
    save(figure, stem)
    return True
