"""The splits of prepared images: stratified, nested, by content, and refused where a class has too few images."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from support.images import KEY, SIZE, folder, make_images, refused, sha, source, write_tree

from vitflow.data.manifest import check_shares
from vitflow.data.prepare import load, prepare
from vitflow.data.raw import DataError
from vitflow.data.splits import Split


def hashes(split: Split, label: int) -> list[str]:
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
    "fields",
    [
        {"train_images": 11},
        {"validation_fraction": 0.05},
        {"validation_fraction": 0.05, "train_images": 2},
    ],
)
def test_a_split_that_the_images_do_not_allow_is_refused(fields: dict[str, object]) -> None:
    source()
    manifest = prepare(folder())
    with pytest.raises(DataError, match="has 6 training images"):
        check_shares(folder(**fields), manifest)  # as a plan does, before any job
    name = "dog" if fields == {"train_images": 1} else "cat"
    message = f"data/{KEY}.safetensors: class '{name}' has 6 training images"
    refused(folder(**fields), message, "train_images", action=load)


def test_a_plan_knows_how_many_images_are_left_without_duplicates() -> None:
    images = make_images(train=4)
    images["train"]["dog"][1] = images["train"]["dog"][0]
    write_tree(Path("source/pets"), images)
    manifest = prepare(folder())
    fields = {"train_images": 8, "validation_fraction": 0}
    check_shares(folder(**fields), manifest)
    with pytest.raises(DataError, match="class 'dog' has 3 training images"):
        check_shares(folder(duplicates="drop", **fields), manifest)
    refused(folder(duplicates="drop", **fields), "class 'dog' has 3 training images", action=load)
