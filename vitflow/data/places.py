"""Where prepared images and their manifests live, by the key of a dataset."""

from __future__ import annotations

from pathlib import Path

DATA = Path("data")


def manifest(dataset: str) -> Path:
    """Counts, classes and digests of a prepared dataset (kept by git)."""
    return DATA / f"{dataset}.json"


def origin(dataset: str) -> Path:
    """Where the prepared images came from on this machine (kept by nobody)."""
    return DATA / f"{dataset}.origin.json"


def prepared(dataset: str) -> Path:
    """Prepared images and labels (kept by DVC)."""
    return DATA / f"{dataset}.safetensors"
