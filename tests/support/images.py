"""Made-up images, written as sources of a data set, and what is prepared of them in the current folder."""

from __future__ import annotations

import errno
import hashlib
import os
import random
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from vitflow.data.prepare import prepare
from vitflow.data.raw import DataError
from vitflow.data.splits import Data
from vitflow.study.dataset import Dataset

SIZE = 6


#: {split: {class: [image uint8 [H, W, C]]}}
Images = dict[str, dict[str, list[np.ndarray]]]


def make_images(train: int = 6, test: int = 3, channels: int = 3, seed: int = 0, size: int = SIZE) -> Images:
    numbers = np.random.default_rng(seed)
    shape = (size, size, channels)
    return {
        split: {
            name: [numbers.integers(0, 256, shape, dtype=np.uint8) for _ in range(count)] for name in ("cat", "dog")
        }
        for split, count in (("train", train), ("test", test))
    }


def write_tree(root: Path, images: Images, suffix: str = ".png", shuffle: int | None = None) -> Path:
    """A class folder of the images; ``shuffle`` gives other file names and another order of writing."""
    for split, classes in images.items():
        for name, members in classes.items():
            folder = root / split / name
            folder.mkdir(parents=True)
            numbered = list(enumerate(members))
            if shuffle is not None:
                random.Random(shuffle).shuffle(numbered)
            for i, (_, image) in enumerate(numbered):
                picture = Image.fromarray(image if image.shape[-1] == 3 else image[..., 0])
                picture.save(folder / f"{i}{suffix}", lossless=True)
    return root


def write_zip(archive: Path, tree: Path, only: str = "", prefix: str = "") -> Path:
    archive.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as handle:
        for file in sorted(tree.rglob("*.*"), reverse=True):
            if only in file.parts or not only:
                handle.write(file, prefix + str(file.relative_to(tree)))
    return archive


def source() -> Path:
    """The class folder that ``folder()`` names."""
    return write_tree(Path("source/pets"), make_images())


def folder(path: Path | str = "source/pets", /, **fields: object) -> Dataset:
    """The section ``dataset`` for such images."""
    shape = {"image_size": SIZE, "channels": 3, "classes": 2} | fields
    return Dataset.model_validate({"name": "folder", "path": str(path)} | shape)


#: names the files that are prepared from it
KEY = folder().key


def written() -> dict[str, bytes]:
    """Content of everything under data/, but for locks, downloads and notes on this machine."""
    files = [file for file in Path("data").glob("*") if file.is_file()]
    return {file.name: file.read_bytes() for file in files if not file.name.endswith((".lock", ".origin.json"))}


def prepared_anew(dataset: Dataset) -> dict[str, bytes]:
    """Content of what is prepared where nothing was before, by kind: ``.safetensors`` and ``.json``."""
    shutil.rmtree("data", ignore_errors=True)
    prepare(dataset)
    return {name.removeprefix(dataset.key): content for name, content in written().items()}


def refused(dataset: Dataset, *fragments: str, action: Callable[[Dataset], object] = prepare) -> str:
    """The one-line message with which a data set is refused; nothing may have been written."""
    before = written()
    with pytest.raises(DataError) as caught:
        action(dataset)
    message = str(caught.value)
    assert "\n" not in message and "object at 0x" not in message, message
    for fragment in fragments:
        assert fragment in message, message
    assert written() == before, "something was written"
    return message


def lock(monkeypatch: pytest.MonkeyPatch, place: Path) -> None:
    """Have the system say of ``place`` what it says of a folder of mode 0700 to all but its owner, and root."""

    def denied(function: Callable[..., object], itself: bool) -> Callable[..., object]:
        def call(path: object, *arguments: object, **options: object) -> object:
            if isinstance(path, str | os.PathLike):
                asked, kept = os.path.join(os.getcwd(), path), str(place.absolute())
                if asked.startswith(f"{kept}/") or (itself and asked == kept):
                    raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
            return function(path, *arguments, **options)

        return call

    for name in ("scandir", "listdir", "stat", "lstat"):
        monkeypatch.setattr(os, name, denied(getattr(os, name), itself=name.endswith("dir")))


def sha(image: np.ndarray) -> str:
    """sha256 of an image's pixels."""
    return hashlib.sha256(image.tobytes()).hexdigest()


def same(one: Data, other: Data) -> bool:
    """Whether a run would see no difference."""
    return all(
        torch.equal(getattr(getattr(one, split), field), getattr(getattr(other, split), field))
        for split in ("train", "validation", "test")
        for field in ("images", "labels")
    ) and (one.mean, one.std, one.classes, one.digest) == (other.mean, other.std, other.classes, other.digest)
