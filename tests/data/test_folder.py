"""Class folders and zips of them: one clear line where something is damaged, missing or of another kind."""

from __future__ import annotations

import os
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image, ImageFile
from support.images import SIZE, folder, lock, make_images, refused, same, source, write_tree, write_zip

from vitflow.data.prepare import load, prepare
from vitflow.data.raw import DataError, OutOfReach, reach


def test_a_missing_path_is_named() -> None:
    refused(folder("nowhere/pets"), "nowhere/pets: no such file or folder", "dataset.path")


@pytest.mark.parametrize("path", ["~nobodyxyz/pets", "a\0b"])
def test_a_path_that_leads_nowhere_is_told(path: str) -> None:
    with pytest.raises(OutOfReach, match="no such file or folder"):
        reach(path)


def test_a_path_that_is_too_long_is_told() -> None:
    refused(folder("x" * 5000), "xxx: cannot be read (File name too long); correct dataset.path")


@pytest.mark.parametrize("locked", ["source", "source/pets"])
def test_a_place_that_may_not_be_read_is_told(locked: str, monkeypatch: pytest.MonkeyPatch) -> None:
    source()
    lock(monkeypatch, Path(locked))
    refused(folder(), "source/pets: cannot be read (Permission denied); correct dataset.path")


def test_a_path_that_would_move_the_cursor_is_told_with_escapes() -> None:
    Path("a\x1b[31mb").mkdir()
    with pytest.raises(DataError, match=r"^'a\\x1b\[31mb': no images"):
        prepare(folder(), "a\x1b[31mb")


def test_an_empty_folder_is_refused() -> None:
    Path("source/pets").mkdir(parents=True)
    refused(folder(), "source/pets: no images", "train/<class>/*")


@pytest.mark.parametrize("keep", [0, 100, 3000])
def test_a_truncated_zip_is_named(keep: int) -> None:
    archive = write_zip(Path("zips/pets.zip"), source())
    assert archive.stat().st_size > 3000
    archive.write_bytes(archive.read_bytes()[:keep])
    refused(folder(archive), "zips/pets.zip: damaged or incomplete zip archive", "copy it again")


def test_a_damaged_member_of_a_zip_is_named() -> None:
    archive = write_zip(Path("zips/pets.zip"), source())
    with zipfile.ZipFile(archive) as handle:
        member = handle.getinfo("test/dog/1.png")
    content = bytearray(archive.read_bytes())
    content[member.header_offset + 60] ^= 0xFF
    archive.write_bytes(content)
    refused(folder(archive), "zips/pets.zip/test/dog/1.png: cannot be read (Bad CRC-32", "copy it again")


def test_a_missing_archive_is_noticed_by_its_classes() -> None:
    write_zip(Path("zips/pets/1of2.zip"), source(), only="cat")
    refused(
        folder("zips/pets"),
        "zips/pets: 1 classes (cat), expected 2",
        "is a folder or archive missing, or dataset.classes wrong?",
    )


def test_a_class_missing_in_a_split_is_named() -> None:
    shutil.rmtree(source() / "test/dog")
    refused(folder(), "source/pets: no images in test/dog")


def test_the_same_file_in_two_archives_is_named() -> None:
    for name in ("one", "two"):
        write_zip(Path(f"zips/pets/{name}.zip"), source() if name == "one" else Path("source/pets"))
    refused(folder("zips/pets"), "two.zip", "also in zips/pets/one.zip", "keep one")


def truncated(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-40])


def no_image(file: Path) -> None:
    file.write_bytes(b"<html>404</html>")


def too_large(file: Path) -> None:
    Image.new("RGB", (SIZE + 1, SIZE)).save(file)


def greyscale(file: Path) -> None:
    Image.new("L", (SIZE, SIZE)).save(file)


def transparent(file: Path) -> None:
    Image.new("RGBA", (SIZE, SIZE)).save(file)


def unknown_format(file: Path) -> None:
    file.rename(file.with_suffix(".tiff"))


