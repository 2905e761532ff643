"""Folders that take long to make, made once for all workers of a test run.

pytest-xdist's `xdist_group`, which would keep tests that share a folder on one worker, does nothing with pytest 9.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from filelock import FileLock


def work_in(folder: Path, copy: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of a shared folder, as the current folder of a test."""
    shutil.copytree(folder, copy, dirs_exist_ok=True)
    monkeypatch.chdir(copy)
    return copy


def once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], object]) -> Path:
    """A folder that ``make`` fills, by whichever worker comes first; the others wait. Not to be changed by tests."""
    base = factory.getbasetemp()
    shared = base.parent if base.name.startswith("popen-") else base  # a worker has a folder of its own in the run's
    folder, made = shared / name, shared / f"{name}.made"
    with FileLock(shared / f"{name}.lock"):
        if not made.exists():
            folder.mkdir()
            make(folder)
            made.touch()
    return folder
