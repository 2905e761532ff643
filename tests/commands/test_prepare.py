"""`vitflow prepare`: images once, verified when they are there."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from support.commands import Mistake
from support.results import IMAGES, MANIFEST

from vitflow import cli


def test_data_that_cannot_be_written_are_told(here: Path, mistake: Mistake) -> None:
    shutil.rmtree(here / "data")
    (here / "data").write_text("a file in the way")
    assert "data: cannot be written" in mistake("prepare")


def test_images_that_are_prepared_are_verified_and_not_prepared_again(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = {path: (path.stat().st_ino, path.read_bytes()) for path in (IMAGES, MANIFEST)}
    assert cli.main(["prepare"]) == 0
    assert capsys.readouterr().out == f"{IMAGES}: 1438 train, 359 test images, 10 classes\n"
    assert {path: (path.stat().st_ino, path.read_bytes()) for path in before} == before


def test_images_that_went_away_are_prepared_as_they_were(here: Path) -> None:
    before = IMAGES.read_bytes()
    IMAGES.unlink()
    assert cli.main(["prepare"]) == 0
    assert IMAGES.read_bytes() == before


def test_damaged_images_are_told(here: Path, mistake: Mistake) -> None:
    content = bytearray(IMAGES.read_bytes())
    content[-1] ^= 1
    IMAGES.write_bytes(content)
    assert mistake("prepare").startswith(f"vitflow: {IMAGES}: ")
