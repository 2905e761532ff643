"""The Chromium of this machine, where there is one."""

from __future__ import annotations

import shutil

import pytest

from vitflow.slides import pdf

PATH = next((path for name in pdf.BROWSERS if (path := shutil.which(name))), None)
needs_chromium = pytest.mark.skipif(PATH is None, reason="needs a Chromium")


def chromium() -> pdf.Chromium:
    """It, as a renderer."""
    assert PATH is not None
    return pdf.Chromium(PATH)
