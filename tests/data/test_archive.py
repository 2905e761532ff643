"""Zip archives of every system, and of people who mean no good."""

from __future__ import annotations

import errno
import os
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
    refused(folder(archive), "18 cannot be used", "in an alphabet that the archive does not tell")


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


BESIDE = "beside zip archives, which alone are read there; put it into one (with train/<class>/), or elsewhere"


@pytest.mark.parametrize(
    "place",
    [
        "more.tar", "more.tgz", "more.tar.gz", "more.7z.001", "c.zip.part", "c.zip.crdownload",
        "Unconfirmed 1.crdownload", "c.zip.download/c.zip", "more/d.zip", "0.png", "0.HEIC", "cow/0.jpg",
        "val/cat/0.gif", "pets.z01",
    ],
)  # fmt: skip
def test_what_is_meant_as_images_beside_archives_is_told(place: str) -> None:
    write_zip(Path("zips/pets.zip"), source())
    file = Path("zips") / place
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(b"PK")
    refused(folder("zips"), f"zips/{place.split('/')[0]}: {BESIDE}")


def test_all_that_lies_beside_archives_and_all_damaged_ones_are_told_at_once() -> None:
    write_zip(Path("zips/pets.zip"), source())
    for name in ("more.zip", "another.zip"):
        Path(f"zips/{name}").write_bytes(b"PK")
    Path("zips/0.png").write_bytes(b"")
    told = "zips/another.zip, zips/more.zip: damaged or incomplete zip archive"
    refused(folder("zips"), "3 cannot be used: ", told, f"zips/0.png: {BESIDE}")


@pytest.mark.parametrize("name", ["README.md", "labels.csv.gz", "pets.zip.md5", "a.zip.txt", ".x.png", "docs/a.txt"])
def test_texts_beside_archives_are_nobodys_business(name: str) -> None:
    write_zip(Path("zips/pets.zip"), source())
    (Path("zips") / name).parent.mkdir(exist_ok=True)
    (Path("zips") / name).write_text("words")
    assert same(load(folder("zips")), load(folder()))


def test_a_tree_beside_archives_is_taken_alone() -> None:
    write_zip(source() / "all.zip", Path("source/pets"))
    assert load(folder()).classes == ("cat", "dog")


def test_an_archive_packed_in_a_way_that_is_not_read_is_told() -> None:
    archive = write_zip(Path("zips/pets.zip"), source())
    content = bytearray(archive.read_bytes())
    content[content.find(b"PK\x01\x02") + 10] = 9
    archive.write_bytes(content)
    refused(folder(archive), "packed by Deflate64, which is not read; unpack the archive and name its folder")


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"Rar!\x1a\x07", "a RAR archive, which is not read; unpack it and name its folder"),
        (b"7z\xbc\xaf\x27\x1c", "a 7z archive, which is not read; unpack it"),
        (b"\x89PNG\r\n\x1a\n", "a single image; name the folder that has train/<class>/*"),
        (b"", "damaged or incomplete zip archive"),
    ],
)
def test_a_file_that_is_no_zip_is_called_what_it_is(content: bytes, told: str) -> None:
    Path("pets").write_bytes(content)
    refused(folder("pets"), f"pets: {told}")


def test_an_archive_that_may_not_be_read_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    archive = write_zip(Path("zips/pets.zip"), source())

    def denied(file: object) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(zipfile, "ZipFile", denied)
    refused(folder(archive), "zips/pets.zip: cannot be read (Permission denied); check its permissions")


@pytest.mark.parametrize("kind", ["w", "w:gz"])
def test_a_tar_is_called_what_it_is(kind: str) -> None:
    with tarfile.open("pets.zip", kind) as handle:
        handle.add(source(), "pets")
    refused(folder("pets.zip"), "pets.zip: a tar archive, which is not read; unpack it and name its folder")
