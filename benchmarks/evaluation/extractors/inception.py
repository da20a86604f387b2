"""Inception features of colour or grey images, as torch-fidelity's `inception-v3-compat`.

The weights are a file of 95 MB which is not part of this project. It is taken only if its digest is
the pinned one, and read without executing anything in it.
"""

import pickle
from http.client import HTTPException
from pathlib import Path
from typing import cast

import torch
from torch import Tensor, nn

from benchmarks.common.errors import UserError
from benchmarks.common.files import whole
from benchmarks.evaluation.extractors.extractor import file_digest
from benchmarks.evaluation.metrics.fidelity import INCEPTION_URL, inception_network

DIGEST = "6726825d"
"""The first eight hexadecimal digits of the weights' SHA-256."""
FEATURES, LOGITS = "2048", "logits_unbiased"
BATCH = 64
"""Fixed, so that rounding hardly depends on how many images are given."""


def find_weights(path: Path | None, offline: bool) -> Path:
    """Return the weights file; its content is checked when it is loaded.

    Args:
        path: the only place searched, if given; else torch.hub's folder of checkpoints, then
            a download into it.
        offline: never download.

    Raises:
        UserError: the file is missing and may not or cannot be downloaded.

    """
    if path is not None:
        if not path.is_file():
            raise UserError(f"--inception {path}: there is no such file")
        return path
    place = Path(torch.hub.get_dir()) / "checkpoints" / INCEPTION_URL.rsplit("/", 1)[1]
    if place.is_file():
        return place
    if offline:
        raise _missing(place, "and may not be downloaded offline")
    try:
        with whole(place) as draft:
            torch.hub.download_url_to_file(INCEPTION_URL, str(draft), DIGEST, progress=False)
    except (OSError, RuntimeError, HTTPException) as error:
        raise _missing(place, f"and the download failed: {error}") from error
    return place


def _missing(place: Path, reason: str) -> UserError:
    return UserError(
        f"the Inception weights are not at {place} {reason}.\n"
        f"Put {INCEPTION_URL} there,\nor name a copy of it with --inception"
    )


def load_inception(path: Path, device: torch.device, digest: str = DIGEST) -> nn.Module:
    """Load the extractor, frozen, in eval mode; its `name` is `inception-v3-compat-<digest>`.

    Args:
        path: the weights, as `find_weights` returns them.
        device: where it shall run.
        digest: the first eight hexadecimal digits that the file's SHA-256 must have.

    Raises:
        UserError: the file has another digest, or does not hold the network's weights.

    """
    if (found := file_digest(path)) != digest:
        raise UserError(
            f"{path} is damaged or holds other weights: its SHA-256 begins with {found}, not "
            f"{digest}.\nDelete it, or name an intact copy with --inception"
        )
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
        extractor = inception_network(f"inception-v3-compat-{digest}", [FEATURES, LOGITS], state)
    except (RuntimeError, EOFError, pickle.UnpicklingError, TypeError, ValueError) as error:
        # The cause is long, and PyTorch's advice in it is to allow code in the file.
        raise UserError(
            f"{path} does not hold the weights of Inception ({type(error).__name__}).\n"
            "Name an intact copy with --inception"
        ) from error
    return extractor.to(device)


@torch.no_grad()
def inception_features(extractor: nn.Module, images: Tensor) -> tuple[Tensor, Tensor]:
    """Return features (N, 2048) and unbiased logits (N, 1008), float32 on the CPU.

    On a GPU, TF32 must be off, as it is once a `Reference` exists.

    Args:
        extractor: as `load_inception` returns it, on any device.
        images: uint8 (N, C, H, W) with C = 3, or C = 1 (the channel is repeated), on any device;
            they are resized to 299 x 299 as TensorFlow 1 does it.

    Raises:
        ValueError: anything else, or no image.

    """
    if images.dtype != torch.uint8 or images.ndim != 4 or images.shape[1] not in (1, 3):
        raise ValueError(
            f"expected uint8 (N, 1 or 3, H, W), got {images.dtype} {tuple(images.shape)}"
        )
    if len(images) == 0:
        raise ValueError("Inception features need at least one image")
    device = next(extractor.parameters()).device
    pairs = [_pair(extractor, batch.to(device)) for batch in torch.split(images, BATCH)]
    features, logits = zip(*pairs, strict=True)
    return torch.cat(features), torch.cat(logits)


def _pair(extractor: nn.Module, batch: Tensor) -> tuple[Tensor, Tensor]:
    outputs = extractor(batch.expand(-1, 3, -1, -1))
    # By name: the outputs come in the order in which layers were requested.
    layers = dict(zip(cast(list[str], extractor.features_list), outputs, strict=True))
    return layers[FEATURES].float().cpu(), layers[LOGITS].float().cpu()
