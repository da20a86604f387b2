"""Control rows: what the metrics say of things that need no training.

Without them the table misleads: raw pixels and an untrained encoder already classify well, real
images do not reach an FID of 0, and the mean image reconstructs better than half of all guesses.
"""

from collections.abc import Sequence

import torch
from sklearn.decomposition import PCA
from torch import Tensor

from benchmarks.evaluation import questions as q
from benchmarks.evaluation.control_rows import UNTRAINED, Measured, measured
from benchmarks.evaluation.evaluate import evaluate, evaluate_anomaly, pixel_distance
from benchmarks.evaluation.measures import Measures, Row, given, measure, merged
from benchmarks.evaluation.metrics.samples import nearest
from benchmarks.evaluation.real_data import Real, Reference
from benchmarks.evaluation.scoring import scoring_copy
from datasets.images import Split, to_range, without_class
from zoo.game import Game

COST = ("generate_images_per_second", "encode_images_per_second")
SPLITS, SPLIT_SEED, NOISE_SEED, DRAW_SEED = 5, 4, 7, 8


def evaluate_controls(reference: Reference, untrained: Sequence[Game]) -> Measured:
    """Measure every control row of images, once per repetition.

    Args:
        reference: the dataset.
        untrained: games as they are before their first step, one per seed, at least one.

    """
    x, n = reference.test_x, reference.subset_size
    mean = to_range(reference.train.images).mean(0, keepdim=True)
    prior = untrained[0].prior
    assert prior is not None
    half = min(reference.protocol.samples, len(reference.train) // 2)
    pca = reconstructing_pca(reference.train, prior.dim)
    single: dict[str, list[Measures]] = {
        "real_test": [q.of_samples(lambda: x, reference, reference.real_of(len(x)))],
        "training_set": [q.of_samples(lambda: reference.real.subset, reference)],
        "noise": [q.of_samples(lambda: _noise(n, x), reference)],
        "raw_pixels": [_raw_pixels(reference)],
        "pca": [_pca(pca, reference)],
        "mean_image": [
            q.of_samples(lambda: mean.expand(n, *x.shape[1:]), reference),
            q.of_reconstructions(lambda: mean.expand_as(x), reference),
        ],
        # Two places on: the ratio's own baseline is the image one place on.
        "random_pair": [q.of_reconstructions(lambda: x.roll(-2, dims=0), reference)],
    }
    rows = {"real_train": _real_against_real(reference, half)}
    rows |= {name: [measure(merged(*parts))] for name, parts in single.items()}
    draws = [_draws(len(x), prior.dim, seed) for seed in range(SPLITS)]
    rows["prior_draws"] = [measure(q.of_prior_match(given(z))) for z in draws]
    rows[UNTRAINED] = [_untrained(game, reference) for game in untrained]
    numbers = {"real_train": half, "real_test": len(x), "pca": int(pca.n_components_)}
    return measured(rows, numbers)


def evaluate_anomaly_controls(reference: Reference, untrained: Sequence[Game]) -> Measured:
    """Measure the same for the anomaly score, one repetition per game, which leaves out its class.

    Args:
        reference: the dataset.
        untrained: the game of index i is asked about class i.

    """
    rows: dict[str, list[Row]] = {"raw_pixels": [], "pca": [], UNTRAINED: []}
    x, labels = reference.test_x, reference.test.labels
    for left_out, game in enumerate(untrained):
        train = without_class(reference.images.train, left_out)
        copy = scoring_copy(game, train, reference.protocol)
        rows[UNTRAINED].append(evaluate_anomaly(copy, reference, train, left_out))
        pixels = to_range(train.images).cpu()
        assert game.prior is not None
        pca = reconstructing_pca(Split(train.images.cpu(), train.labels), game.prior.dim)
        distances = {
            "raw_pixels": ("auroc_nearest_features", nearest(x, pixels)[0][:, 0]),
            "pca": ("auroc_reconstruction", pixel_distance(x, reconstructed(pca, x))),
        }
        for name, (metric, far) in distances.items():
            measures = q.of_anomalies({metric: given(far)}, labels, left_out)
            rows[name].append(measure(measures))
    return measured(rows, {})


def reconstructing_pca(train: Split, dimensions: int) -> PCA:
    """Return the principal components of training images in [-1, 1]."""
    pixels = to_range(train.images).flatten(1).numpy()
    return PCA(min(dimensions, pixels.shape[1]), svd_solver="covariance_eigh").fit(pixels)


def reconstructed(pca: PCA, x: Tensor) -> Tensor:
    """Return images in [-1, 1] after the way through principal components."""
    back = pca.inverse_transform(pca.transform(x.flatten(1).numpy()))
    return torch.from_numpy(back).float().clamp(-1, 1).view_as(x)


def _pca(pca: PCA, reference: Reference) -> Measures:
    def codes(images: Tensor) -> Tensor:
        return torch.from_numpy(pca.transform(images.flatten(1).numpy())).float()

    train = codes(to_range(reference.train.images))
    test = codes(reference.test_x)
    return merged(
        q.of_representation(lambda: train, lambda: test, "code", reference),
        q.of_code(lambda: train, lambda: test, reference, None),
        q.of_reconstructions(lambda: reconstructed(pca, reference.test_x), reference),
    )


def _raw_pixels(reference: Reference) -> Measures:
    train, test = (to_range(s.images).flatten(1) for s in (reference.train, reference.test))
    return q.of_representation(lambda: train, lambda: test, "features", reference)


def _untrained(game: Game, reference: Reference) -> Row:
    copy = scoring_copy(game, reference.images.train, reference.protocol)
    row = evaluate(copy, reference)[""]
    row.metrics = {name: value for name, value in row.metrics.items() if name not in COST}
    return row


def _noise(n: int, like: Tensor) -> Tensor:
    generator = torch.Generator().manual_seed(NOISE_SEED)
    return torch.rand(n, *like.shape[1:], generator=generator) * 2 - 1


def _draws(n: int, dimensions: int, seed: int) -> Tensor:
    generator = torch.Generator().manual_seed(DRAW_SEED + 1000 * seed)
    return torch.randn(n, dimensions, generator=generator, dtype=torch.double)


def _real_against_real(reference: Reference, n: int) -> list[Row]:
    """Measure n training images against all the others, for several random splits."""
    images, features = reference.train.images, reference.train_features
    generator = torch.Generator().manual_seed(SPLIT_SEED)
    rows = []
    for _ in range(SPLITS):
        order = torch.randperm(len(images), generator=generator)
        chosen, others = order[:n], order[n:]
        real = Real(images[others], features[others], reference.test_x, n)
        real.hf_share = reference.real.hf_share[others]
        x = to_range(images[chosen])
        rows.append(measure(q.of_samples(given(x), reference, real)))
    return rows
