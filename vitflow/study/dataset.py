"""Section ``dataset``: which images, and how many of them."""

from __future__ import annotations

import hashlib
import posixpath
import re
from typing import Literal, NamedTuple

from pydantic import Field, field_validator, model_validator

from vitflow.study.fields import Strict
from vitflow.study.names import check_words


class Images(NamedTuple):
    """What is known beforehand of a dataset's images."""

    side: int  #: pixels
    channels: int
    classes: int
    training: int  #: official training images
    title: str  #: as people say it


#: by config.dataset.name; a folder's shape is configured
IMAGES: dict[str, Images] = {
    "cifar10": Images(32, 3, 10, 50_000, "CIFAR-10"),
    "cifar100": Images(32, 3, 100, 50_000, "CIFAR-100"),
    "digits": Images(8, 1, 10, 1_438, "handwritten digits"),
}


#: clean training images that are scored where no validation images say how many
CLEAN = 5000
#: validation images on which a model is inspected, at most
INSPECTED = 500


class Dataset(Strict):
    """Which images, and how many of them."""

    name: Literal["cifar10", "cifar100", "digits", "folder"]
    path: str | None = Field(
        None,
        min_length=1,
        description="local copy, used before any download: official archive, class folders, or zips of them",
    )
    train_images: int | None = Field(
        None, ge=1, le=10**9, description="stratified subset of the training images; subsets are nested; all if null"
    )
    validation_fraction: float = Field(
        0.1, ge=0.0, lt=0.9, description="part of the official training images held out, per class, by content hash"
    )
    duplicates: Literal["keep", "drop"] = Field(
        "keep",
        description="drop: no training image that is a test image, has two labels, or is a copy of another, pixel by "
        "pixel; `vitflow prepare` counts them",
    )
    title: str | None = Field(None, min_length=1, description="what the talk calls the images; only for 'folder'")
    image_size: int | None = Field(None, ge=4, le=4096, description="pixels a side; only for 'folder'")
    channels: Literal[1, 3] | None = Field(None, description="only for 'folder'")
    classes: int | None = Field(None, ge=2, le=100_000, description="only for 'folder'")

    @field_validator("title", "path")
    @classmethod
    def _words_can_be_shown(cls, text: str | None) -> str | None:
        return text if text is None else check_words(text)

    @model_validator(mode="after")
    def _shape_is_known(self) -> Dataset:
        own = (self.image_size, self.channels, self.classes)
        if self.name == "folder":
            if None in own or self.path is None:
                raise ValueError("dataset 'folder' needs path, image_size, channels and classes")
        elif (*own, self.title) != (None, None, None, None):
            raise ValueError(f"image_size, channels, classes and title are fixed for '{self.name}'; remove them")
        return self

    @model_validator(mode="after")
    def _every_class_trains(self) -> Dataset:
        if self.train_images is not None and self.train_images < self.shape[2]:
            raise ValueError(
                f"train_images {self.train_images} must be at least {self.shape[2]}, an image of each class"
            )
        return self

    @property
    def key(self) -> str:
        """Names the prepared files: the dataset's name, or of a folder, letters of its path's end and a digest of it.

        Two paths never share files, whatever they are called; the same path has the same files on every machine.
        """
        if self.name != "folder":
            return self.name
        path = posixpath.normpath(str(self.path))
        letters = re.sub(r"[^A-Za-z0-9]+", "-", posixpath.basename(path)).strip("-")[:40].lower()
        return "-".join(filter(None, ["folder", letters, hashlib.sha256(path.encode()).hexdigest()[:8]]))

    @property
    def spoken(self) -> str:
        """The images as people say it."""
        return IMAGES[self.name].title if self.name in IMAGES else self.title or f"images in {self.path}"

    @property
    def shape(self) -> tuple[int, int, int]:
        """(image side in pixels, channels, classes)."""
        if self.name == "folder":
            assert self.image_size and self.channels and self.classes
            return self.image_size, self.channels, self.classes
        known = IMAGES[self.name]
        return known.side, known.channels, known.classes
