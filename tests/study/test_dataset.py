"""Section ``dataset``: names, shapes known beforehand or configured, and mistakes."""

from __future__ import annotations

import pytest
from support.studies import IsTold, literals, mistakes

from vitflow.study.dataset import IMAGES, Dataset

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


@pytest.mark.parametrize("path", ["pets", "pets.zip", "a/pets", "/a/b/pets.zip", "a/pets/"])
def test_the_prepared_files_of_a_folder_have_its_last_name(path: str) -> None:
    assert Dataset.model_validate(FOLDER | {"path": path}).key == "folder-pets"


@mistakes(
    {
        "study: s\ndataset: {name: cifar10, validation_fraction: 1}": [
            "dataset.validation_fraction: ",
            "less than 0.9",
        ],
        "study: s\ndataset: {name: cifar10, train_images: 0}": ["dataset.train_images: ", "(got 0)"],
        "study: s\ndataset: {name: cifar11}": [
            "dataset.name: 'cifar11' is not a valid choice; did you mean 'cifar10'?"
        ],
        "study: s\ndataset: {name: cifar10, image_size: 32}": [
            "dataset: image_size",
            "fixed for 'cifar10'; remove them",
        ],
        "study: s\ndataset: {name: folder}": ["dataset: dataset 'folder' needs path, image_size, channels and classes"],
        "study: s\ndataset: {name: folder, path: my data, image_size: 32, channels: 3, classes: 2}": [
            "dataset: 'my data' cannot name a dataset",
            "for example 'my-data'",
        ],
    }
)
def test_a_dataset_that_cannot_be_is_told(is_told: IsTold, text: str, parts: list[str]) -> None:
    is_told(text, parts)
