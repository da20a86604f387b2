"""Datasets: pinned content, ranges, batches, and readable errors for bad files."""

import hashlib
import os
import re
from pathlib import Path

import pytest
import torch
from sklearn.datasets import load_digits
from torchvision.datasets import MNIST

from datasets import mnist
from datasets.images import ImageSet, Split, content_digest, to_range, to_uint8
from datasets.loading import load
from datasets.registry import DATASETS, DatasetError

NEEDS_MNIST = pytest.mark.skipif("BIGAN_DATA" not in os.environ, reason="$BIGAN_DATA is not set")
AVAILABLE = ["digits", pytest.param("mnist", marks=[NEEDS_MNIST, pytest.mark.mnist])]


@pytest.mark.parametrize("name", AVAILABLE)
def test_content_is_what_the_registry_says(name: str) -> None:
    info, images = DATASETS[name], load(name, None, offline=True)
    for split, n in ((images.train, info.train), (images.test, info.test)):
        assert split.images.shape == (n, *info.image_shape)
        assert split.images.dtype == torch.uint8
        assert split.labels.dtype == torch.int64
        assert set(split.labels.tolist()) == set(range(info.classes))
    assert images.train.images.max() == 255
    assert images.train.images.min() == 0


def test_digits_splits_hold_every_image_once_and_are_stratified() -> None:
    images = load("digits")
    whole = torch.from_numpy(load_digits().images)
    found = torch.cat([split.images for split in (images.train, images.test)]).squeeze(1)
    expected = (whole * (255 / 16)).round().to(torch.uint8)
    ours, theirs = (sorted(map(tuple, part.flatten(1).tolist())) for part in (found, expected))
    assert ours == theirs  # so none is in both splits
    share = images.test.labels.bincount() / images.train.labels.bincount()
    assert (share.max() - share.min()).item() < 0.02


def test_changed_content_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    good = load("digits")
    pixels = good.train.images.clone()
    pixels[0, 0, 0, 0] ^= 1
    changed = ImageSet("digits", Split(pixels, good.train.labels), good.test)
    assert content_digest(changed) != content_digest(good)
    monkeypatch.setattr("datasets.digits.load", lambda root, offline: changed)
    with pytest.raises(DatasetError, match="content of dataset 'digits' has changed"):
        load("digits")


def test_batches_follow_their_generator() -> None:
    train = load("digits").train
    first, second = (torch.Generator().manual_seed(1) for _ in range(2))
    x, y = train.draw(7, first)
    again, _ = train.draw(7, second)
    assert torch.equal(x, again)
    assert not torch.equal(x, train.draw(7, first)[0])
    match = (train.images == x[3]).flatten(1).all(1).nonzero()[0, 0]
    assert train.labels[match] == y[3]


def test_every_image_can_be_drawn() -> None:
    """The first and the last too, each about as often: within 4.5 standard deviations."""
    places = 200
    numbered = Split(torch.arange(places).view(-1, 1, 1, 1), torch.arange(places) + 1000)
    images, labels = numbered.draw(100 * places, torch.Generator().manual_seed(0))
    assert torch.equal(images.flatten() + 1000, labels)
    counts = images.flatten().bincount(minlength=places)
    assert len(counts) == places
    assert (counts - 100).abs().max() < 45


def test_pixel_conversions() -> None:
    pixels = torch.arange(256, dtype=torch.uint8).view(1, 1, 16, 16)
    x = to_range(pixels)
    assert (x.min().item(), x.max().item()) == (-1, pytest.approx(1))
    assert torch.equal(to_uint8(x), pixels)
    assert to_range(pixels, 0, 1).max().item() == pytest.approx(1)
    assert to_uint8(torch.tensor([-3.0, 3.0])).tolist() == [0, 255]  # no wrap-around
    with pytest.raises(ValueError, match="non-finite"):
        to_uint8(torch.tensor([float("nan")]))


def raw_folder(root: Path) -> Path:
    folder = root / "MNIST" / "raw"
    folder.mkdir(parents=True)
    for name in mnist.MD5:
        (folder / name).write_bytes(b"truncated")
    return folder


def test_a_damaged_mnist_file_is_named(tmp_path: Path) -> None:
    folder = raw_folder(tmp_path)
    with pytest.raises(DatasetError, match="train-images-idx3-ubyte is damaged") as error:
        load("mnist", tmp_path)
    assert str(folder) in str(error.value)


def test_missing_mnist_says_where_to_put_it(tmp_path: Path) -> None:
    with pytest.raises(DatasetError) as error:
        load("mnist", tmp_path, offline=True)
    for part in (str(tmp_path / "MNIST" / "raw"), *mnist.MD5, "--suite digits", "--data"):
        assert part in str(error.value)


def test_an_explicit_folder_is_the_only_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    raw_folder(tmp_path / "elsewhere")
    monkeypatch.setenv("BIGAN_DATA", str(tmp_path / "elsewhere"))
    with pytest.raises(DatasetError, match="is not in") as error:
        load("mnist", tmp_path / "empty")  # not even a download is tried
    assert "elsewhere" not in str(error.value)


def test_environment_variable_comes_before_the_folder_data(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    raw_folder(tmp_path / "elsewhere")
    monkeypatch.setenv("BIGAN_DATA", str(tmp_path / "elsewhere"))
    with pytest.raises(DatasetError, match="damaged"):
        load("mnist", None, offline=True)


def test_a_failed_download_is_one_message(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(root: str, download: bool = False, train: bool = True) -> None:
        raise RuntimeError("Error downloading train-images-idx3-ubyte.gz")

    monkeypatch.delenv("BIGAN_DATA", raising=False)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(mnist, "MNIST", fail)
    with pytest.raises(DatasetError, match="The download failed"):
        load("mnist")


def test_pinned_digests_are_of_uncompressed_files() -> None:
    """The library knows the same four files compressed, by other digests."""
    compressed = {name.removesuffix(".gz"): digest for name, digest in MNIST.resources}
    assert compressed.keys() == mnist.MD5.keys()
    for name, digest in mnist.MD5.items():
        assert re.fullmatch("[0-9a-f]{32}", digest)
        assert digest != compressed[name]


@NEEDS_MNIST
@pytest.mark.mnist
def test_pinned_digests_are_those_of_the_files() -> None:
    raw = Path(os.environ["BIGAN_DATA"]) / "MNIST" / "raw"
    for name, digest in mnist.MD5.items():
        assert hashlib.md5((raw / name).read_bytes()).hexdigest() == digest
