"""What a manifest says of prepared images. No torch here, and no images."""

from __future__ import annotations

import json
from typing import Any

from vitflow.data import places
from vitflow.data.raw import DataError
from vitflow.machine.files import FileProblem, read_json, sha256_text
from vitflow.study.dataset import Dataset


def data_digest(dataset: str) -> str:
    """Identity of the prepared data, from its manifest. Raises FileProblem if there is none."""
    manifest = places.manifest(dataset)
    if not manifest.exists():
        raise FileProblem(f"{manifest}: no such file; run `vitflow prepare` first")
    digests = read_json(manifest)["digests"]
    return sha256_text(digests["train"] + digests["test"])


def read_manifest(dataset: Dataset) -> dict[str, Any]:
    """The manifest, after a check that it is whole and describes images of the configured shape."""
    path = places.manifest(dataset.key)
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
