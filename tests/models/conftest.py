"""One CPU thread, and torchvision before timm and vit-pytorch, which would import it as it is."""

from __future__ import annotations

import pytest

from vitflow.machine.compat import import_torchvision

import_torchvision()


@pytest.fixture(scope="module", autouse=True)
def on_one_thread(one_thread: None) -> None:
    """Models this small take half the time on one."""
