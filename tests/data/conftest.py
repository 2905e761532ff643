"""Images are prepared into ``data/`` of the current folder, so that every test here has a folder of its own."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(in_an_empty_folder: None) -> None:
    """For every test, asked for or not."""
