"""Section ``dataset``: names, shapes known beforehand or configured, and mistakes."""

from __future__ import annotations

import posixpath

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from support.studies import IsTold, literals, mistakes

from vitflow.study.dataset import IMAGES, Dataset
from vitflow.study.names import check_name, is_text, seen

FOLDER = {"name": "folder", "image_size": 8, "channels": 1, "classes": 2}


def test_every_dataset_but_a_folder_is_known_beforehand() -> None:
    assert literals(Dataset, "name") == IMAGES.keys() | {"folder"}


@pytest.mark.parametrize("name", IMAGES)
def test_the_shape_of_a_known_dataset_needs_no_configuration(name: str) -> None:
    known = IMAGES[name]
    assert Dataset.model_validate({"name": name}).shape == (known.side, known.channels, known.classes)


def test_the_shape_of_a_folder_is_the_configured_one() -> None:
    assert Dataset.model_validate(FOLDER | {"path": "x"}).shape == (8, 1, 2)


@pytest.mark.parametrize("name", IMAGES)
@pytest.mark.parametrize("path", [None, "/somewhere/else.zip"])
def test_the_prepared_files_of_a_known_dataset_have_its_name(name: str, path: str | None) -> None:
    assert Dataset.model_validate({"name": name, "path": path}).key == name


PATHS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=30).filter(
    lambda path: bool(seen(path)) and is_text(path)
)


@given(PATHS, PATHS)
@example("x1/images", "x3/images")
@example("a/v1.2", "a/v1.3")
@example("my data", "my-data")
@example("写真", "絵")
@example("a/b", "a/b/")
def test_prepared_files_are_shared_by_no_two_paths_of_folders(one: str, other: str) -> None:
    keys = [Dataset.model_validate(FOLDER | {"path": path}).key for path in (one, other)]
    assert (keys[0] == keys[1]) == (posixpath.normpath(one) == posixpath.normpath(other))
    for key in keys:
        assert check_name(key, "a file") == key and len(key) < 80


def test_prepared_files_of_a_folder_tell_which_it_is() -> None:
    assert Dataset.model_validate(FOLDER | {"path": "/a/My pets.zip"}).key.startswith("folder-my-pets-zip-")


@pytest.mark.parametrize(
    ("changes", "spoken"),
    [
        ({"name": "cifar10"}, "CIFAR-10"),
        (FOLDER | {"path": "a/pets"}, "images in a/pets"),
        (FOLDER | {"path": "a/pets", "title": "my pets"}, "my pets"),
    ],
)
def test_a_dataset_is_called_what_people_call_it(changes: dict[str, object], spoken: str) -> None:
    assert Dataset.model_validate(changes).spoken == spoken


@mistakes(
    {
        "study: s\ndataset: {name: cifar10, validation_fraction: 1}": [
            "dataset.validation_fraction: ",
            "less than 0.9",
        ],
        "study: s\ndataset: {name: cifar10, train_images: 0}": ["dataset.train_images: ", "(got 0)"],
        "study: s\ndataset: {name: cifar100, train_images: 99}": [
            "dataset: train_images 99 must be at least 100, an image of each class"
        ],
        "study: s\ndataset: {name: cifar10}\nablations: {data: {train_images: [3]}}": [
            "ablations.data.train_images: dataset: train_images 3 must be at least 10"
        ],
        "study: s\ndataset: {name: cifar11}": [
            "dataset.name: 'cifar11' is not a valid choice; did you mean 'cifar10'?"
        ],
        "study: s\ndataset: {name: cifar10, image_size: 32}": [
            "dataset: image_size",
            "fixed for 'cifar10'; remove them",
        ],
        "study: s\ndataset: {name: folder}": ["dataset: dataset 'folder' needs path, image_size, channels and classes"],
        "study: s\ndataset: {name: digits, title: numbers}": [
            "dataset: image_size, channels, classes and title are fixed for 'digits'; remove them"
        ],
        "study: s\ndataset: {name: cifar10, duplicates: dropped}": ["dataset.duplicates: ", "did you mean 'drop'?"],
    }
)
def test_a_dataset_that_cannot_be_is_told(is_told: IsTold, text: str, parts: list[str]) -> None:
    is_told(text, parts)
