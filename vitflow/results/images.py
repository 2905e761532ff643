"""Which images results are of, by the digest that a manifest states. No torch here."""

from __future__ import annotations

import functools
from pathlib import Path

from vitflow.data import places
from vitflow.data.manifest import data_digest
from vitflow.machine.files import read_json
from vitflow.results.layout import RESULTS


def prepared_images(dataset: str) -> str | None:
    """Identity of the prepared images of a dataset (its key); None before they are prepared."""
    manifest = places.manifest(dataset)
    return _digest_of(dataset, manifest.stat().st_mtime_ns) if manifest.exists() else None


@functools.lru_cache(maxsize=64)
def _digest_of(dataset: str, changed: int) -> str:
    """Read once for all jobs, until the file is another one."""
    return data_digest(dataset)


def trained_on(images: str) -> list[Path]:
    """train.json of every run, of whatever study, that saw those images. Raises FileProblem for a damaged one."""
    found = sorted(RESULTS.glob("*/runs/*/seed*/train.json"))
    return [path for path in found if read_json(path).get("data_digest") == images]
