"""Pictures of a game whose code is the image itself, so that every picture is known."""

from pathlib import Path
from types import SimpleNamespace

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from sklearn.neighbors import KNeighborsClassifier, NearestNeighbors
from torch import Tensor, nn

from benchmarks.evaluation import pictures
from benchmarks.evaluation.evaluate import TRUNCATIONS
from benchmarks.evaluation.real_data import Reference
from tests.helpers import tiny_game
from zoo.priors import Normal, Uniform

SIDE = 8 + 1  # an image of digits and its margin


def read_image(path: Path) -> Tensor:
    """Return the picture as (3, H, W) in 0..255."""
    return torch.from_numpy(plt.imread(path)[..., :3] * 255).round().to(torch.uint8).movedim(2, 0)


def image(z: Tensor) -> Tensor:
    return z.view(-1, 1, 8, 8)


def transparent(prior=None) -> SimpleNamespace:
    """A game with E(x) = x and G(z) = z."""
    prior = prior or Normal(64)
    return SimpleNamespace(
        capabilities={"sample_prior", "generate", "encode", "reconstruct"},
        prior=prior,
        sample_prior=prior.sample,
        generate=image,
        encode=lambda x: x.flatten(1),
        reconstruct=lambda x: -x,
    )


def test_interpolations_go_straight_from_class_to_class(reference: Reference) -> None:
    found = pictures.interpolations(transparent(), reference).unflatten(0, (10, 11))
    ends = pictures.first_of_each_class(reference)
    for label in (0, 4, 9):
        a, b = ends[label], ends[(label + 1) % 10]
        row = found[label]
        assert torch.equal(row[0], a)
        assert torch.equal(row[10], b)
        assert torch.allclose(row[1], a)
        assert torch.allclose(row[5], (a + b) / 2, atol=1e-6)
        assert torch.allclose(row[9], b)


def test_neighbours_are_scikit_learns(reference: Reference) -> None:
    found = pictures.neighbours(transparent(), reference).unflatten(0, (10, 13)).flatten(2)
    query = pictures.first_of_each_class(reference).flatten(1)
    gallery = reference.real.subset.flatten(1)
    assert torch.equal(found[:, 0], query)
    assert (found[:, [1, 7]] == 0).all()
    for metric, columns in (("euclidean", slice(2, 7)), ("cosine", slice(8, 13))):
        near = NearestNeighbors(n_neighbors=5, metric=metric).fit(gallery)
        expected = gallery[near.kneighbors(query, return_distance=False)]
        assert torch.equal(found[:, columns], expected), metric


def test_truncated_rows_keep_their_thresholds_and_share_their_draws(reference: Reference) -> None:
    rows = pictures.truncated(transparent(), reference).unflatten(0, (7, 12)).flatten(1)
    for row, threshold in zip(rows, TRUNCATIONS, strict=False):
        assert row.abs().max() <= threshold
        kept = rows[-1].abs() <= threshold
        assert torch.equal(row[kept], rows[-1][kept])


def test_embedding_keeps_neighbours_and_labels_together(reference: Reference) -> None:
    xy, labels = pictures.embedding(transparent(), reference)
    assert xy.shape == (400, 2)
    learner = KNeighborsClassifier(5).fit(xy[:200], labels[:200])
    assert learner.score(xy[200:], labels[200:]) > 0.8


def test_files_show_what_they_say(reference: Reference, tmp_path: Path) -> None:
    pictures.draw(transparent(), reference, tmp_path)
    sizes = {"samples": (8, 8), "truncated": (7, 12), "reconstructions": (8, 8)}
    sizes |= {"interpolation": (10, 11), "neighbours": (10, 13)}
    for name, (rows, columns) in sizes.items():
        picture = read_image(tmp_path / f"{name}.png")
        assert picture.shape[1:] == (rows * SIDE + 1, columns * SIDE + 1), name
    pairs = read_image(tmp_path / "reconstructions.png")[0].int()
    original, answer = pairs[1:9, 1:9], pairs[1:9, 10:18]
    assert (original + answer - 255).abs().max() <= 1  # the answer is the negative
    assert np.load(tmp_path / "embedding.npz")["xy"].shape == (400, 2)


def test_early_strips_are_the_first_draws_of_the_samples(reference, tmp_path: Path) -> None:
    pictures.draw_early(transparent(), tmp_path, 200, torch.device("cpu"))
    pictures.draw(transparent(), reference, tmp_path)
    strip = read_image(tmp_path / "samples-0000200.png")
    assert strip.shape[1:] == (SIDE + 1, 16 * SIDE + 1)
    samples = read_image(tmp_path / "samples.png")
    assert torch.equal(strip[:, :, : 8 * SIDE], samples[:, : SIDE + 1, : 8 * SIDE])


@pytest.mark.parametrize(
    ("family", "files"),
    [
        ("gan", {"samples.png", "truncated.png"}),
        (
            "autoencoder",
            {"reconstructions.png", "interpolation.png", "neighbours.png", "embedding.npz"},
        ),
    ],
)
def test_a_game_shows_what_it_can(family: str, files: set, reference, tmp_path: Path) -> None:
    game = tiny_game(family).eval()
    pictures.draw(game, reference, tmp_path)
    pictures.draw_early(game, tmp_path, 50, torch.device("cpu"))
    early = {"samples-0000050.png"} if family == "gan" else set()
    assert {path.name for path in tmp_path.iterdir()} == files | early


def test_a_bounded_prior_has_no_tails_to_cut(reference: Reference, tmp_path: Path) -> None:
    pictures.draw(transparent(Uniform(64)), reference, tmp_path)
    assert not (tmp_path / "truncated.png").exists()
    assert (tmp_path / "samples.png").exists()


def test_a_broken_encoder_still_has_its_pictures_drawn(reference: Reference, tmp_path) -> None:
    game = tiny_game("bigan").eval()
    for parameter in game.networks["mean"].parameters():
        nn.init.constant_(parameter, torch.nan)
    pictures.draw(game, reference, tmp_path)
    assert len(np.load(tmp_path / "embedding.npz")["xy"]) == 0
    assert (tmp_path / "neighbours.png").exists()
