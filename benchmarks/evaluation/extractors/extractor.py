"""Our own feature extractors: networks that classify and reconstruct from one linear bottleneck.

A plain classifier's features collapse within each class, and a Fréchet distance on them ranks ten
repeated images above a slight blur. A bottleneck that must also reconstruct keeps what classes
leave out.
"""

import hashlib
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor, nn

FOLDER = Path(__file__).parent
BATCH = 100
"""Fixed, so that rounding never depends on how many images are given."""


class HybridExtractor(nn.Module):
    """Three convolution blocks, a linear bottleneck of d features, and a linear classifier on it.

    Args:
        image_shape: (channels, height, width).
        width: d, the number of features.
        classes: number of classes.

    """

    def __init__(self, image_shape: tuple[int, int, int], width: int, classes: int) -> None:
        super().__init__()
        channels, size = image_shape[0], image_shape[1]
        layers: list[nn.Module] = []
        for out_channels in (32, 64, 64):
            layers += [nn.Conv2d(channels, out_channels, 3, padding=1, bias=False)]
            layers += [nn.BatchNorm2d(out_channels), nn.ReLU()]
            if size > 3:
                layers.append(nn.MaxPool2d(2))
                size //= 2
            channels = out_channels
        self.trunk = nn.Sequential(*layers, nn.Flatten())
        self.bottleneck = nn.Linear(channels * size * size, width)
        self.classifier = nn.Linear(width, classes)
        # Set after training: features have zero mean and unit mean square on the training set.
        self.shift: Tensor
        self.spread: Tensor
        self.register_buffer("shift", torch.zeros(width))
        self.register_buffer("spread", torch.ones(()))

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Map uint8 (N, C, H, W) to centred, scaled features (N, d) and logits (N, classes)."""
        if images.dtype != torch.uint8 or images.ndim != 4:
            raise ValueError(
                f"expected uint8 (N, C, H, W), got {images.dtype} {tuple(images.shape)}"
            )
        raw = self.raw(images)
        return (raw - self.shift) / self.spread, self.classifier(raw)

    def raw(self, images: Tensor) -> Tensor:
        """Return the bottleneck as trained, (N, d)."""
        x = (images.float() / 255).contiguous(memory_format=torch.channels_last)
        features: Tensor = self.bottleneck(self.trunk(x))
        return features


def file_digest(path: Path) -> str:
    """Return the first eight hexadecimal digits of a file's SHA-256, as in an extractor's name."""
    return hashlib.sha256(path.read_bytes()).hexdigest()[:8]


def load_extractor(name: str, device: torch.device) -> HybridExtractor:
    """Load a committed extractor, frozen, in eval mode.

    Args:
        name: `<dataset>-hybrid-v<n>-<digest>`.
        device: where it shall run.

    Raises:
        ValueError: the file is missing, or its content is not the one its name was made from.

    """
    path = FOLDER / f"{name}.safetensors"
    if not path.is_file() or file_digest(path) != name[-8:]:
        raise ValueError(f"{path} is missing or altered; restore it from version control")
    state = load_file(path)
    shape = tuple(int(n) for n in state.pop("image_shape"))
    classes, width = state["classifier.weight"].shape
    extractor = HybridExtractor((shape[0], shape[1], shape[2]), width, classes)
    extractor.load_state_dict(state)
    # channels_last: the convolutions' faster layout on a CPU and on a GPU
    extractor = extractor.eval().requires_grad_(False)
    return extractor.to(memory_format=torch.channels_last).to(device)


@torch.no_grad()
def extract(extractor: HybridExtractor, images: Tensor) -> tuple[Tensor, Tensor]:
    """Return features (N, d) and logits (N, classes) of uint8 images, on the CPU."""
    device = extractor.shift.device
    pairs = [extractor(batch.to(device)) for batch in torch.split(images, BATCH)]
    features, logits = zip(*pairs, strict=True)
    return torch.cat(features).cpu(), torch.cat(logits).cpu()
