"""The Inception path on random weights of the published format; nothing is downloaded."""

from io import BytesIO
from pathlib import Path
from urllib.error import URLError

import pytest
import torch
from torch import Tensor, nn

from benchmarks.common.errors import UserError
from benchmarks.evaluation.extractors import inception
from benchmarks.evaluation.extractors.extractor import file_digest
from benchmarks.evaluation.metrics import fidelity
from datasets.loading import load

CPU = torch.device("cpu")
IMAGES = 12
FILE = "weights-inception-2015-12-05-6726825d.pth"


class Blank(fidelity.FeatureExtractorInceptionV3):
    """The network with the weights it is initialised with."""

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        """Keep them."""


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    buffer = BytesIO()
    torch.save({}, buffer)
    buffer.seek(0)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = Blank("blank", ["2048"], feature_extractor_weights_path=buffer)
        for module in network.modules():
            if isinstance(module, nn.Conv2d):  # as initialised, the features would vanish
                nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
    path = tmp_path_factory.mktemp("weights") / FILE
    torch.save(network.state_dict(), path)
    return path


@pytest.fixture(scope="module")
def extractor(weights: Path) -> nn.Module:
    return inception.load_inception(weights, CPU, file_digest(weights))


@pytest.fixture(scope="module")
def images() -> Tensor:
    return load("digits").train.images[:IMAGES]


@pytest.fixture(scope="module")
def outputs(extractor: nn.Module, images: Tensor) -> tuple[Tensor, Tensor]:
    return inception.inception_features(extractor, images)


# features


def test_shapes_types_and_life(outputs: tuple[Tensor, Tensor]) -> None:
    features, logits = outputs
    assert features.shape == (IMAGES, 2048)
    assert logits.shape == (IMAGES, 1008)
    for x in outputs:
        assert x.dtype == torch.float32
        assert x.device == CPU
        assert x.isfinite().all()
        assert not x.requires_grad
        assert x.std(0).max() > 1e-3, "random weights answer the same to every image"


def test_logits_are_those_without_bias(
    extractor: nn.Module, outputs: tuple[Tensor, Tensor]
) -> None:
    features, logits = outputs
    assert torch.allclose(logits, features @ extractor.fc.weight.T, atol=1e-4)
    assert extractor.fc.bias.abs().max() > 1e-3


