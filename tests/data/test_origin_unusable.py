"""What cannot be used in a source is told by later steps too, as far as it is seen without reading images."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from support.images import folder, lock, refused, source, write_zip

from vitflow.data.manifest import check_prepared
from vitflow.data.prepare import load, prepare


def test_images_that_may_not_be_read_are_not_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    tree = source()
    prepare(folder())
    lock(monkeypatch, tree / "train/dog")
    message = refused(folder(), "files 1 that cannot be used (", "/train/dog: cannot be read (Permission", action=load)
    assert "gone" not in message


def a_folder_in_a_class(tree: Path) -> None:
    (tree / "train/dog/sub").mkdir()
    shutil.copy(tree / "train/dog/0.png", tree / "train/dog/sub/x.png")


def an_image_beside(tree: Path) -> None:
    (tree / "val").mkdir()
    shutil.copy(tree / "train/dog/0.png", tree / "val/x.png")


def an_empty_class(tree: Path) -> None:
    (tree / "train/cow").mkdir()


def a_link_out(tree: Path) -> None:
    (tree / "test/dog/x.png").symlink_to("/etc/hostname")


def a_pipe_for_an_image(tree: Path) -> None:
    (tree / "test/dog/0.png").unlink()
    os.mkfifo(tree / "test/dog/0.png")


def a_text_in_a_class(tree: Path) -> None:
    (tree / "test/dog/x.txt").write_text("words")


UNUSABLE = {
    a_folder_in_a_class: "/train/dog/sub: a folder",
    an_image_beside: "/val: not in train/<class>",
    an_empty_class: "/train/cow: a class without images",
    a_link_out: "/test/dog/x.png: a link that leads out",
    a_pipe_for_an_image: "/test/dog/0.png: a named pipe",
    a_text_in_a_class: "/test/dog/x.txt: not a PNG",
}


@pytest.mark.parametrize("change", UNUSABLE)
def test_what_preparing_would_refuse_is_told_without_preparing(change: Callable[[Path], None]) -> None:
    tree = source()
    prepare(folder())
    change(tree)
    told = ["files 1 that cannot be used (", UNUSABLE[change]]
    refused(folder(), *told, action=lambda dataset: check_prepared([dataset]))
    refused(folder(), UNUSABLE[change])


def test_what_lies_beside_archives_later_is_told() -> None:
    write_zip(Path("zips/pets/all.zip"), source())
    prepare(folder("zips/pets"))
    Path("zips/pets/more.zip.part").write_bytes(b"PK")
    refused(folder("zips/pets"), "files 1 that cannot be used (", "/more.zip.part: beside zip archives", action=load)
