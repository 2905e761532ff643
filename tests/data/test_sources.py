"""Data sets that are known beforehand: their published digests, figures and numbers of images."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file
from support.images import refused, sha

from vitflow.data.official import OFFICIAL
from vitflow.data.prepare import CLASSES, PER_CLASS, load, prepare
from vitflow.data.sources import SOURCES
from vitflow.study.dataset import IMAGES, Dataset

CIFAR10 = Path(__file__).parents[2] / "../shared/data/cifar10"


def test_every_dataset_has_a_source() -> None:
    assert SOURCES.keys() == IMAGES.keys() | {"folder"}


@pytest.mark.parametrize("name", OFFICIAL)
def test_what_is_known_beforehand_of_published_images_is_what_is_checked(name: str) -> None:
    known = IMAGES[name]
    assert PER_CLASS[name]["train"] * known.classes == known.training
    assert len(CLASSES.get(name, range(known.classes))) == known.classes


def test_what_is_known_beforehand_of_the_digits_is_what_is_prepared() -> None:
    manifest, known = prepare(Dataset(name="digits")), IMAGES["digits"]
    assert (manifest["image_size"], manifest["channels"], len(manifest["classes"])) == known[:3]
    assert sum(manifest["counts"]["train"].values()) == known.training


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


def test_digits_take_no_path() -> None:
    refused(Dataset(name="digits", path="somewhere"), "digits", "remove dataset.path")


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
