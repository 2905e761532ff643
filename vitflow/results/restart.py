"""Whether a Snakemake that locked this folder still lives.

Snakemake's locks are files that stay when it is killed, and then people have to remove them by hand. Here each of its
main processes also holds a lock of the system on its files, which ends with the process, however it ends, on any host.
"""

from __future__ import annotations

import fcntl
from contextlib import suppress
from pathlib import Path
from typing import IO

_held: list[IO[str]] = []  # until this process ends


def hold_locks(folder: Path) -> None:
    """Hold those of Snakemake's locks that nobody holds: this process has just made them."""
    for path in folder.glob("*.lock"):
        with suppress(FileNotFoundError):
            file = path.open("r+")
            if _is_free(file):
                _held.append(file)
            else:
                file.close()


def remove_dead_locks(folder: Path) -> None:
    """Remove those of Snakemake's locks whose process has ended without doing so."""
    for path in folder.glob("*.lock"):
        with suppress(FileNotFoundError), path.open("r+") as file:
            if _is_free(file):
                path.unlink()


def _is_free(file: IO[str]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
