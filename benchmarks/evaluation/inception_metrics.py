"""FID, KID and IS on Inception features, for those who have its weights.

Comparable with published numbers only where those used as many samples of the same images; on
digit-like data Inception is the wrong network, and the dataset's own extractor is the one to read.
"""

from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from benchmarks.common.files import whole
from benchmarks.evaluation.extractors.inception import inception_features, load_inception
from benchmarks.evaluation.measures import Measures, Row, measure
from benchmarks.evaluation.metrics import fidelity
from benchmarks.evaluation.metrics.undefined import require
from benchmarks.evaluation.real_data import Reference
from benchmarks.evaluation.scoring import mapped, prior_draws
from datasets.images import to_uint8
from datasets.registry import DATASETS
from zoo.game import Game


class InceptionReference:
    """A dataset's real images as Inception sees them: statistics of all, features of the subset.

    Args:
        weights: the file of Inception's weights.
        reference: the dataset.
        cache: folder in which the result is kept.

    Raises:
        UserError: the weights are not the pinned ones.

    """

    def __init__(self, weights: Path, reference: Reference, cache: Path) -> None:
        self.reference = reference
        self.extractor = load_inception(weights, reference.device)
        self.name = str(self.extractor.name)
        digest = DATASETS[reference.images.name].digest[:16]
        kind = f"{self.name}-{digest}-{reference.subset_size}-{reference.device.type}"
        path = cache / f"{reference.images.name}-{kind}.safetensors"
        try:
            facts = load_file(path)
        except (OSError, SafetensorError):
            facts = self._compute()
            with whole(path) as draft:
                save_file(facts, draft)
        self.statistics = {"mu": facts["mu"].numpy(), "sigma": facts["sigma"].numpy()}
        self.subset_features = facts["subset"]

    def _compute(self) -> dict[str, Tensor]:
        real = self.reference.real
        features, _ = inception_features(self.extractor, real.images)
        statistics = fidelity.fid_statistics(features)
        facts = {name: torch.from_numpy(array) for name, array in statistics.items()}
        return facts | {"subset": features[real.order[: real.n]].contiguous()}

    def evaluate(self, copy: Game) -> Row:
        """Measure the samples of a scoring copy; nothing of a game that cannot generate."""
        if not {"sample_prior", "generate"} <= copy.capabilities:
            return Row()
        z = prior_draws(copy, self.reference.protocol.samples)
        with torch.random.fork_rng(devices=[]):
            return measure(self.measures(mapped(copy.generate, z, self.reference.device)))

    def measures(self, x: Tensor) -> Measures:
        """Return the measures of images in [-1, 1], (N, C, H, W)."""
        found: list[tuple[Tensor, Tensor]] = []

        def extracted() -> tuple[Tensor, Tensor]:
            if not found:
                finite = bool(torch.isfinite(x).all())
                require(finite, "every Inception metric", "needs finite images")
                found.append(inception_features(self.extractor, to_uint8(x)))
            return found[0]

        def fid() -> float:
            features = extracted()[0]
            n, d = features.shape
            require(n > d, "fid_inception", f"needs more than {d} samples, got {n}")
            generated = fidelity.fid_statistics(features)
            return fidelity.fid_of_statistics(generated, self.statistics)

        return {
            "fid_inception": fid,
            "kid_inception": lambda: fidelity.kid(
                extracted()[0], self.subset_features, name="kid_inception"
            ),
            "is_inception": lambda: fidelity.inception_score(extracted()[1], name="is_inception"),
        }
