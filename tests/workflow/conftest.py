"""The tiny study, run by the real Snakefile, recorded and restored: each made once for all tests of a run."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from support.checkouts import copy_code, git, snakemake
from support.dvc import cloned, dvc, record_and_push, repository, vitflow
from support.shared import once


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny study, run to its deck."""
    return once(tmp_path_factory, "finished", lambda where: snakemake(copy_code(where)))


@pytest.fixture(scope="session")
def recorded(finished: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The study where it ran: recorded, committed, pushed to a folder beside it."""

    def make(home: Path) -> None:
        record_and_push(repository(finished, home / "study"), home / "remote")

    return once(tmp_path_factory, "recorded", make) / "study"


@pytest.fixture(scope="session")
def restored(recorded: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clone of it elsewhere, with all that the remote keeps."""

    def make(home: Path) -> None:
        assert "10 files restored, 10 verified" in vitflow(cloned(recorded, home / "study"), "restore")

    return once(tmp_path_factory, "restored", make) / "study"


@pytest.fixture
def here(restored: Path, tmp_path: Path) -> Path:
    """A restored clone to change at will."""
    return Path(shutil.copytree(restored, tmp_path / "here"))


@pytest.fixture
def bare(recorded: Path, tmp_path: Path) -> Path:
    """A clone that knows of no remote: no weights, arrays or images."""
    where = cloned(recorded, tmp_path / "bare")
    dvc(where, "remote", "remove", "store")
    git(where, "commit", "--quiet", "--all", "--message", "no remote")
    return where
