"""The same pixels in two places: counted with their names, and dropped where a study says so."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from support.images import KEY, SIZE, Images, folder, make_images, sha, write_tree

from vitflow.data import duplicates
from vitflow.data.prepare import load, prepare
from vitflow.data.raw import Labelled, Raw


def with_duplicates() -> Images:
    """A test image in train; a cat that is a dog too; a cat three times in train, a dog twice in test."""
    images = make_images(train=8, test=4)
    train, test = images["train"], images["test"]
    train["cat"][1] = test["cat"][2]
    train["dog"][2] = train["cat"][3]
    train["cat"][5] = train["cat"][6] = train["cat"][4]
    test["dog"][1] = test["dog"][0]
    return images


def test_each_kind_is_counted_and_named() -> None:
    write_tree(Path("source/pets"), with_duplicates())
    found = prepare(folder())["duplicates"]
    names = {
        kind: {"count": entry["count"], "examples": [[n.removeprefix("source/pets/") for n in pair] for pair in pairs]}
        for kind, entry in found.items()
        if (pairs := entry["examples"])
    }
    assert names == {
        "test_in_train": {"count": 1, "examples": [["train/cat/1.png", "test/cat/2.png"]]},
        "two_labels": {"count": 1, "examples": [["train/cat/3.png", "train/dog/2.png"]]},
        "repeated": {
            "count": 3,
            "examples": [["train/cat/4.png", "train/cat/5.png"], ["train/cat/4.png", "train/cat/6.png"]],
        },
    }
    told = duplicates.told(found)
    assert len(told) == 3 and told[0].startswith("1 test image that is also a training image: source/pets/train/cat/1")
    assert told[2].endswith("6.png; ...")


def test_dropped_are_what_is_tested_bears_two_labels_or_stands_there_already() -> None:
    images = with_duplicates()
    write_tree(Path("source/pets"), images)
    every, kept = (load(folder(duplicates=choice, validation_fraction=0)) for choice in ("keep", "drop"))
    assert every.digest == kept.digest and len(every.train.labels) == 16
    stays = sorted(sha(images["train"]["cat"][i]) for i in (0, 2, 4, 7))
    stays += sorted(sha(images["train"]["dog"][i]) for i in (0, 1, 3, 4, 5, 6, 7))
    assert [sha(image.numpy()) for image in kept.train.images] == stays
    assert kept.train.labels.tolist() == [0] * 4 + [1] * 7
    manifest = json.loads(Path(f"data/{KEY}.json").read_text())
    assert manifest["dropped"] == {"cat": 4, "dog": 1}
    assert kept.test.images.equal(every.test.images), "what is published stays what it is"


def test_without_duplicates_nothing_is_dropped() -> None:
    write_tree(Path("source/pets"), make_images())
    every, kept = (load(folder(duplicates=choice)) for choice in ("keep", "drop"))
    assert kept.train.images.equal(every.train.images) and kept.validation.images.equal(every.validation.images)


PICTURES = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 2)), min_size=1, max_size=20)


@given(PICTURES, PICTURES)
def test_counts_and_choices_agree_with_their_definitions(
    train: list[tuple[int, int]], test: list[tuple[int, int]]
) -> None:
    def labelled(pictures: list[tuple[int, int]]) -> Labelled:
        images = np.stack([np.full((2, 2, 1), pixel, np.uint8) for pixel, _ in pictures])
        return Labelled(images, np.array([label for _, label in pictures]))

    parts = {"train": labelled(train), "test": labelled(test)}
    found = duplicates.count(Raw(parts, ("a", "b", "c")))
    trained, every = {pixel for pixel, _ in train}, [*train, *test]
    labels = {pixel: {label for other, label in every if other == pixel} for pixel, _ in every}
    assert found["repeated"]["count"] == len(every) - len(set(train)) - len(set(test))
    assert found["two_labels"]["count"] == sum(len(of) > 1 for of in labels.values())
    assert found["test_in_train"]["count"] == len({(pixel, label) for pixel, label in test if pixel in trained})
    kept = duplicates.kept(parts["train"].images, parts["train"].labels, parts["test"].images)
    stays = [picture for picture, stay in zip(train, kept, strict=True) if stay]
    unique = [p for p in dict.fromkeys(train) if len({b for a, b in train if a == p[0]}) == 1]
    assert stays == [picture for picture in unique if picture[0] not in {pixel for pixel, _ in test}]


def test_official_images_are_named_by_their_place() -> None:
    images = np.zeros((2, SIZE, SIZE, 3), np.uint8)
    raw = Raw({split: Labelled(images, np.array([0, 1])) for split in ("train", "test")}, ("cat", "dog"))
    assert duplicates.count(raw)["two_labels"]["examples"] == [["train image 0 (cat)", "train image 1 (dog)"]]
