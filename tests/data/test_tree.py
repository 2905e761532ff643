"""Which files of a tree are read: regular ones that lie in it, nothing that hangs, never ends or leads elsewhere."""

from __future__ import annotations

import os
import shutil
import socket
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image
from support.images import SIZE, folder, lock, refused, source

from vitflow.data.prepare import prepare


def a_pipe(place: Path) -> None:
    os.mkfifo(place)


def a_socket(place: Path) -> None:
    socket.socket(socket.AF_UNIX).bind(str(place))


def a_broken_link(place: Path) -> None:
    place.symlink_to("nowhere.png")


def a_link_to_itself(place: Path) -> None:
    place.symlink_to(place.name)


def a_link_out(place: Path) -> None:
    outside = Path("outside.png").absolute()
    Image.new("RGB", (SIZE, SIZE)).save(outside)
    place.symlink_to(outside)


def a_link_to_a_folder_out(place: Path) -> None:
    place.symlink_to(Path("/etc"))


def a_loop(place: Path) -> None:
    place.symlink_to("../..")


def a_device(place: Path) -> None:
    os.mknod(place, 0o600 | stat.S_IFCHR, os.makedev(1, 5))  # /dev/zero, which never ends


def a_huge_file(place: Path) -> None:
    with place.open("wb") as file:
        file.truncate(10**11)


ODD = {
    a_pipe: "a named pipe, socket or device; remove it",
    a_socket: "a named pipe, socket or device; remove it",
    a_device: "a named pipe, socket or device; remove it",
    a_broken_link: "a link to nothing, or to itself",
    a_link_to_itself: "a link to nothing, or to itself",
    a_link_out: "a link that leads out of the folder of images",
    a_link_to_a_folder_out: "a link that leads out of the folder of images",
    a_loop: "a folder; expected train/<class>/<image>",
    a_huge_file: "larger than 64 MiB; is it an image?",
}


@pytest.mark.parametrize("make", ODD)
def test_only_regular_files_within_the_tree_are_read(make: Callable[[Path], None]) -> None:
    place = source() / "train/cat/odd.png"
    try:
        make(place)
    except PermissionError:
        pytest.skip("only root may make devices")
    refused(folder(), "source/pets/train/cat/odd.png: ", ODD[make])


def test_a_class_folder_or_split_that_leads_elsewhere_is_refused() -> None:
    tree = source()
    shutil.move(tree / "train/dog", "dog")
    (tree / "train/dog").symlink_to(Path("dog").absolute())
    refused(folder(), "source/pets/train/dog: a link that leads out of the folder of images")


def test_of_a_split_that_leads_elsewhere_no_file_is_read() -> None:
    tree = source()
    shutil.move(tree / "train", "train")
    (tree / "train").symlink_to(Path("train").absolute())
    Path("train/cat/0.png").write_bytes(b"damaged")
    message = refused(folder(), "source/pets/train: a link that leads out of the folder of images")
    assert "damaged" not in message and "0.png" not in message


def test_a_link_within_the_tree_is_what_it_leads_to() -> None:
    tree = source()
    (tree / "train/cat/again.png").symlink_to("0.png")
    assert prepare(folder())["duplicates"]["repeated"]["count"] == 1


def test_a_folder_that_may_not_be_read_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    lock(monkeypatch, source() / "train/dog")
    message = refused(folder(), "source/pets/train/dog: cannot be read (Permission denied); check its permissions")
    assert "without images" not in message


BESIDE = "not in train/<class> or test/<class>; move it there"


@pytest.mark.parametrize(
    "place",
    ["0.png", "val/cat/0.png", "extra/deep/er/0.JPG", "Train/cat/0.png", "originals/0.HEIC", "val/0.tif", "0.gif"],
)
def test_images_beside_the_splits_are_told(place: str) -> None:
    file = source() / place
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(b"an image of some kind")
    told = place.split("/")[0]
    refused(folder(), f"source/pets/{told}: {BESIDE} (validation images are drawn from train)")


@pytest.mark.parametrize(
    "place", ["README.md", "docs/labels.csv", ".cache/0.png", "docs/.thumbs/0.png", "lost+found/0.png"]
)
def test_what_is_no_image_beside_the_splits_is_nobodys_business(place: str) -> None:
    tree = source()
    (tree / place).parent.mkdir(parents=True, exist_ok=True)
    (tree / place).write_bytes(b"words")
    prepare(folder())


def test_a_class_without_images_is_told() -> None:
    tree = source()
    for split in ("train", "test"):
        (tree / split / "cow").mkdir()
    (tree / "test/cow/Thumbs.db").write_bytes(b"")
    told = "source/pets/train/cow, source/pets/test/cow: a class without images; remove the folder, or fill it"
    refused(folder(), told)


@pytest.mark.parametrize(("name", "split"), [("Train", "train"), ("TEST", "test"), ("training", "train")])
def test_a_split_that_is_spelled_wrongly_is_told(name: str, split: str) -> None:
    tree = source()
    shutil.copytree(tree / split, tree / name)
    refused(folder(), f"source/pets/{name}: not in train/<class> or test/<class>", f"; did you mean '{split}'?")


def test_without_splits_what_is_there_instead_is_named() -> None:
    tree = source()
    (tree / "train").rename(tree / "training")
    (tree / "test").rename(tree / "testing")
    refused(
        folder(), "expected train/<class>/* and test/<class>/*", "there are testing, training; rename testing -> test"
    )


@pytest.mark.parametrize("name", ["ehthumbs_vista.db", "Picasa.ini", "0.png~", "~", "Icon\r", "THUMBS.DB", ".0.png"])
def test_what_programs_leave_behind_is_passed_over(name: str) -> None:
    tree = source()
    expected = prepare(folder())
    (tree / "train/cat" / name).write_bytes(b"junk")
    assert prepare(folder()) == expected


@pytest.mark.parametrize("name", ["$RECYCLE.BIN", "#recycle", "@eaDir", "lost+found", "System Volume Information"])
def test_folders_that_systems_leave_behind_are_passed_over(name: str) -> None:
    tree = source()
    expected = prepare(folder())
    shutil.copytree(tree / "train/cat", tree / "train" / name)
    assert prepare(folder()) == expected
