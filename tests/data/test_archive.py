"""Zip archives of every system, and of people who mean no good."""

from __future__ import annotations

import stat
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from support.images import folder, refused, same, source, write_zip

from vitflow.data import archive as module
from vitflow.data.prepare import load


def rewritten(change: Callable[[zipfile.ZipInfo], None]) -> Path:
    """The archive of ``source()`` with other members."""
    original = write_zip(Path("original.zip"), source())
    made = Path("zips/pets.zip")
    made.parent.mkdir()
    with zipfile.ZipFile(original) as old, zipfile.ZipFile(made, "w") as new:
        for info in old.infolist():
            content = old.read(info)
            change(info)
            new.writestr(info, content)
    return made


def test_an_archive_made_on_windows_is_read() -> None:
    def backslashes(info: zipfile.ZipInfo) -> None:
        info.filename, info.create_system = info.filename.replace("/", "\\"), 0

    archive = rewritten(backslashes)
    assert b"train\\cat\\0.png" in archive.read_bytes()
    assert same(load(folder(archive)), load(folder()))


def test_names_that_macos_wrote_without_saying_that_they_are_utf8_are_read() -> None:
    tree = source()
    for split in ("train", "test"):
        (tree / split / "dog").rename(tree / split / "Äpfel")
    archive = write_zip(Path("zips/pets.zip"), tree)
    content = bytearray(archive.read_bytes())
    for mark, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        place = -1
        while (place := content.find(mark, place + 1)) >= 0:
            content[place + flags + 1] &= ~0x08
    archive.write_bytes(content)
    assert zipfile.ZipFile(archive).infolist()[0].filename != "train/Äpfel/5.png", "Python alone reads other letters"
    assert load(folder(archive)).classes == ("cat", "Äpfel")


def test_folders_of_macos_are_passed_over() -> None:
    archive = write_zip(Path("zips/pets.zip"), source())
    with zipfile.ZipFile(archive, "a") as handle:
        for name in ("__MACOSX/train/cat/._0.png", "train/cat/.DS_Store", "train/", "train/dog/", "other/"):
            handle.writestr(name, b"")
    assert same(load(folder(archive)), load(folder()))


@pytest.mark.parametrize(
    "name",
    [
        "../train/cat/x.png",
        "train/cat/../../x.png",
        "/train/cat/x.png",
        "C:\\train\\cat\\x.png",
        "..\\train\\cat\\x.png",
    ],
)
def test_names_that_lead_out_of_an_archive_are_refused(name: str) -> None:
    archive = write_zip(Path("zips/pets.zip"), source())
    with zipfile.ZipFile(archive, "a") as handle:
        handle.writestr(zipfile.ZipInfo(name), b"")
    refused(folder(archive), "a name that leads out of the archive", "make the archive again")


def test_a_link_in_an_archive_is_refused() -> None:
    archive = write_zip(Path("zips/pets.zip"), source())
    link = zipfile.ZipInfo("train/cat/link.png")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(archive, "a") as handle:
        handle.writestr(link, "/etc/passwd")
    refused(folder(archive), "zips/pets.zip/train/cat/link.png: a link")


def test_an_encrypted_member_is_refused() -> None:
    archive = write_zip(Path("zips/pets.zip"), source())
    content = bytearray(archive.read_bytes())
    content[content.find(b"PK\x01\x02") + 8] |= 1
    archive.write_bytes(content)
    refused(folder(archive), "encrypted; make the archive again without a password")


def test_a_member_that_would_fill_the_memory_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    archive = write_zip(Path("zips/pets.zip"), source())
    with zipfile.ZipFile(archive, "a", zipfile.ZIP_DEFLATED) as handle:
        handle.writestr("train/cat/bomb.png", bytes(module.LARGEST + 1))
    assert archive.stat().st_size < 200_000
    refused(folder(archive), "zips/pets.zip/train/cat/bomb.png: larger than 64 MiB once unpacked")


def test_names_that_begin_with_the_current_folder_are_read() -> None:
    def dotted(info: zipfile.ZipInfo) -> None:
        info.filename = f"./{info.filename}".replace("/cat/", "/./cat/")

    assert same(load(folder(rewritten(dotted))), load(folder()))


def test_names_in_an_untold_alphabet_are_refused() -> None:
    names = {"cat": "猫", "dog": "犬"}
    archive = rewritten(lambda info: None)
    content = archive.read_bytes()
    for name, japanese in names.items():  # as Windows writes them in Japan: three bytes, no word on the alphabet
        written = (japanese.encode("shift_jis") + b"_")[:3]
        content = content.replace(f"/{name}/".encode(), b"/" + written + b"/")
    archive.write_bytes(content)
    refused(folder(archive), "18 files cannot be used", "in an alphabet that the archive does not tell")


@pytest.mark.parametrize("name", ["0.png", "pets/val/cat/0.jpeg"])
def test_images_beside_the_splits_are_told(name: str) -> None:
    archive = write_zip(Path("zips/pets.zip"), source(), prefix="pets/")
    with zipfile.ZipFile(archive, "a") as handle:
        handle.writestr("pets/README.md", "words")
        handle.writestr(name, b"")
    refused(folder(archive), f"zips/pets.zip/{name}: not in train/<class> or test/<class>; move it there")


def test_a_class_without_images_is_told() -> None:
    archive = write_zip(Path("zips/pets.zip"), source(), prefix="pets/")
    with zipfile.ZipFile(archive, "a") as handle:
        handle.writestr("pets/train/cow/", "")
        handle.writestr("pets/test/cow/", "")
    refused(folder(archive), "zips/pets.zip/pets/train/cow, zips/pets.zip/pets/test/cow: a class without images")


@pytest.mark.parametrize("kind", ["w", "w:gz"])
def test_a_tar_is_called_what_it_is(kind: str) -> None:
    with tarfile.open("pets.zip", kind) as handle:
        handle.add(source(), "pets")
    refused(folder("pets.zip"), "pets.zip: a tar archive, which is not read; unpack it and name its folder")
