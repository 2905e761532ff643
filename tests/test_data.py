"""Sources and the canonical form: the same bytes whatever the format, and one clear line where data is damaged."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import pickle
import random
import shutil
import tarfile
import threading
import urllib.error
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from filelock import FileLock
from PIL import Image
from safetensors.numpy import load_file

from vitflow.data import prepare as prepare_module
from vitflow.data.prepare import load, prepare
from vitflow.data.raw import DataError
from vitflow.data.splits import Data
from vitflow.machine.compat import import_torchvision
from vitflow.study.dataset import Dataset

CIFAR10 = Path(__file__).parents[1] / "../shared/data/cifar10"
SIZE = 6

#: {split: {class: [image uint8 [H, W, C]]}}
Images = dict[str, dict[str, list[np.ndarray]]]


@pytest.fixture(autouse=True)
def in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


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


def folder(path: Path | str = "source/pets", /, **fields: object) -> Dataset:
    shape = {"image_size": SIZE, "channels": 3, "classes": 2} | fields
    return Dataset.model_validate({"name": "folder", "path": str(path)} | shape)


def written() -> dict[str, bytes]:
    """Content of everything under data/, but for locks and downloads."""
    return {
        file.name: file.read_bytes() for file in Path("data").glob("*") if file.is_file() and file.suffix != ".lock"
    }


def prepared_anew(dataset: Dataset) -> dict[str, bytes]:
    shutil.rmtree("data", ignore_errors=True)
    prepare(dataset)
    return written()


def sha(image: np.ndarray) -> str:
    return hashlib.sha256(image.tobytes()).hexdigest()


# --------------------------------------------------------------------------------- canonical form


def tree_renamed(images: Images) -> Path:
    return write_tree(Path("b/pets"), images, shuffle=3)


def tree_webp(images: Images) -> Path:
    return write_tree(Path("b/pets"), images, ".webp")


def one_zip(images: Images) -> Path:
    return write_zip(Path("b/pets.zip"), write_tree(Path("tree"), images))


def one_zip_around_a_folder(images: Images) -> Path:
    return write_zip(Path("b/pets.zip"), write_tree(Path("tree"), images, ".webp"), prefix="pets-v1/")


def zip_per_class(images: Images) -> Path:
    tree = write_tree(Path("tree"), images, ".webp", shuffle=1)
    for name in ("dog", "cat"):
        write_zip(Path(f"b/pets/{name}.zip"), tree, only=name)
    return Path("b/pets")


def tree_with_clutter(images: Images) -> Path:
    root = write_tree(Path("b/pets"), images, ".PNG")
    for name in ("README.md", "train/.DS_Store", "train/cat/.DS_Store", "test/dog/Thumbs.db", "pets.zip"):
        (root / name).write_text("not an image")
    return root


@pytest.mark.parametrize(
    "write", [tree_renamed, tree_webp, one_zip, one_zip_around_a_folder, zip_per_class, tree_with_clutter]
)
def test_prepared_bytes_are_the_same_from_every_format(write: Callable[[Images], Path]) -> None:
    images = make_images()
    reference = prepared_anew(folder(write_tree(Path("a/pets"), images)))
    assert set(reference) == {"folder-pets.safetensors", "folder-pets.json"}
    assert prepared_anew(folder(write(images))) == reference


def test_images_are_sorted_by_class_then_content_hash() -> None:
    images = make_images()
    prepare(folder(write_tree(Path("source/pets"), images)))
    arrays = load_file("data/folder-pets.safetensors")
    for split, classes in images.items():
        expected = [image for name in ("cat", "dog") for image in sorted(classes[name], key=sha)]
        assert np.array_equal(arrays[f"{split}_images"], np.stack(expected))
        per_class = len(classes["cat"])
        assert arrays[f"{split}_labels"].tolist() == [0] * per_class + [1] * per_class
    assert {str(array.dtype) for array in arrays.values()} == {"uint8", "int64"}


def test_manifest_describes_the_data() -> None:
    images = make_images()
    manifest = prepare(folder(write_tree(Path("source/pets"), images)))
    text = Path("data/folder-pets.json").read_text()
    assert json.loads(text) == manifest and text == json.dumps(manifest, sort_keys=True, indent=1) + "\n"
    digests = {}
    for split, classes in images.items():
        lines = [f"{sha(image)} {index}\n" for index, name in enumerate(("cat", "dog")) for image in classes[name]]
        digests[split] = hashlib.sha256("".join(sorted(lines)).encode()).hexdigest()
    pixels = np.stack(images["train"]["cat"] + images["train"]["dog"]).astype(np.float64) / 255
    assert manifest == {
        "name": "folder-pets",
        "image_size": SIZE,
        "channels": 3,
        "classes": ["cat", "dog"],
        "counts": {"train": {"cat": 6, "dog": 6}, "test": {"cat": 3, "dog": 3}},
        "digests": digests,
        "mean": pytest.approx(pixels.mean((0, 1, 2)).tolist(), abs=5.1e-7),
        "std": pytest.approx(pixels.std((0, 1, 2)).tolist(), abs=5.1e-7),
        "sha256": hashlib.sha256(Path("data/folder-pets.safetensors").read_bytes()).hexdigest(),
    }
    assert all(value == round(value, 6) for value in manifest["mean"] + manifest["std"])


def test_greyscale_is_the_same_from_webp_which_has_only_colour() -> None:
    images = make_images(channels=1)
    from_png = prepared_anew(folder(write_tree(Path("a/pets"), images), channels=1))
    assert load_file("data/folder-pets.safetensors")["test_images"].shape == (6, SIZE, SIZE, 1)
    colour = {s: {n: [image.repeat(3, -1) for image in part] for n, part in c.items()} for s, c in images.items()}
    assert prepared_anew(folder(write_tree(Path("b/pets"), colour, ".webp"), channels=1)) == from_png


def test_a_palette_is_expanded() -> None:
    images = make_images()
    reference = prepared_anew(folder(write_tree(Path("a/pets"), images)))
    tree = write_tree(Path("b/pets"), images)
    for file in tree.rglob("*.png"):
        picture = Image.open(file).quantize(SIZE * SIZE)  # one palette entry for each pixel
        assert picture.mode == "P"
        picture.save(file)
    assert prepared_anew(folder(tree)) == reference


# ------------------------------------------------------------------------------ published datasets


@pytest.mark.slow
@pytest.mark.skipif(not CIFAR10.is_dir(), reason="needs the CIFAR-10 images in ../shared/data/cifar10")
def test_cifar10_has_the_published_digests_and_statistics() -> None:
    data = load(Dataset(name="cifar10", path=str(CIFAR10)))
    manifest = json.loads(Path("data/cifar10.json").read_text())
    assert manifest["digests"] == {
        "train": "8268ccb7cba901e48df35815ee575791d06e6053421932edd6f9999a1eb422be",
        "test": "7c136c2a0ca97f3a3a90290654794b7fc701b5c8f869b263d9d29dc8c4a6ee60",
    }
    # the figures in everybody's CIFAR-10 recipe
    assert data.mean == pytest.approx((0.4914, 0.4822, 0.4465), abs=5e-5)
    assert data.std == pytest.approx((0.2470, 0.2435, 0.2616), abs=5e-5)
    for split, per_class in ((data.train, 4500), (data.validation, 500), (data.test, 1000)):
        assert split.images.shape == (10 * per_class, 32, 32, 3)
        assert split.labels.bincount().tolist() == [per_class] * 10


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
    assert set(results[0]) == {f"{dataset.name}.safetensors", f"{dataset.name}.json"}
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


def test_digits_are_scikit_learns_with_a_fixed_stratified_fifth_for_testing() -> None:
    from sklearn.datasets import load_digits

    manifest = prepare(Dataset(name="digits"))
    arrays = load_file("data/digits.safetensors")
    bunch = load_digits()
    for digit in range(10):
        originals = {
            sha(np.array([[round(float(x) * 255 / 16)] for x in image.ravel()], dtype=np.uint8))
            for image in bunch.images[bunch.target == digit]
        }
        train, test = (
            [sha(image) for image in arrays[f"{split}_images"][arrays[f"{split}_labels"] == digit]]
            for split in ("train", "test")
        )
        assert len(train) + len(test) == len(originals) and {*train, *test} == originals
        assert len(test) == round(len(originals) / 5) and max(test) < min(train)
    assert arrays["train_images"].shape[1:] == (8, 8, 1)
    # a change of these would change every result on digits
    assert manifest["digests"] == {
        "train": "e770033e1a4caeb8eb7b0a6a2e581efc09e317d0b66848c7871d45dc5add7a04",
        "test": "ab5727efb349dc68b330107ec134ff3540c2a5c15d7b4cecc75a710cf96806cc",
    }


# -------------------------------------------------------------------------------- damaged sources


def refused(dataset: Dataset, *fragments: str, action: Callable[[Dataset], object] = prepare) -> str:
    """The one-line message with which a data set is refused; nothing may have been written."""
    before = written()
    with pytest.raises(DataError) as caught:
        action(dataset)
    message = str(caught.value)
    assert "\n" not in message and "object at 0x" not in message
    for fragment in fragments:
        assert fragment in message, message
    assert written() == before
    return message


def source() -> Path:
    return write_tree(Path("source/pets"), make_images())


def test_a_missing_path_is_named() -> None:
    refused(folder("nowhere/pets"), "nowhere/pets: no such file or folder", "dataset.path")


def test_an_empty_folder_is_refused() -> None:
    Path("source/pets").mkdir(parents=True)
    refused(folder(), "source/pets: no images", "train/<class>/*")


@pytest.mark.parametrize("keep", [0, 100, 3000])
def test_a_truncated_zip_is_named(keep: int) -> None:
    archive = write_zip(Path("zips/pets.zip"), source())
    assert archive.stat().st_size > 3000
    archive.write_bytes(archive.read_bytes()[:keep])
    refused(folder(archive), "zips/pets.zip: damaged or incomplete zip archive", "copy it again")


def test_a_damaged_member_of_a_zip_is_named() -> None:
    archive = write_zip(Path("zips/pets.zip"), source())
    with zipfile.ZipFile(archive) as handle:
        member = handle.getinfo("test/dog/1.png")
    content = bytearray(archive.read_bytes())
    content[member.header_offset + 60] ^= 0xFF
    archive.write_bytes(content)
    refused(folder(archive), "zips/pets.zip/test/dog/1.png: unreadable image", "copy it again")


def test_a_missing_archive_is_noticed_by_its_classes() -> None:
    write_zip(Path("zips/pets/1of2.zip"), source(), only="cat")
    refused(folder("zips/pets"), "zips/pets: 1 classes (cat), expected 2", "is a folder or archive missing?")


def test_a_class_missing_in_a_split_is_named() -> None:
    shutil.rmtree(source() / "test/dog")
    refused(folder(), "source/pets: no images in test/dog")


def test_the_same_file_in_two_archives_is_named() -> None:
    for name in ("one", "two"):
        write_zip(Path(f"zips/pets/{name}.zip"), source() if name == "one" else Path("source/pets"))
    refused(folder("zips/pets"), "two.zip", "also in zips/pets/one.zip", "keep one")


def truncated(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-40])


def no_image(file: Path) -> None:
    file.write_bytes(b"<html>404</html>")


def too_large(file: Path) -> None:
    Image.new("RGB", (SIZE + 1, SIZE)).save(file)


def greyscale(file: Path) -> None:
    Image.new("L", (SIZE, SIZE)).save(file)


def transparent(file: Path) -> None:
    Image.new("RGBA", (SIZE, SIZE)).save(file)


def unknown_format(file: Path) -> None:
    file.rename(file.with_suffix(".tiff"))


def too_deep(file: Path) -> None:
    (file.parent / "more").mkdir()
    file.rename(file.parent / "more/1.png")


@pytest.mark.parametrize(
    ("damage", "fragments"),
    [
        (truncated, ["train/cat/1.png: unreadable image", "copy it again"]),
        (no_image, ["train/cat/1.png: not the data of a PNG, JPEG or WebP image", "copy it again"]),
        (too_large, ["train/cat/1.png: 7x6 pixels, expected 6x6", "resize it"]),
        (greyscale, ["train/cat/1.png: mode L, expected 3 channel(s)", "convert it"]),
        (transparent, ["train/cat/1.png: mode RGBA, expected 3 channel(s)", "convert it"]),
        (unknown_format, ["train/cat/1.tiff: not a PNG, JPEG or WebP file", "convert or remove it"]),
        (too_deep, ["train/cat/more/1.png: expected train/<class>/<image>", "move or remove it"]),
    ],
)
def test_a_damaged_image_is_named(damage: Callable[[Path], None], fragments: list[str]) -> None:
    damage(source() / "train/cat/1.png")
    refused(folder(), *fragments)


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp"])
def test_a_truncated_image_is_refused_in_every_format(suffix: str) -> None:
    tree = write_tree(Path("source/pets"), make_images(size=16), suffix)
    prepare(folder(image_size=16))
    shutil.rmtree("data")
    truncated(tree / f"train/cat/1{suffix}")
    refused(folder(image_size=16), f"train/cat/1{suffix}: unreadable image")


def test_colour_is_refused_where_one_channel_is_expected() -> None:
    source()
    refused(folder(channels=1), "mode RGB, expected 1 channel(s)")


def test_a_channel_without_contrast_is_refused() -> None:
    images = make_images()
    for members in images["train"].values():
        for image in members:
            image[..., 1] = 7
    write_tree(Path("source/pets"), images)
    refused(folder(), "source/pets: a channel has one value in all training images")


def test_digits_take_no_path() -> None:
    refused(Dataset(name="digits", path="somewhere"), "digits", "remove dataset.path")


# ----------------------------------------------------------------- what stands in data/ already


def test_foreign_data_is_refused_and_nothing_overwritten() -> None:
    write_tree(Path("a/pets"), make_images(seed=1))
    other = write_tree(Path("b/pets"), make_images(seed=1))
    recorded = prepare(folder("a/pets"))["digests"]["test"]
    Image.new("RGB", (SIZE, SIZE)).save(other / "test/dog/0.png")
    refused(folder(other), "data/folder-pets.json: foreign data", f"test digest {recorded} is recorded", "b/pets")
    Path("data/folder-pets.safetensors").unlink()  # as in a clone, whose manifest comes from git
    refused(folder(other), "data/folder-pets.json: foreign data", action=load)


def test_prepare_heals_a_damaged_prepared_file_which_load_refuses() -> None:
    source()
    prepare(folder())
    good = written()
    damaged = bytearray(good["folder-pets.safetensors"])
    damaged[-1] ^= 1
    Path("data/folder-pets.safetensors").write_bytes(damaged)
    found = hashlib.sha256(damaged).hexdigest()
    recorded = json.loads(good["folder-pets.json"])["sha256"]
    refused(folder(), f"data/folder-pets.safetensors: sha256 is {found}", recorded, "delete it", action=load)
    prepare(folder())
    assert written() == good


@pytest.mark.parametrize(
    ("text", "fragment"),
    [("{", "unreadable manifest"), ("[]", "unreadable manifest"), ('{"classes": []}', "unreadable manifest")],
)
def test_a_broken_manifest_is_named(text: str, fragment: str) -> None:
    source()
    prepare(folder())
    Path("data/folder-pets.json").write_text(text)
    refused(folder(), "data/folder-pets.json", fragment, "restore it from git", action=load)


def test_a_manifest_without_a_field_says_which() -> None:
    source()
    manifest = prepare(folder())
    del manifest["std"]
    Path("data/folder-pets.json").write_text(json.dumps(manifest))
    refused(folder(), "data/folder-pets.json: lacks std", action=load)


def test_prepared_images_of_another_shape_than_configured_are_refused() -> None:
    source()
    prepare(folder())
    refused(folder(image_size=SIZE + 2), "data/folder-pets.json", "(6, 3, 2)", "(8, 3, 2)", action=load)


def test_a_folder_that_cannot_be_written_is_named() -> None:
    source()
    Path("data").write_text("in the way")
    with pytest.raises(DataError, match=r"^data: cannot be written .*make the folder writable$"):
        prepare(folder())


@pytest.mark.parametrize("earlier", [False, True])
def test_a_full_disk_leaves_nothing_half_written(earlier: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    source()
    if earlier:
        prepare(folder())

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    refused(folder(), "data/folder-pets.safetensors: cannot be written", "No space left", "free space")


def test_load_prepares_what_is_missing_and_then_needs_no_source() -> None:
    tree = source()
    first = load(folder())
    files = written()
    Path("data/folder-pets.safetensors").unlink()  # a clone: the manifest alone
    assert same(load(folder()), first) and written() == files
    shutil.rmtree(tree)
    assert same(load(folder()), first)


def test_who_waited_for_another_process_uses_its_result(monkeypatch: pytest.MonkeyPatch) -> None:
    source()
    expected = load(folder())
    Path("data").rename("elsewhere")
    Path("data").mkdir()
    results: list[Data] = []
    with FileLock("data/folder-pets.lock"):
        waiting = threading.Thread(target=lambda: results.append(load(folder())))
        waiting.start()
        waiting.join(0.3)
        assert waiting.is_alive() and not written()
        monkeypatch.setattr(prepare_module, "read", lambda dataset: pytest.fail("prepared twice"))
        for name in ("folder-pets.json", "folder-pets.safetensors"):
            shutil.copy(f"elsewhere/{name}", f"data/{name}")
    waiting.join(10)
    assert same(results[0], expected)


# ------------------------------------------------------------------------------------------ splits


def same(one: Data, other: Data) -> bool:
    return all(
        torch.equal(getattr(getattr(one, split), field), getattr(getattr(other, split), field))
        for split in ("train", "validation", "test")
        for field in ("images", "labels")
    ) and (one.mean, one.std, one.classes, one.digest) == (other.mean, other.std, other.classes, other.digest)


def hashes(split: prepare_module.Split, label: int) -> list[str]:
    return [sha(image) for image in split.images[split.labels == label].numpy()]


def test_validation_is_the_first_part_of_each_class_by_content_hash() -> None:
    images = make_images(train=10)
    write_tree(Path("source/pets"), images)
    data = load(folder(validation_fraction=0.3))
    for label, name in enumerate(("cat", "dog")):
        expected = sorted(sha(image) for image in images["train"][name])
        assert hashes(data.validation, label) == expected[:3]
        assert hashes(data.train, label) == expected[3:]
        assert hashes(data.test, label) == sorted(sha(image) for image in images["test"][name])
    assert data.classes == ("cat", "dog")


def test_without_a_validation_fraction_all_images_train() -> None:
    source()
    data = load(folder(validation_fraction=0))
    assert data.validation.images.shape == (0, SIZE, SIZE, 3) and data.validation.labels.shape == (0,)
    assert data.train.labels.tolist() == [0] * 6 + [1] * 6


def test_training_subsets_are_stratified_nested_and_beside_the_validation_images() -> None:
    write_tree(Path("source/pets"), make_images(train=10))
    full = load(folder(validation_fraction=0.2))
    smaller: list[set[str]] = [set(), set()]
    for count in (2, 5, 9, 16):
        part = load(folder(validation_fraction=0.2, train_images=count))
        assert part.train.labels.bincount().tolist() == [count - count // 2, count // 2]
        for label in (0, 1):
            chosen = hashes(part.train, label)
            assert chosen == hashes(full.train, label)[: len(chosen)]
            assert smaller[label] <= set(chosen)
            smaller[label] = set(chosen)
        assert torch.equal(part.validation.images, full.validation.images)
        assert (part.mean, part.std, part.digest) == (full.mean, full.std, full.digest)


@pytest.mark.parametrize(
    "fields", [{"train_images": 11}, {"validation_fraction": 0.05}, {"validation_fraction": 0.05, "train_images": 2}]
)
def test_a_split_that_the_images_do_not_allow_is_refused(fields: dict[str, object]) -> None:
    source()
    prepare(folder())
    message = "data/folder-pets.safetensors: class 'cat' has 6 training images"
    refused(folder(**fields), message, "train_images", action=load)


def test_the_digest_identifies_the_images_of_both_splits() -> None:
    write_tree(Path("source/pets"), make_images())
    data = load(folder())
    digests = json.loads(Path("data/folder-pets.json").read_text())["digests"]
    assert data.digest == hashlib.sha256((digests["train"] + digests["test"]).encode()).hexdigest()
    changed = make_images()
    changed["test"]["dog"][0][0, 0, 0] ^= 1
    shutil.rmtree("data")
    assert load(folder(write_tree(Path("b/pets"), changed))).digest != data.digest
