"""The canonical form of a data set: the same bytes whatever format and order the images came in.

uint8 images sorted by (class, sha256 of the pixels), in ``data/<key>.safetensors``; counts, digests and
statistics in the manifest ``data/<key>.json``. Splits and subsets follow from that order, so they too
depend on the images alone.

Shape letters: N images, H height, W width, C channels.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from filelock import FileLock
from safetensors.numpy import save
from safetensors.torch import load as load_tensors
from torch import Tensor

from vitflow import layout
from vitflow.config import Dataset
from vitflow.data.sources import SPLITS, DataError, Labelled, content_hashes, read
from vitflow.provenance import data_digest

#: images of each class in the published data sets
PER_CLASS = {"cifar10": {"train": 5000, "test": 1000}, "cifar100": {"train": 500, "test": 100}}
#: names that class folders must have, so that they do not change the manifest
CLASSES = {
    "cifar10": ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"],
}
#: content digests (see :func:`content_digest`)
DIGESTS = {
    "cifar10": {
        "train": "8268ccb7cba901e48df35815ee575791d06e6053421932edd6f9999a1eb422be",
        "test": "7c136c2a0ca97f3a3a90290654794b7fc701b5c8f869b263d9d29dc8c4a6ee60",
    }
}


@dataclass(frozen=True)
class Split:
    """Images with their classes."""

    images: Tensor  # uint8 [N, H, W, C]
    labels: Tensor  # int64 [N]


@dataclass(frozen=True)
class Data:
    """Everything a run needs to know of its images."""

    train: Split
    validation: Split
    test: Split
    mean: tuple[float, ...]  # per channel, of the official training images, in 0..1
    std: tuple[float, ...]
    classes: tuple[str, ...]
    digest: str  # sha256 of the two content digests: identifies the data


def prepare(dataset: Dataset) -> dict[str, Any]:
    """Write the prepared images and their manifest; returns the manifest.

    The source is always read. Raises DataError for a damaged source, for a digest that is not the published
    one, and where a manifest of other data exists already; then nothing is overwritten.
    """
    with _locked(dataset):
        return _prepare(dataset)


def load(dataset: Dataset) -> Data:
    """The splits as a run uses them, from the prepared file, which is made first if it is missing.

    Validation images are, per class, the first ``round(validation_fraction * n)`` of the official training
    images in content-hash order; ``train_images`` takes the first of the rest, in equal numbers per class
    (a remainder goes to the first classes), so that smaller subsets lie within larger ones.

    Raises DataError, also where the prepared file is not the one that the manifest describes.
    """
    prepared = layout.prepared(dataset.key)
    if not _is_prepared(dataset):
        with _locked(dataset):
            if not _is_prepared(dataset):  # another process may have done it while this one waited
                _prepare(dataset)
    manifest = _read_manifest(dataset)
    content = prepared.read_bytes()
    if (found := hashlib.sha256(content).hexdigest()) != manifest["sha256"]:
        raise DataError(
            f"{prepared}: sha256 is {found}, the manifest says {manifest['sha256']}; delete it, and it is made again"
        )
    tensors = load_tensors(content)
    held_out, rest = _partition(tensors["train_labels"], manifest["classes"], dataset)
    official = Split(tensors["train_images"], tensors["train_labels"])
    return Data(
        train=Split(official.images[rest], official.labels[rest]),
        validation=Split(official.images[held_out], official.labels[held_out]),
        test=Split(tensors["test_images"], tensors["test_labels"]),
        mean=tuple(manifest["mean"]),
        std=tuple(manifest["std"]),
        classes=tuple(manifest["classes"]),
        digest=data_digest(dataset.key),
    )


def content_digest(hashes: list[str], labels: np.ndarray) -> str:
    """Digest of a split, independent of order and file format.

    sha256 over the sorted lines ``"<sha256 of the pixels> <class index>\\n"``.
    """
    lines = sorted(f"{digest} {label}\n" for digest, label in zip(hashes, labels, strict=True))
    return hashlib.sha256("".join(lines).encode()).hexdigest()


# ------------------------------------------------------------------------------------------ making


def _prepare(dataset: Dataset) -> dict[str, Any]:
    """As :func:`prepare`, for who holds the lock."""
    raw = read(dataset)
    size, channels, _ = dataset.shape
    manifest: dict[str, Any] = {
        "name": dataset.key,
        "image_size": size,
        "channels": channels,
        "classes": list(raw.classes),
        "counts": {},
        "digests": {},
    }
    arrays: dict[str, np.ndarray] = {}
    for split in SPLITS:
        part, manifest["digests"][split] = _canonical(raw.splits[split])
        counts = np.bincount(part.labels, minlength=len(raw.classes)).tolist()
        manifest["counts"][split] = dict(zip(raw.classes, counts, strict=True))
        arrays |= {f"{split}_images": part.images, f"{split}_labels": part.labels}
    manifest["mean"], manifest["std"] = _statistics(arrays["train_images"])
    if 0 in manifest["std"]:
        raise DataError(f"{dataset.path}: a channel has one value in all training images; was the export correct?")
    _check_published(dataset, manifest)
    _check_recorded(dataset, manifest)
    content = save(arrays)
    manifest["sha256"] = hashlib.sha256(content).hexdigest()
    _write(layout.prepared(dataset.key), content)
    _write(layout.manifest(dataset.key), (json.dumps(manifest, sort_keys=True, indent=1) + "\n").encode())
    return manifest


def _canonical(part: Labelled) -> tuple[Labelled, str]:
    """(images and labels sorted by class, then content hash; content digest)."""
    hashes = content_hashes(part.images)
    order = sorted(range(len(hashes)), key=lambda i: (part.labels[i], hashes[i]))
    # the official images are a transposed view, and safetensors would write its memory as it lies
    images = np.ascontiguousarray(part.images[order])
    return Labelled(images, part.labels[order]), content_digest(hashes, part.labels)


def _statistics(images: np.ndarray) -> tuple[list[float], list[float]]:
    """(mean, standard deviation) per channel in 0..1, six decimals; ``images`` uint8 [N, H, W, C].

    Taken from histograms, whose integer sums are exact and hence the same everywhere.
    """
    means, deviations = [], []
    values = np.arange(256)
    for channel in range(images.shape[-1]):
        histogram = np.bincount(images[..., channel].ravel(), minlength=256)
        count, total, squares = (int((histogram * values**power).sum()) for power in range(3))
        means.append(round(total / count / 255, 6))
        deviations.append(round((squares * count - total**2) ** 0.5 / count / 255, 6))
    return means, deviations


def _check_published(dataset: Dataset, manifest: dict[str, Any]) -> None:
    """Raise DataError where a published data set is incomplete, renamed or altered."""
    where = dataset.path or dataset.name
    for split, expected in PER_CLASS.get(dataset.name, {}).items():
        for name, count in manifest["counts"][split].items():
            if count != expected:
                raise DataError(f"{where}: {count} {split} images of '{name}', expected {expected}; copy it again")
    for name, expected_name in zip(manifest["classes"], CLASSES.get(dataset.name, []), strict=False):
        if name != expected_name:
            raise DataError(f"{where}: class '{name}' where '{expected_name}' is expected; rename the folder")
    for split, digest in DIGESTS.get(dataset.name, {}).items():
        if (found := manifest["digests"][split]) != digest:
            raise DataError(
                f"{where}: not the published {split} images of {dataset.name}: expected digest {digest}, "
                f"found {found}; use a lossless copy"
            )


def _check_recorded(dataset: Dataset, manifest: dict[str, Any]) -> None:
    """Raise DataError where a manifest of other images exists already."""
    path = layout.manifest(dataset.key)
    if not path.exists():
        return
    recorded = _read_manifest(dataset)["digests"]
    for split, found in manifest["digests"].items():
        if found != recorded.get(split):
            raise DataError(
                f"{path}: foreign data: {split} digest {recorded.get(split)} is recorded, "
                f"{dataset.path or dataset.name} has {found}; correct dataset.path, or delete {path}, "
                f"{layout.prepared(dataset.key)} and the results made with them"
            )


# ----------------------------------------------------------------------------------------- reading


def _is_prepared(dataset: Dataset) -> bool:
    return layout.prepared(dataset.key).exists() and layout.manifest(dataset.key).exists()


def _read_manifest(dataset: Dataset) -> dict[str, Any]:
    """The manifest, after a check that it is whole and describes images of the configured shape."""
    path = layout.manifest(dataset.key)
    try:
        manifest: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        missing = {"classes", "digests", "mean", "std", "sha256"} - manifest.keys()
        shape = (manifest["image_size"], manifest["channels"], len(manifest["classes"]))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise DataError(f"{path}: unreadable manifest ({error!r}); restore it from git, or delete it") from None
    if missing:
        raise DataError(f"{path}: lacks {', '.join(sorted(missing))}; restore it from git, or delete it")
    if shape != dataset.shape:
        raise DataError(
            f"{path}: (image_size, channels, classes) is {shape}, the configuration says {dataset.shape}; "
            "correct the configuration"
        )
    return manifest


def _partition(labels: Tensor, classes: list[str], dataset: Dataset) -> tuple[Tensor, Tensor]:
    """(validation indices, training indices) into ``labels`` int64 [N], which are in canonical order."""
    held_out, rest = [], []
    for label, name in enumerate(classes):
        members = torch.nonzero(labels == label).squeeze(1)  # [N of this class]
        validation = round(dataset.validation_fraction * len(members))
        available = len(members) - validation
        wanted = available
        if dataset.train_images is not None:
            wanted = dataset.train_images // len(classes) + (label < dataset.train_images % len(classes))
        if wanted > available or available == 0 or (dataset.validation_fraction > 0 and validation == 0):
            raise DataError(
                f"{layout.prepared(dataset.key)}: class '{name}' has {len(members)} training images; "
                f"validation_fraction {dataset.validation_fraction:g} takes {validation}, train_images wants {wanted}: "
                "lower train_images or change validation_fraction"
            )
        held_out.append(members[:validation])
        rest.append(members[validation : validation + wanted])
    return torch.cat(held_out), torch.cat(rest)


# ----------------------------------------------------------------------------------------- writing


@contextmanager
def _locked(dataset: Dataset) -> Iterator[None]:
    """One process at a time prepares a data set; the others wait."""
    lock = FileLock(layout.prepared(dataset.key).with_suffix(".lock"))
    try:
        layout.DATA.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except OSError as error:
        raise _unwritable(layout.DATA, error) from None
    try:
        yield
    finally:
        lock.release()


def _write(path: Path, content: bytes) -> None:
    """Whole or not at all: written under a temporary name in the same folder, synced, renamed."""
    temporary = path.with_name(f"{path.name}.tmp")
    try:
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise _unwritable(path, error) from None


def _unwritable(path: Path, error: Exception) -> DataError:
    return DataError(f"{path}: cannot be written ({error}); free space or make the folder writable")