def test_grey_is_repeated_and_batches_and_random_state_do_not_matter(
    extractor: nn.Module,
    images: Tensor,
    outputs: tuple[Tensor, Tensor],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(inception, "BATCH", 2)
    state = torch.get_rng_state()
    colour = inception.inception_features(extractor, images[:5].expand(-1, 3, -1, -1))
    assert torch.equal(torch.get_rng_state(), state)
    for found, expected in zip(colour, outputs, strict=True):
        assert torch.allclose(found, expected[:5], rtol=1e-4, atol=1e-5)


def test_channels_are_told_apart(extractor: nn.Module, images: Tensor) -> None:
    red = torch.cat([images[:1], torch.zeros_like(images[:1]).expand(-1, 2, -1, -1)], 1)
    (red_features, _), (blue_features, _) = (
        inception.inception_features(extractor, x) for x in (red, red.flip(1))
    )
    assert not torch.allclose(red_features, blue_features, rtol=1e-2)


def test_layers_are_read_by_name_in_whatever_order(
    extractor: nn.Module,
    images: Tensor,
    outputs: tuple[Tensor, Tensor],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for order in (["logits_unbiased", "2048"], ["logits", "2048", "64", "logits_unbiased"]):
        monkeypatch.setattr(extractor, "features_list", order)
        found = inception.inception_features(extractor, images[:2])
        for x, expected in zip(found, outputs, strict=True):
            assert torch.allclose(x, expected[:2], rtol=1e-4, atol=1e-5)


def test_features_feed_the_metrics(
    extractor: nn.Module, images: Tensor, outputs: tuple[Tensor, Tensor]
) -> None:
    features, logits = outputs
    noise = torch.randint(
        256, images[:5].shape, dtype=torch.uint8, generator=torch.Generator().manual_seed(0)
    )
    others, _ = inception.inception_features(extractor, noise)
    narrow = features[:, :2].repeat(2, 1)  # FID takes ten samples per feature
    assert fidelity.fid(narrow, narrow) == pytest.approx(0, abs=1e-6)
    assert fidelity.fid(narrow + 1, narrow) == pytest.approx(2, abs=1e-5)
    assert fidelity.kid(others, features) > fidelity.kid(features[:5], features[5:])
    assert fidelity.precision_recall(others, features)[0] == 0
    assert 1 <= fidelity.inception_score(logits) < 1008
    with pytest.raises(ValueError, match="fid_inception needs at least 20480 samples"):
        fidelity.fid(features, features, name="fid_inception")


@pytest.mark.parametrize(
    "bad",
    [
        torch.zeros(2, 1, 8, 8),
        torch.zeros(2, 2, 8, 8, dtype=torch.uint8),
        torch.zeros(2, 8, 8, dtype=torch.uint8),
        torch.zeros(0, 1, 8, 8, dtype=torch.uint8),
    ],
    ids=["float", "two channels", "3-D", "none"],
)
def test_other_images_are_refused(extractor: nn.Module, bad: Tensor) -> None:
    with pytest.raises(ValueError, match=r"expected uint8|at least one image"):
        inception.inception_features(extractor, bad)


# loading


def test_loaded_network_is_frozen_named_and_leaves_the_random_state(
    weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    modes, original = [], torch.load

    def spy(file: object, **options: bool) -> object:
        modes.append((isinstance(file, BytesIO), options["weights_only"]))
        return original(file, **options)

    monkeypatch.setattr(torch, "load", spy)
    state = torch.get_rng_state()
    network = inception.load_inception(weights, CPU, file_digest(weights))
    assert torch.equal(torch.get_rng_state(), state)
    assert modes == [(False, True), (True, False)], "the file itself is read without pickle"
    assert network.name == f"inception-v3-compat-{file_digest(weights)}"
    assert not any(p.requires_grad for p in network.parameters())
    assert not any(m.training for m in network.modules())
    saved = original(weights, weights_only=True)
    assert all(torch.equal(t, saved[name]) for name, t in network.state_dict().items())


def test_another_digest_is_refused(weights: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=rf"{FILE} .* SHA-256 begins with .*, not 6726825d"):
        inception.load_inception(weights, CPU)
    cut = tmp_path / FILE
    cut.write_bytes(weights.read_bytes()[:-1000])
    with pytest.raises(UserError, match="is damaged"):
        inception.load_inception(cut, CPU, file_digest(weights))


def test_contents_that_are_not_the_weights_are_refused(weights: Path, tmp_path: Path) -> None:
    cut, text, other, number, code = (tmp_path / name for name in "abcde")
    cut.write_bytes(weights.read_bytes()[:100_000])
    text.write_text("<html>not found</html>")
    torch.save({"fc.weight": torch.zeros(3)}, other)
    torch.save(3, number)
    torch.save({"fc.weight": Path("an object, which only a pickle could restore")}, code)
    for path in (cut, text, other, number, code):
        with pytest.raises(UserError, match=f"{path} does not hold the weights of Inception"):
            inception.load_inception(path, CPU, file_digest(path))


# finding


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the file would be; no other place is searched, and a download is an error."""
    monkeypatch.setattr(torch.hub, "_hub_dir", None)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))

    def refuse(*arguments: object, **options: object) -> None:
        raise AssertionError("a download was tried")

    monkeypatch.setattr(torch.hub, "download_url_to_file", refuse)
    return tmp_path / "hub" / "checkpoints" / FILE


def test_named_file_wins_and_must_exist(place: Path, tmp_path: Path) -> None:
    place.parent.mkdir(parents=True)
    place.touch()
    named = tmp_path / "named.pth"
    with pytest.raises(UserError, match=f"--inception {named}"):
        inception.find_weights(named, offline=False)
    named.touch()
    assert inception.find_weights(named, offline=True) == named


def test_file_in_the_cache_is_found_without_a_download(place: Path) -> None:
    place.parent.mkdir(parents=True)
    place.touch()
    assert inception.find_weights(None, offline=False) == place


def test_offline_says_where_to_put_the_file(place: Path) -> None:
    with pytest.raises(UserError, match=f"not at {place} .*offline") as caught:
        inception.find_weights(None, offline=True)
    assert f"Put https://github.com/toshas/torch-fidelity/releases/download/v0.2.0/{FILE}" in str(
        caught.value
    )
    assert "--inception" in str(caught.value)


@pytest.mark.parametrize("failure", [URLError("no route"), RuntimeError("invalid hash value")])
def test_failed_download_leaves_nothing(
    place: Path, monkeypatch: pytest.MonkeyPatch, failure: Exception
) -> None:
    def download(url: str, target: str, hash_prefix: str, progress: bool) -> None:
        Path(target).write_bytes(b"wei")
        raise failure

    monkeypatch.setattr(torch.hub, "download_url_to_file", download)
    with pytest.raises(UserError, match=f"the download failed: .*{failure.args[0]}"):
        inception.find_weights(None, offline=False)
    assert list(place.parent.iterdir()) == []


def test_download_arrives_whole(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def download(url: str, target: str, hash_prefix: str, progress: bool) -> None:
        assert (url.rsplit("/", 1)[1], hash_prefix) == (FILE, "6726825d")
        assert not place.exists()
        Path(target).write_bytes(b"weights")

    monkeypatch.setattr(torch.hub, "download_url_to_file", download)
    assert inception.find_weights(None, offline=False) == place
    assert place.read_bytes() == b"weights"
    assert list(place.parent.iterdir()) == [place]
