"""What happens to the files of a study: editors, git and clocks change them, their records or their times."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from vitflow.machine.files import read_json
from vitflow.results.provenance import write_sealed


def append(path: Path, text: str = "\nand more") -> None:
    path.write_text(path.read_text() + text)


def edit(path: Path, **changes: Any) -> None:
    """As somebody with an editor does it: the record's own digest stays as it was."""
    path.write_text(json.dumps(read_json(path) | changes))


def seal_anew(path: Path, **changes: Any) -> None:
    """As vitflow itself would have written it, had it been so."""
    write_sealed(path, read_json(path) | changes)


def without(path: Path, key: str) -> None:
    path.write_text(json.dumps({name: value for name, value in read_json(path).items() if name != key}))


def set_time(path: Path, seconds: float) -> None:
    os.utime(path, (seconds, seconds))


def newer(one: Path, other: Path) -> bool:
    return one.stat().st_mtime_ns > other.stat().st_mtime_ns
