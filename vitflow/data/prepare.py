"""Prepared images: made from a source, checked, and read by whoever trains or scores.

``data/<key>.safetensors`` holds the canonical form (:mod:`vitflow.data.canonical`), the manifest ``data/<key>.json``
its counts, digests and statistics.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from filelock import FileLock
from safetensors.numpy import save
from safetensors.torch import load as load_tensors

from vitflow.data import duplicates, origin, places
from vitflow.data.canonical import canonical, statistics
from vitflow.data.manifest import check_shares, data_digest, read_manifest
from vitflow.data.raw import SHOWN, SPLITS, DataError, spell_name
from vitflow.data.sources import read
from vitflow.data.splits import Data, divide
from vitflow.machine.files import FileProblem, read_json
from vitflow.study.dataset import Dataset

#: images of each class in the published data sets
PER_CLASS = {"cifar10": {"train": 5000, "test": 1000}, "cifar100": {"train": 500, "test": 100}}
#: names that class folders must have, so that they do not change the manifest
CLASSES = {
    "cifar10": ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"],
}
#: content digests (see :func:`~vitflow.data.canonical.content_digest`)
DIGESTS = {
    "cifar10": {
        "train": "8268ccb7cba901e48df35815ee575791d06e6053421932edd6f9999a1eb422be",
        "test": "7c136c2a0ca97f3a3a90290654794b7fc701b5c8f869b263d9d29dc8c4a6ee60",
    }
}


def is_prepared(dataset: Dataset) -> bool:
    """Whether prepared images and their manifest are there; not whether they are right."""
    return places.prepared(dataset.key).exists() and places.manifest(dataset.key).exists()


def _never(difference: str) -> bool:
    """Other images replace the recorded ones only where somebody says so."""
    return False


def prepare(
    dataset: Dataset,
    path: str | None = None,
    *,
    studied: Iterable[Dataset] = (),
    may_replace: Callable[[str], bool] = _never,
) -> dict[str, Any]:
    """Write the prepared images and their manifest; returns the manifest.

    The source is always read: ``path``, or what ``dataset`` names. ``studied`` is what runs take of the images.
    ``may_replace`` is asked, and told the difference, where a manifest of other images is there. Raises DataError for a
    damaged source, a digest that is not the published one, a class with too few images for a split, and other images
    than recorded that may not replace them; then nothing is overwritten.
    """
    with _locked(dataset):
        return _prepare(dataset, path or dataset.path, studied, may_replace)


def load(dataset: Dataset) -> Data:
    """The splits as a run uses them (:func:`~vitflow.data.splits.divide`), from the prepared file.

    The file is made first if it is missing. Raises DataError, also where it is not the one that the manifest describes,
    or the source has changed since.
    """
    prepared = places.prepared(dataset.key)
    if not is_prepared(dataset):
        with _locked(dataset):
            if not is_prepared(dataset):  # another process may have done it while this one waited
                _prepare(dataset, dataset.path, (), _never)
    else:
        origin.check(dataset)
    manifest = read_manifest(dataset)
    content = prepared.read_bytes()
    if (found := hashlib.sha256(content).hexdigest()) != manifest["sha256"]:
        raise DataError(
            f"{prepared}: sha256 is {found}, the manifest says {manifest['sha256']}; delete it, and it is made again"
        )
    tensors = load_tensors(content)
    if dataset.duplicates == "drop":
        stay = duplicates.kept(*(tensors[name].numpy() for name in ("train_images", "train_labels", "test_images")))
        tensors |= {name: tensors[name][torch.from_numpy(stay)] for name in ("train_images", "train_labels")}
    return divide(tensors, manifest, dataset, data_digest(dataset.key))


# ------------------------------------------------------------------------------------------ making


def _prepare(
    dataset: Dataset, path: str | None, studied: Iterable[Dataset], may_replace: Callable[[str], bool]
) -> dict[str, Any]:
    """As :func:`prepare`, for who holds the lock."""
    source, where = dataset.model_copy(update={"path": path}), spell_name(path or dataset.name)
    raw = read(source)
    size, channels, _ = dataset.shape
    manifest: dict[str, Any] = {
        "name": dataset.name,
        "image_size": size,
        "channels": channels,
        "classes": list(raw.classes),
        "counts": {},
        "digests": {},
        "duplicates": duplicates.count(raw),
        "dropped": duplicates.dropped(raw),
    }
    arrays: dict[str, np.ndarray] = {}
    for split in SPLITS:
        part, manifest["digests"][split] = canonical(raw.splits[split])
        counts = np.bincount(part.labels, minlength=len(raw.classes)).tolist()
        manifest["counts"][split] = dict(zip(raw.classes, counts, strict=True))
        arrays |= {f"{split}_images": part.images, f"{split}_labels": part.labels}
    manifest["mean"], manifest["std"] = statistics(arrays["train_images"])
    if 0 in manifest["std"]:
        raise DataError(f"{where}: a channel has one value in all training images; was the export correct?")
    _check_published(source, manifest)
    for one in studied:
        check_shares(one, manifest)
    if (difference := _difference(dataset, manifest)) and not may_replace(difference):
        raise DataError(
            f"{where}: other images or names than {places.manifest(dataset.key)} has recorded: {difference}; correct "
            "dataset.path, or take these with `vitflow prepare --replace`, and results of other images are stale"
        )
    content = save(arrays)
    manifest["sha256"] = hashlib.sha256(content).hexdigest()
    _write(places.prepared(dataset.key), content)
    _write(places.manifest(dataset.key), (json.dumps(manifest, sort_keys=True, indent=1) + "\n").encode())
    # published images are those of the digest, wherever they came from
    origin.record(dataset, None if dataset.name in DIGESTS else path)
    return manifest


def _check_published(dataset: Dataset, manifest: dict[str, Any]) -> None:
    """Raise DataError where a published data set is incomplete, renamed or altered."""
    where = spell_name(dataset.path or dataset.name)
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


def _difference(dataset: Dataset, manifest: dict[str, Any]) -> str:
    """How the images of ``manifest`` differ from the recorded ones; '' where they do not, or none are recorded."""
    path = places.manifest(dataset.key)
    if not path.exists():
        return ""
    try:
        recorded = read_json(path, "digests")  # all that an older version's manifest must have
    except FileProblem as problem:
        raise DataError(str(problem)) from None
    told = []
    for split, digest in manifest["digests"].items():
        if digest != recorded["digests"].get(split):
            now, before = manifest["counts"][split], recorded.get("counts", {}).get(split, {})
            names = [name for name in sorted({*now, *before}) if now.get(name, 0) != before.get(name, 0)]
            counts = [f"{spell_name(name)} {now.get(name, 0)} for {before.get(name, 0)}" for name in names[:SHOWN]]
            told.append(f"{split} ({', '.join(counts) or 'as many of each class'}{', ...' * (len(names) > SHOWN)})")
    if not told:  # a class renamed so that the order stays
        pairs = zip(recorded.get("classes", ()), manifest["classes"], strict=False)
        renamed = [f"{spell_name(now)} for {spell_name(before)}" for before, now in pairs if now != before]
        if renamed:
            told.append(f"names of classes ({', '.join(renamed[:SHOWN])}{', ...' * (len(renamed) > SHOWN)})")
    return ", ".join(told)


# ----------------------------------------------------------------------------------------- writing


@contextmanager
def _locked(dataset: Dataset) -> Iterator[None]:
    """One process at a time prepares a data set; the others wait."""
    lock = FileLock(places.prepared(dataset.key).with_suffix(".lock"))
    try:
        places.DATA.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except OSError as error:
        raise _unwritable(places.DATA, error) from None
    try:
        yield
    finally:
        lock.release()


def _write(path: Path, content: bytes) -> None:
    """Whole or not at all: written under a temporary name beside it, synced, renamed; not if it is the same."""
    if path.exists() and path.read_bytes() == content:
        return
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
