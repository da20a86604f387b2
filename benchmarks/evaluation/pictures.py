"""Pictures of a trained game, each of the same draws or images for every family.

They are for eyes: nothing here is measured, and a table without them is whole.
"""

from pathlib import Path

import numpy as np
import torch
from sklearn.manifold import TSNE
from threadpoolctl import threadpool_limits
from torch import Tensor
from torch.nn.functional import normalize
from torchvision.utils import make_grid, save_image

from benchmarks.common.files import whole
from benchmarks.evaluation.evaluate import TRUNCATIONS
from benchmarks.evaluation.metrics.samples import nearest
from benchmarks.evaluation.real_data import Reference
from benchmarks.evaluation.scoring import latent_seed, mapped, prior_draws
from zoo.game import Game
from zoo.priors import Normal

ROWS, COLUMNS = 8, 8
STRIP = 16
TRUNCATED = 12
BETWEEN = 9
NEIGHBOURS = 5
EMBEDDED = 400
GREY = 0.0


@torch.no_grad()
def draw(game: Game, reference: Reference, folder: Path) -> None:
    """Write what the game can show: PNG pictures, and the two-dimensional codes as embedding.npz.

    samples.png (64 draws), truncated.png (a row per threshold, the last of the whole prior),
    reconstructions.png (32 test images, each followed by its reconstruction), interpolation.png (a
    row per pair of test images), neighbours.png (a row per test image).

    Args:
        game: a scoring copy on the reference's device.
        reference: the dataset.
        folder: the run's folder.

    """
    able = game.capabilities
    if {"sample_prior", "generate"} <= able:
        x = mapped(game.generate, prior_draws(game, ROWS * COLUMNS), reference.device)
        _save(x, COLUMNS, folder / "samples.png")
        if isinstance(game.prior, Normal):
            _save(truncated(game, reference), TRUNCATED, folder / "truncated.png")
    if "reconstruct" in able:
        x = reference.test_x[: ROWS * COLUMNS // 2]
        pairs = torch.stack([x, mapped(game.reconstruct, x, reference.device)], dim=1)
        _save(pairs.flatten(0, 1), COLUMNS, folder / "reconstructions.png")
        _save(interpolations(game, reference), BETWEEN + 2, folder / "interpolation.png")
    if "encode" in able:
        columns = 3 + 2 * NEIGHBOURS
        _save(neighbours(game, reference), columns, folder / "neighbours.png")
        xy, labels = embedding(game, reference)
        with whole(folder / "embedding.npz") as draft, draft.open("wb") as file:
            np.savez_compressed(file, xy=xy, labels=labels)


@torch.no_grad()
def draw_early(game: Game, folder: Path, step: int, device: torch.device) -> None:
    """Write samples-<step>.png: one row of the same draws, to be read over training.

    Args:
        game: a scoring copy of a game under training.
        folder: the run's folder.
        step: how many updates it has had.
        device: where the copy lives.

    """
    if {"sample_prior", "generate"} <= game.capabilities:
        x = mapped(game.generate, prior_draws(game, STRIP), device)
        _save(x, STRIP, folder / f"samples-{step:07d}.png")


def truncated(game: Game, reference: Reference) -> Tensor:
    """Return samples of the same draws by threshold, and of the whole prior: (7 * 12, C, H, W)."""
    rows = [
        game.sample_prior(TRUNCATED, torch.Generator().manual_seed(latent_seed(0)), threshold)
        for threshold in (*TRUNCATIONS, None)
    ]
    return mapped(game.generate, torch.cat(rows), reference.device)


def interpolations(game: Game, reference: Reference) -> Tensor:
    """Return for pairs of test images: one, nine points from E(one) to E(other), the other.

    Straight lines, as in Dumoulin et al. 2017, figure 4: the way every family can go, with a prior
    or without. Pairs are each class's first test image and the next class's.
    """
    start = first_of_each_class(reference)
    end = start.roll(-1, 0)
    a, b = (mapped(game.encode, x, reference.device) for x in (start, end))
    share = torch.linspace(0, 1, BETWEEN)[None, :, None]
    codes = torch.lerp(a[:, None], b[:, None], share)
    flat = mapped(game.generate, codes.flatten(0, 1), reference.device)
    way = flat.view(*codes.shape[:2], *flat.shape[1:])
    return torch.cat([start[:, None], way, end[:, None]], dim=1).flatten(0, 1)


def neighbours(game: Game, reference: Reference) -> Tensor:
    """Return for each query: itself, its five nearest by distance of E(x), five by angle.

    Queries are each class's first test image, neighbours come from the training images that stand
    against as many samples; grey images part the three.
    """
    query, gallery = first_of_each_class(reference), reference.real.subset
    asked, codes = (mapped(game.encode, x, reference.device) for x in (query, gallery))
    euclidean = nearest(asked, codes, NEIGHBOURS)[1]
    # On the unit sphere the nearest point is the one at the smallest angle.
    cosine = nearest(normalize(asked), normalize(codes), NEIGHBOURS)[1]
    gap = torch.full_like(query, GREY)[:, None]
    rows = torch.cat([query[:, None], gap, gallery[euclidean], gap, gallery[cosine]], dim=1)
    return rows.flatten(0, 1)


def embedding(game: Game, reference: Reference) -> tuple[np.ndarray, np.ndarray]:
    """Return t-SNE of E(x) of up to 400 test images, (N, 2), and their labels, (N,).

    van der Maaten & Hinton 2008, started from the two principal components; only who lies beside
    whom means something.
    """
    chosen = reference.light_test[:EMBEDDED]
    code = mapped(game.encode, reference.test_x[chosen], reference.device).double().numpy()
    if not np.isfinite(code).all():
        return np.empty((0, 2), np.float32), np.empty(0, np.uint8)
    with threadpool_limits(1):  # scikit-learn would take every core, from the runs beside
        xy = TSNE(init="pca", random_state=0, max_iter=350).fit_transform(code)
    labels = reference.test.labels[chosen].numpy()
    return xy.astype(np.float32), labels.astype(np.uint8)


def first_of_each_class(reference: Reference) -> Tensor:
    """Return the first test image of every class, (classes, C, H, W)."""
    labels = reference.test.labels
    first = [int((labels == label).nonzero()[0]) for label in range(int(labels.max()) + 1)]
    return reference.test_x[first]


def _save(images: Tensor, columns: int, path: Path) -> None:
    grid = make_grid(
        images.clamp(-1, 1),
        nrow=columns,
        padding=1,
        value_range=(-1, 1),
        normalize=True,
    )
    with whole(path) as draft:
        save_image(grid, draft, format="png")
