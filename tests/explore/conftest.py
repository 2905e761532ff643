"""Pages that several tests open."""

from __future__ import annotations

import pytest
from support.analysis import example_study
from support.explore import Page, make


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Page:
    """A study of 14 runs, of which one has no seed that finished and one has no measured time. Not to be changed."""
    return make(tmp_path_factory.mktemp("page"), example_study(3, 6), {"heads=96": 3, "patch_size=8": 1})
