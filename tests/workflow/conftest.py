"""The tiny study, run once for all files here; they share it by staying on one worker (xdist group "workflow")."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.checkouts import copy_code, snakemake


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny study, run to its deck."""
    where = copy_code(tmp_path_factory.mktemp("finished"))
    snakemake(where)
    return where