def too_deep(file: Path) -> None:
    (file.parent / "more").mkdir()
    file.rename(file.parent / "more/1.png")


@pytest.mark.parametrize(
    ("damage", "fragments"),
    [
        (truncated, ["train/cat/1.png: unreadable image", "copy it again"]),
        (no_image, ["train/cat/1.png: not the data of a PNG, JPEG or WebP image", "copy it again"]),
        (too_large, ["train/cat/1.png: 7x6 pixels, expected 6x6", "resize it"]),
        (greyscale, ["train/cat/1.png: mode L, expected 3 channel(s)", "convert it"]),
        (transparent, ["train/cat/1.png: mode RGBA with transparency, expected 3 channel(s)", "convert it"]),
        (unknown_format, ["train/cat/1.tiff: not a PNG, JPEG or WebP file", "convert or remove it"]),
        (too_deep, ["train/cat/more: a folder; expected train/<class>/<image>", "move or remove it"]),
    ],
)
def test_a_damaged_image_is_named(damage: Callable[[Path], None], fragments: list[str]) -> None:
    damage(source() / "train/cat/1.png")
    refused(folder(), *fragments)


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp"])
def test_a_truncated_image_is_refused_in_every_format(suffix: str) -> None:
    tree = write_tree(Path("source/pets"), make_images(size=16), suffix)
    prepare(folder(image_size=16))
    shutil.rmtree("data")
    truncated(tree / f"train/cat/1{suffix}")
    refused(folder(image_size=16), f"train/cat/1{suffix}: unreadable image")


def test_a_truncated_image_is_refused_whatever_another_library_told_pillow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", True)  # as WeasyPrint does when it is imported
    truncated(source() / "train/cat/1.png")
    refused(folder(), "train/cat/1.png: unreadable image")
    assert ImageFile.LOAD_TRUNCATED_IMAGES is True, "theirs again"


def test_colour_is_refused_where_one_channel_is_expected() -> None:
    source()
    refused(folder(channels=1), "mode RGB, expected 1 channel(s)")


def test_a_channel_without_contrast_is_refused() -> None:
    images = make_images()
    for members in images["train"].values():
        for image in members:
            image[..., 1] = 7
    write_tree(Path("source/pets"), images)
    refused(folder(), "source/pets: a channel has one value in all training images")


@pytest.mark.parametrize("name", ["Thumbs.db", "THUMBS.DB", "ehthumbs.db", "Desktop.ini", "Icon\r", ".hidden.png"])
def test_what_file_managers_leave_is_passed_over(name: str) -> None:
    tree = source()
    expected = load(folder())
    (tree / "train/cat" / name).write_text("not an image")
    (tree / "train/@eaDir").mkdir()
    (tree / "train/@eaDir/SYNO").write_text("neither")
    shutil.rmtree("data")
    assert same(load(folder()), expected)


def test_all_files_that_cannot_be_used_are_told_at_once() -> None:
    tree = source()
    truncated(tree / "train/cat/1.png")
    too_large(tree / "train/dog/2.png")
    too_large(tree / "test/dog/0.png")
    (tree / "test/cat/notes.txt").write_text("not an image")
    message = refused(folder(), "4 cannot be used: ", "train/cat/1.png: unreadable image", "test/cat/notes.txt: not")
    assert "train/dog/2.png, source/pets/test/dog/0.png: 7x6 pixels, expected 6x6; resize it" in message
    assert "more)" not in message


def test_of_many_files_ten_are_named() -> None:
    tree = write_tree(Path("source/pets"), make_images(train=20))
    for file in (tree / "train").rglob("*.png"):
        too_large(file)
    message = refused(folder(), "40 cannot be used: ", "7x6 pixels", "(and 30 more)")
    assert message.count(".png") == 10


def test_a_pipe_that_calls_itself_an_archive_does_not_hang() -> None:
    place = Path("pipes")
    place.mkdir()
    os.mkfifo(place / "x.zip")
    refused(folder(place), "pipes: no images")
