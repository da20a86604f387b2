"""The evaluation of points of a known mixture: no extractor and no pictures, but its modes.

The same things as for images (see `evaluators`). A game is scored in the same mode, on the same
latents.
"""

from collections.abc import Collection, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from benchmarks.common.files import whole
from benchmarks.evaluation.control_rows import UNTRAINED, Measured, measured
from benchmarks.evaluation.measures import Lazy, Measures, Row, given, measure, merged
from benchmarks.evaluation.metrics import modes, reconstruction
from benchmarks.evaluation.protocol import PROTOCOLS, Protocol
from benchmarks.evaluation.scoring import mapped, prior_draws, scoring_copy
from datasets.gaussians import STD, centres, coordinates
from datasets.images import ImageSet, Split, to_range
from zoo.game import Game

DRAWN = 2000
"""Points of each kind in the picture."""
NOISE_SEED = 7


class PointReference:
    """A dataset of points and its protocol; nothing of it is worth a cache.

    Args:
        images: the dataset, on the device of the evaluation.

    """

    def __init__(self, images: ImageSet) -> None:
        self.images = images
        self.protocol: Protocol = PROTOCOLS[images.name]
        self.device = images.train.images.device
        self.train = Split(images.train.images.cpu(), images.train.labels.cpu())
        self.test = Split(images.test.images.cpu(), images.test.labels.cpu())
        self.test_x = to_range(self.test.images)


def evaluate(
    copy: Game, reference: PointReference, only: Collection[str] | None = None
) -> dict[str, Row]:
    """Evaluate a scoring copy: "" -> what was measured; what it cannot do leaves metrics out.

    Args:
        copy: a scoring copy of a trained game, on the reference's device.
        reference: the dataset.
        only: names of the metrics wanted; all if not given.

    """
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        draws, test = reference.protocol.samples, reference.test_x
        return {"": measure(_measures(copy, reference, draws, test), only)}


def evaluate_light(copy: Game, reference: PointReference) -> dict[str, float]:
    """Evaluate a scoring copy on fewer points: modes, reconstruction ratio, latent error."""
    n = reference.protocol.light_samples
    wanted = ("modes_covered", "reconstruction_ratio", "latent_error")
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        return measure(_measures(copy, reference, n, reference.test_x[:n]), wanted).metrics


def evaluate_controls(reference: PointReference, untrained: Sequence[Game]) -> Measured:
    """Measure every control row of points, once per repetition.

    Args:
        reference: the dataset.
        untrained: games as they are before their first step, one per seed, at least one.

    """
    x, n = reference.test_x, reference.protocol.samples
    mean = to_range(reference.train.images).mean(0, keepdim=True)
    single: dict[str, list[Measures]] = {
        "real_test": [of_samples(given(x))],
        "noise": [of_samples(given(_noise(n, x)))],
        "mean_point": [
            of_samples(given(mean.expand(n, *x.shape[1:]))),
            of_reconstructions(x, given(mean.expand_as(x))),
        ],
        # Two places on: the ratio's own baseline is the point one place on.
        "random_pair": [of_reconstructions(x, given(x.roll(-2, dims=0)))],
        "nearest_mode": [of_reconstructions(x, given(_at_modes(x)))],
    }
    rows = {name: [measure(merged(*parts))] for name, parts in single.items()}
    copies = (scoring_copy(game, reference.images.train, reference.protocol) for game in untrained)
    rows[UNTRAINED] = [evaluate(copy, reference)[""] for copy in copies]
    return measured(rows, {"real_test": len(x)})


def of_samples(x: Lazy) -> Measures:
    """Measure points in [-1, 1], (N, 2, 1, 1), as samples."""
    points = cache(lambda: coordinates(x()))
    return {
        "modes_covered": lambda: modes.modes_covered(points(), centres()),
        "on_modes": lambda: modes.on_modes(points(), centres(), STD),
        "mode_kl": lambda: modes.mode_kl(points(), centres()),
    }


def of_reconstructions(x: Tensor, r: Lazy) -> Measures:
    """Measure reconstructions r of points x, both (N, 2, 1, 1) in [-1, 1]."""
    own, points = coordinates(x), cache(lambda: coordinates(r()))
    return {
        "mode_kept": lambda: modes.mode_kept(own, points(), centres()),
        "reconstruction_distance": lambda: modes.reconstruction_distance(own, points()),
        "reconstruction_ratio": lambda: reconstruction.distance_ratio(
            "reconstruction_ratio", own, points()
        ),
    }


@torch.no_grad()
def draw(copy: Game, reference: PointReference, folder: Path) -> None:
    """Write points.npz: coordinates of test points, and of samples and reconstructions if any.

    Args:
        copy: a scoring copy on the reference's device.
        reference: the dataset.
        folder: the run's folder.

    """
    able, x = copy.capabilities, reference.test_x[:DRAWN]
    found = {"real": x}
    if {"sample_prior", "generate"} <= able:
        found["samples"] = mapped(copy.generate, prior_draws(copy, DRAWN), reference.device)
    if "reconstruct" in able:
        found["reconstructions"] = mapped(copy.reconstruct, x, reference.device)
    arrays: dict[str, Any] = {n: coordinates(p).float().numpy() for n, p in found.items()}
    with whole(folder / "points.npz") as draft, draft.open("wb") as file:
        np.savez_compressed(file, **arrays)


def _measures(copy: Game, reference: PointReference, draws: int, test: Tensor) -> Measures:
    """Return everything that can be measured of a game, lazily."""
    able, device = copy.capabilities, reference.device
    parts: list[Measures] = []
    if {"sample_prior", "generate"} <= able:
        z = prior_draws(copy, draws)
        x = cache(lambda: mapped(copy.generate, z, device))
        parts.append(of_samples(x))
        if "encode" in able:
            recovered = cache(lambda: mapped(copy.encode, x(), device))
            parts.append({"latent_error": lambda: reconstruction.latent_error(z, recovered())})
    if "reconstruct" in able:
        parts.append(
            of_reconstructions(test, cache(lambda: mapped(copy.reconstruct, test, device)))
        )
    return merged(*parts)


def _noise(n: int, like: Tensor) -> Tensor:
    """Return points drawn evenly from the whole square."""
    generator = torch.Generator().manual_seed(NOISE_SEED)
    return torch.rand(n, *like.shape[1:], generator=generator) * 2 - 1


def _at_modes(x: Tensor) -> Tensor:
    """Return each point's nearest mode: what is left if nothing but the mode is kept."""
    places = centres()[modes.nearest_modes(coordinates(x), centres())[1]]
    scale = coordinates(torch.ones(1, 2, 1, 1))
    return (places / scale).float().view_as(x)
