"""Classes by names that can be shown and told apart, with images in every split; all that is wrong is told at once."""

from __future__ import annotations

import os
import shutil
import zipfile

import pytest
from PIL import Image
from support.images import SIZE, folder, refused, source

from vitflow.data.prepare import load


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        (b"d\xf6g", r"d\udcf6g'"),
        (b"d\nog", r"d\nog'"),
        (b"\x1b[31mdog", r"\x1b[31mdog'"),
        ("a\u202eb", r"a\u202eb'"),
        ("a\uffff", r"a\uffff'"),
        ("a\U0001fffe", r"a\U0001fffe'"),
        ("a\ufdd0", r"a\ufdd0'"),
    ],
)
def test_a_class_whose_name_cannot_be_printed_is_refused(name: bytes | str, shown: str) -> None:
    tree = source()
    for split in ("train", "test"):
        os.rename(os.fsencode(tree / split / "dog"), os.fsencode(tree / split) + b"/" + os.fsencode(name))
    told = (
        f"2 cannot be used: 'source/pets/train/{shown}, 'source/pets/test/{shown}: a class whose name is no UTF-8 text"
    )
    message = refused(folder(), f"{told} or has invisible letters; rename its folder")
    assert message.count(shown) == 2 and message.isprintable(), "each folder once, not once for each of its files"


@pytest.mark.parametrize(
    "name", ["子犬", "كلب", "🐶", "👩‍👧", "Hund mit Ä", "dog's (2)", "50% <dog> & $cat", "❤️", "می\u200cخواهم"]
)
def test_names_in_any_alphabet_are_classes(name: str) -> None:
    tree = source()
    for split in ("train", "test"):
        (tree / split / "dog").rename(tree / split / name)
    assert set(load(folder()).classes) == {"cat", name}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("café", "cafe\u0301"),
        ("Dog", "dog"),
        ("dog", "dog "),
        ("straße", "STRASSE"),
        ("a b", "a  b"),
        ("a b", "a\u00a0b"),
        ("cat", "cat."),
        *(("cat", f"cat{letter}") for letter in "\u200d\u200c\ufe0f\u034f\u3164\u2800\u115f"),
        ("a\u3164b", "a b"),
        ("e\u034f\u0301", "é"),
    ],
)
def test_classes_that_people_take_for_one_are_named_both(one: str, other: str) -> None:
    tree = source()
    for split in ("train", "test"):
        (tree / split / "dog").rename(tree / split / other)
        (tree / split / "cat").rename(tree / split / one)
    refused(folder(), "source/pets: classes", ascii(one), ascii(other), "rename one")


@pytest.mark.parametrize("name", ["\u00a0", " ", "\u3164", "\u2800", "\u200d", "\ufe0f\u200c"])
def test_a_class_without_a_visible_name_is_refused_and_told_with_escapes(name: str) -> None:
    tree = source()
    for split in ("train", "test"):
        (tree / split / "dog").rename(tree / split / name)
    refused(folder(), f"{f'source/pets/train/{name}'!a}, ", "a class whose name is blank; rename its folder")


def test_a_class_with_a_longer_name_than_folders_have_is_refused() -> None:
    with zipfile.ZipFile("pets.zip", "w") as handle:
        handle.writestr(f"train/{'x' * 256}/0.png", b"")
    refused(folder("pets.zip"), "a class whose name is longer than 255 bytes")


def test_all_that_is_wrong_with_classes_is_told_at_once() -> None:
    tree = source()
    for split in ("train", "test"):
        for name in ("Cat", "DOG"):
            shutil.copytree(tree / split / name.lower(), tree / split / name)
    Image.new("RGB", (SIZE + 1, SIZE)).save(tree / "train/cat/1.png")
    pairs = "source/pets: classes 'Cat' and 'cat', source/pets: classes 'DOG' and 'dog': differ only in case"
    refused(folder(), "3 cannot be used: ", pairs, "source/pets/train/cat/1.png: 7x6 pixels")


def test_all_that_is_missing_is_told_at_once() -> None:
    tree = source()
    for name in ("cat", "dog"):
        shutil.rmtree(tree / "test" / name)
    refused(folder(), "source/pets: no images in test/cat, test/dog; is a folder or archive missing?")
    refused(folder(classes=3), "source/pets: 2 classes (cat, dog), expected 3; no images in test/cat, test/dog; is")
