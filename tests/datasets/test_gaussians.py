"""The 25 Gaussians: where they lie, how they are stretched, and that nothing is lost on the way."""

import numpy as np
import pytest
import torch

from datasets.gaussians import AXIS, HALF_SIDE, STD, centres, coordinates, stretched
from datasets.images import ImageSet, to_range
from datasets.loading import load
from datasets.registry import DATASETS
from zoo.networks import ali_toy_paper


@pytest.fixture(scope="module")
def points() -> ImageSet:
    return load("gaussians")


def test_the_modes_are_a_grid() -> None:
    assert AXIS == (-4, -2, 0, 2, 4)
    assert centres().shape == (25, 2)
    assert centres()[0].tolist() == [-4, -4]
    assert centres()[7].tolist() == [-2, 0]
    assert centres()[24].tolist() == [4, 4]


def test_shapes_are_those_of_the_registry(points: ImageSet) -> None:
    info = DATASETS["gaussians"]
    for split, n in ((points.train, info.train), (points.test, info.test)):
        assert split.images.shape == (n, *info.image_shape)
        assert split.images.dtype == torch.float32
        assert set(split.labels.tolist()) == set(range(info.classes))


def test_every_mode_has_its_share_place_and_spread(points: ImageSet) -> None:
    found = coordinates(to_range(points.train.images))
    assert points.train.labels.bincount().min() > 4000 - 5 * (4000 * 0.96) ** 0.5
    for label, centre in enumerate(centres()):
        own = found[points.train.labels == label]
        assert torch.allclose(own.mean(0), centre, atol=5 * STD / 3800**0.5)
        assert torch.allclose(own.std(0), torch.tensor(STD).double(), rtol=0.06)
    residue = found - centres()[points.train.labels]
    assert abs(float(torch.corrcoef(residue.T)[0, 1])) < 0.02
    within = (residue.norm(dim=1) <= 3 * STD).double().mean()
    assert float(within) == pytest.approx(1 - np.exp(-4.5), abs=0.002)


def test_training_sees_the_coordinates_themselves(points: ImageSet) -> None:
    known = np.array([[-5.0, 5.0], [0.0, 2.5], [-4.05, 1.95]])
    levels = torch.from_numpy(stretched(known))
    assert levels[:2].flatten().tolist() == [0, 255, 127.5, 191.25]
    seen = to_range(levels, *ali_toy_paper.IMAGE_RANGE).flatten(1)
    assert torch.allclose(seen.double(), torch.from_numpy(known), atol=1e-6)
    assert torch.allclose(coordinates(to_range(levels)), torch.from_numpy(known), atol=1e-6)
    assert ali_toy_paper.IMAGE_RANGE == (-HALF_SIDE, HALF_SIDE)
    assert points.train.images.min() > 0
    assert points.train.images.max() < 255
