"""CIFAR-10 and CIFAR-100 as their authors give them: download, archive, what was unpacked, or class folders."""

from __future__ import annotations

import hashlib
import pickle
import shutil
import tarfile
import urllib.error
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from support.images import prepared_anew, refused

from vitflow.data import prepare as prepare_module
from vitflow.data.prepare import prepare
from vitflow.machine.compat import import_torchvision
from vitflow.study.dataset import Dataset


@pytest.fixture(params=["cifar10", "cifar100"])
def official(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> tuple[Dataset, Path, Path]:
    """(data set, archive in the official format with two training images a class, class folder of the same images).

    torchvision's checksums and our published figures are replaced by those of this miniature.
    """
    name = request.param
    import_torchvision()
    from torchvision import datasets

    source = getattr(datasets, name.upper())
    number = {"cifar10": 10, "cifar100": 100}[name]
    classes = prepare_module.CLASSES.get(name) or [f"class{i:02}" for i in range(number)]
    numbers = np.random.default_rng(0)
    unpacked, tree = Path("official", source.base_folder), Path("tree", name)
    unpacked.mkdir(parents=True)

    def store(file: str, content: object) -> str:
        (unpacked / file).write_bytes(pickle.dumps(content))
        return hashlib.md5((unpacked / file).read_bytes()).hexdigest()

    def batch(file: str, split: str) -> list[str]:
        labels = numbers.permutation(number)
        images = numbers.integers(0, 256, (number, 3, 32, 32), dtype=np.uint8)
        for label, image in zip(labels, images, strict=True):
            target = tree / split / classes[label] / f"{file}.png"
            target.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(image.transpose(1, 2, 0)).save(target)
        key = "labels" if name == "cifar10" else "fine_labels"
        return [file, store(file, {"data": images.reshape(number, -1), key: labels.tolist()})]

    monkeypatch.setattr(source, "train_list", [batch("data_1", "train"), batch("data_2", "train")])
    monkeypatch.setattr(source, "test_list", [batch("test", "test")])
    meta = {"filename": "meta", "key": source.meta["key"], "md5": store("meta", {source.meta["key"]: classes})}
    monkeypatch.setattr(source, "meta", meta)
    archive = Path("archive", source.filename)
    archive.parent.mkdir()
    with tarfile.open(archive, "w:gz") as handle:
        handle.add(unpacked, source.base_folder)
    monkeypatch.setattr(source, "tgz_md5", hashlib.md5(archive.read_bytes()).hexdigest())
    monkeypatch.setitem(prepare_module.PER_CLASS, name, {"train": 2, "test": 1})
    monkeypatch.setattr(prepare_module, "DIGESTS", {})
    monkeypatch.setattr("torchvision.datasets.cifar.download_and_extract_archive", no_network)
    return Dataset(name=name), archive, tree


def no_network(*_: object, **__: object) -> None:
    raise urllib.error.URLError("no network")


def test_official_archive_unpacked_folder_and_class_folder_give_the_same_bytes(
    official: tuple[Dataset, Path, Path],
) -> None:
    dataset, archive, tree = official
    (unpacked,) = Path("official").iterdir()
    results = [
        prepared_anew(dataset.model_copy(update={"path": str(path)}))
        for path in (tree, archive, archive.parent, unpacked, unpacked.parent)
    ]
    assert set(results[0]) == {".safetensors", ".json"}
    assert all(result == results[0] for result in results)


def test_without_a_local_copy_the_archive_is_downloaded_into_data_raw(
    official: tuple[Dataset, Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset, archive, tree = official
    expected = prepared_anew(dataset.model_copy(update={"path": str(tree)}))

    def download(url: str, root: Path, filename: str, md5: str) -> None:
        assert filename == archive.name and url.endswith(filename)
        with tarfile.open(archive) as handle:
            handle.extractall(root)

    monkeypatch.setattr("torchvision.datasets.cifar.download_and_extract_archive", download)
    assert prepared_anew(dataset) == expected
    assert Path("data/raw").is_dir()


def test_a_failed_download_says_where_to_get_the_archive(official: tuple[Dataset, Path, Path]) -> None:
    dataset, archive, _ = official
    refused(dataset, "download failed", "no network", "https://", archive.name, "dataset.path")


def test_damaged_official_files_are_named(official: tuple[Dataset, Path, Path]) -> None:
    dataset, archive, _ = official
    archive.write_bytes(archive.read_bytes()[:-50])
    refused(dataset.model_copy(update={"path": str(archive)}), str(archive), "md5", "download it again")
    (unpacked,) = Path("official").iterdir()
    (unpacked / "data_2").write_bytes(b"cut short")
    refused(dataset.model_copy(update={"path": str(unpacked)}), str(unpacked), "md5", "unpack")


def test_incomplete_renamed_or_altered_published_images_are_refused(
    official: tuple[Dataset, Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset, _, tree = official
    dataset = dataset.model_copy(update={"path": str(tree)})
    found = prepare(dataset)["digests"]["test"]
    shutil.rmtree("data")
    monkeypatch.setattr(prepare_module, "DIGESTS", {dataset.name: {"test": "5" * 64}})
    refused(dataset, str(tree), f"expected digest {'5' * 64}", f"found {found}")
    image = next((tree / "train").rglob("*.png"))
    image.unlink()
    refused(dataset, str(tree), f"1 train images of '{image.parent.name}'", "expected 2")


@pytest.mark.parametrize("official", ["cifar10"], indirect=True)
def test_cifar10_folders_must_have_the_published_names(
    official: tuple[Dataset, Path, Path],
) -> None:
    dataset, _, tree = official
    for split in ("train", "test"):
        (tree / split / "truck").rename(tree / split / "trucks")
    refused(dataset.model_copy(update={"path": str(tree)}), "'trucks'", "'truck'")
