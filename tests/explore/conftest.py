"""Pages that several tests open."""

from __future__ import annotations

import pytest
from support.analysis import example_study
from support.explore import Page, make


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Page:
    """A study whose baseline and ResNet give features; a run has no seed that finished. Not to be changed."""
    study = example_study(3, 6, features={"runs": ["baseline", "resnet18"]})
    return make(tmp_path_factory.mktemp("page"), study, {"heads=96": 3, "patch_size=8": 1})
