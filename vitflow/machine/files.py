"""Reading and publishing files: whole or not at all."""

from __future__ import annotations

import csv
import errno
import hashlib
import io
import json
import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any


class FileProblem(RuntimeError):
    """A file cannot be read or written; the message names it and says what to do."""


@contextmanager
def publishing(path: Path) -> Iterator[Path]:
    """A temporary path beside ``path``, fsynced and renamed to it when the block ends without an error.

    A reader sees the old file or the whole new one. Raises FileProblem where the folder cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".tmp")
        os.fchmod(handle, 0o644)
        os.close(handle)
    except OSError as error:
        raise unwritable(path, error) from None
    temporary = Path(name)
    try:
        yield temporary
        with temporary.open("rb") as written:
            os.fsync(written.fileno())
        temporary.replace(path)
    except OSError as error:
        if error.errno is None:
            raise
        raise unwritable(path, error) from None
    finally:
        with suppress(OSError):  # of a disk that became read-only
            temporary.unlink(missing_ok=True)


def sweep(folder: Path, name: str) -> None:
    """Remove what killed processes left of publishing ``name`` (a pattern); for whoever alone publishes it."""
    for leftover in folder.glob(f".{name}.????????.tmp"):
        with suppress(OSError):
            leftover.unlink(missing_ok=True)


def unwritable(path: Path, error: OSError) -> FileProblem:
    """What to tell where ``path`` cannot be written."""
    full = error.errno in (errno.ENOSPC, errno.EDQUOT)
    todo = "free some space, and the same command goes on" if full else "check the folder's permissions"
    return FileProblem(f"{path}: cannot be written ({error.strerror}); {todo}")


def write_text(path: Path, text: str) -> None:
    """Publish ``text`` as UTF-8."""
    with publishing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(path: Path, value: Any) -> None:
    """Publish ``value`` as JSON, keys sorted, so that equal content is equal bytes. NaN is not JSON: ValueError."""
    write_text(path, json.dumps(value, indent=1, sort_keys=True, allow_nan=False) + "\n")


def write_csv(path: Path, columns: Iterable[str], rows: Iterable[Mapping[str, Any]]) -> None:
    """Publish rows as CSV with Unix line ends; floats as their shortest exact spelling."""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(columns), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    write_text(path, text.getvalue())


def read_json(path: Path, *keys: str) -> Any:
    """The JSON value in a file; ``keys`` must be there. Raises FileProblem naming a missing or damaged file."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise FileProblem(f"{path}: no such file") from None
    except (OSError, ValueError) as error:
        raise FileProblem(f"{path}: damaged ({error}); delete it to have it made again") from None
    for key in keys:
        if not isinstance(value, dict) or key not in value:
            raise FileProblem(f"{path}: damaged (no '{key}'); delete it to have it made again")
    return value


def sha256(path: Path) -> str:
    """sha256 of a file's bytes, 64 hex digits. Raises FileProblem if it is missing."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise FileProblem(f"{path}: cannot be read ({error.strerror})") from None


def sha256_text(text: str) -> str:
    """sha256 of UTF-8 text, 64 hex digits."""
    return hashlib.sha256(text.encode()).hexdigest()
