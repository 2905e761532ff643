"""Where an artifact came from: code, versions, device, and a digest of itself, so that an edit is noticed.

No torch here, unless the name of a GPU is asked for.
"""

from __future__ import annotations

import datetime
import importlib.metadata
import json
import platform
import subprocess
from pathlib import Path
from typing import Any

from vitflow import __version__
from vitflow.machine.device import device_name
from vitflow.machine.files import sha256_text, write_json
from vitflow.results.code import PACKAGE, source_digest


def write_sealed(path: Path, value: dict[str, Any]) -> None:
    """Publish ``value`` as JSON with ``digest``, the digest of all the rest: whoever edits it by hand is noticed."""
    write_json(path, value | {"digest": seal(value)})


def seal(value: dict[str, Any]) -> str:
    """Digest of a JSON object without its key ``digest``; spacing and the order of keys do not count."""
    rest = {key: part for key, part in value.items() if key != "digest"}
    return sha256_text(json.dumps(rest, sort_keys=True, separators=(",", ":")))


def provenance(*rooms: str, device: str = "cpu", threads: int | None = None) -> dict[str, Any]:
    """Where an artifact came from: sources of ``rooms``, git commit, versions, device, date (UTC)."""
    record: dict[str, Any] = {
        "vitflow": __version__,
        "sources": source_digest(*rooms),
        "git": _git_commit(),
        "python": platform.python_version(),
        "versions": {name: _version(name) for name in ("torch", "numpy", "scikit-learn", "matplotlib")},
        "device": device_name(device),
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
    }
    return record | ({"threads": threads} if threads else {})


def _git_commit() -> str | None:
    def git(*words: str) -> str:
        return subprocess.run(["git", *words], capture_output=True, text=True, check=True, cwd=PACKAGE).stdout.strip()

    try:
        return git("rev-parse", "HEAD") + ("+changes" if git("status", "--porcelain", "--", ".") else "")
    except (OSError, subprocess.CalledProcessError):
        return None


def _version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return "absent"
