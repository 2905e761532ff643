"""The canonical form: the same bytes whatever the format, the names and the order of a source."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from safetensors.numpy import load_file
from support.images import KEY, SIZE, Images, folder, make_images, prepared_anew, sha, write_tree, write_zip

from vitflow.data.prepare import prepare


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
    assert set(reference) == {".safetensors", ".json"}
    assert prepared_anew(folder(write(images))) == reference


def test_images_are_sorted_by_class_then_content_hash() -> None:
    images = make_images()
    prepare(folder(write_tree(Path("source/pets"), images)))
    arrays = load_file(f"data/{KEY}.safetensors")
    for split, classes in images.items():
        expected = [image for name in ("cat", "dog") for image in sorted(classes[name], key=sha)]
        assert np.array_equal(arrays[f"{split}_images"], np.stack(expected))
        per_class = len(classes["cat"])
        assert arrays[f"{split}_labels"].tolist() == [0] * per_class + [1] * per_class
    assert {str(array.dtype) for array in arrays.values()} == {"uint8", "int64"}


def test_manifest_describes_the_data() -> None:
    images = make_images()
    manifest = prepare(folder(write_tree(Path("source/pets"), images)))
    text = Path(f"data/{KEY}.json").read_text()
    assert json.loads(text) == manifest and text == json.dumps(manifest, sort_keys=True, indent=1) + "\n"
    digests = {}
    for split, classes in images.items():
        lines = [f"{sha(image)} {index}\n" for index, name in enumerate(("cat", "dog")) for image in classes[name]]
        digests[split] = hashlib.sha256("".join(sorted(lines)).encode()).hexdigest()
    pixels = np.stack(images["train"]["cat"] + images["train"]["dog"]).astype(np.float64) / 255
    assert manifest == {
        "name": "folder",
        "image_size": SIZE,
        "channels": 3,
        "classes": ["cat", "dog"],
        "counts": {"train": {"cat": 6, "dog": 6}, "test": {"cat": 3, "dog": 3}},
        "digests": digests,
        "dropped": {"cat": 0, "dog": 0},
        "duplicates": {kind: {"count": 0, "examples": []} for kind in ("test_in_train", "two_labels", "repeated")},
        "mean": pytest.approx(pixels.mean((0, 1, 2)).tolist(), abs=5.1e-7),
        "std": pytest.approx(pixels.std((0, 1, 2)).tolist(), abs=5.1e-7),
        "sha256": hashlib.sha256(Path(f"data/{KEY}.safetensors").read_bytes()).hexdigest(),
    }
    assert all(value == round(value, 6) for value in manifest["mean"] + manifest["std"])


def test_greyscale_is_the_same_from_webp_which_has_only_colour() -> None:
    images = make_images(channels=1)
    dataset = folder(write_tree(Path("a/pets"), images), channels=1)
    from_png = prepared_anew(dataset)
    assert load_file(f"data/{dataset.key}.safetensors")["test_images"].shape == (6, SIZE, SIZE, 1)
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
