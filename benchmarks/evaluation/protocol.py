"""The frozen protocol: what is measured on how much, with which extractor.

Changing anything that moves a number changes `VERSION`, and the baseline and the published results
are made again in the same commit. Results of another version are evaluated again, never retrained.
"""

from dataclasses import dataclass

VERSION = "2"
LIGHT_VERSION = "1"
"""Of the light evaluations during training; they are not made again for a new `VERSION`."""
COORDINATES = "coordinates"
"""In the place of an extractor where the data is points of a known mixture: seen as they are."""


@dataclass(frozen=True)
class Protocol:
    """Sizes for one dataset.

    Attributes:
        extractor: name of the feature extractor, with the digest of its file; or `COORDINATES`.
        samples: generated images for FID, KID and IS, and latents for the latent error.
        light_samples: the same for the light evaluations during training.
        norm_batches: batches of `norm_batch_size` over which batch-norm statistics are recomputed.

    """

    extractor: str
    samples: int
    light_samples: int
    norm_batches: int
    norm_batch_size: int = 128

    @property
    def of_points(self) -> bool:
        """Whether the data is points of a known mixture, not images."""
        return self.extractor == COORDINATES


PROTOCOLS = {
    # As many fakes as real images: there are no more to compare with.
    "digits": Protocol("digits-hybrid-v1-b48e624c", 1297, 500, norm_batches=100),
    "mnist": Protocol("mnist-hybrid-v1-23759bf0", 10_000, 2_000, norm_batches=100),
    "gaussians": Protocol(COORDINATES, 10_000, 2_000, norm_batches=100),
}
