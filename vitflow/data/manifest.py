"""What a manifest says of prepared images. No torch here, and no images."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from vitflow.data import places
from vitflow.data.raw import DataError
from vitflow.data.shares import shares
from vitflow.machine.files import FileProblem, read_json, sha256_text
from vitflow.study.dataset import Dataset


def data_digest(dataset: str) -> str:
    """Identity of the prepared data, from its manifest. Raises FileProblem if there is none."""
    manifest = places.manifest(dataset)
    if not manifest.exists():
        raise FileProblem(f"{manifest}: no such file; run `vitflow prepare` first")
    digests = read_json(manifest, "digests")["digests"]
    return sha256_text(digests["train"] + digests["test"])


def check_prepared(datasets: Sequence[Dataset]) -> None:
    """Raise DataError where a study cannot be trained on what is prepared; asked before any job.

    ``datasets`` are what its runs take of the same images. These come from a place that can be reached and is not what
    it was then, or a class has too few of them.
    """
    first = datasets[0]
    if not places.manifest(first.key).exists():
        return
    manifest = read_manifest(first)
    for dataset in datasets:
        check_shares(dataset, manifest)
    if places.origin(first.key).exists():
        from vitflow.data import origin  # not before: it reads images, and Snakemake only plans

        origin.check(first)


def check_shares(dataset: Dataset, manifest: dict[str, Any]) -> None:
    """Raise DataError where a class has too few images for the splits of ``dataset``."""
    classes = manifest["classes"]
    for label, name in enumerate(classes):
        dropped = manifest["dropped"][name] if dataset.duplicates == "drop" else 0
        try:
            shares(dataset, classes, label, manifest["counts"]["train"][name] - dropped)
        except DataError as problem:
            more = f"; {dropped:,} more are dropped as duplicates, see docs/images.md" if dropped else ""
            raise DataError(f"{problem}{more}") from None


def notes(dataset: Dataset) -> list[str]:
    """What a user should know of the prepared images: a line for each kind of duplicates, and what is dropped."""
    if not places.manifest(dataset.key).exists():
        return []
    from vitflow.data.duplicates import told  # not before: Snakemake reads manifests without numpy

    manifest = read_manifest(dataset)
    lines = told(manifest["duplicates"])
    if lines and dataset.duplicates == "drop":
        lines.append(f"{sum(manifest['dropped'].values()):,} training images are dropped")
    elif lines:
        lines.append("all are kept (with dataset.duplicates as drop, training goes without)")
    return lines


def read_manifest(dataset: Dataset) -> dict[str, Any]:
    """The manifest, after a check that it is whole and describes images of the configured shape."""
    path = places.manifest(dataset.key)
    try:
        manifest: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        missing = {"classes", "counts", "digests", "dropped", "duplicates", "mean", "std", "sha256"} - manifest.keys()
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
