"""Prepared images are those of the folder that is named, as it is now; or that is told."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image
from support.images import KEY, SIZE, folder, lock, make_images, refused, same, source, write_tree, write_zip

from vitflow.data.manifest import check_prepared
from vitflow.data.prepare import load, prepare
from vitflow.data.raw import DataError
from vitflow.study.dataset import Dataset


@pytest.mark.parametrize(("one", "other"), [("x1/images", "x2/images"), ("sets/v1.2", "sets/v1.3"), ("a b", "a-b")])
def test_two_folders_never_share_their_prepared_images(one: str, other: str) -> None:
    for seed, path in enumerate((one, other)):
        write_tree(Path(path), make_images(seed=seed))
        prepare(folder(path))
    first, second = (load(folder(path)) for path in (one, other))
    assert not same(first, second) and first.digest != second.digest
    shutil.rmtree("data")
    assert same(load(folder(other)), second), "and they are its own"


def moved_between_classes(tree: Path) -> None:
    (tree / "train/cat/0.png").rename(tree / "train/dog/moved.png")


def deleted(tree: Path) -> None:
    (tree / "test/cat/2.png").unlink()


def new(tree: Path) -> None:
    Image.new("RGB", (SIZE, SIZE), (1, 2, 3)).save(tree / "train/cat/new.png")


def changed(tree: Path) -> None:
    Image.new("RGB", (SIZE, SIZE), (1, 2, 3)).save(tree / "train/cat/3.png")


def a_split_gone(tree: Path) -> None:
    shutil.rmtree(tree / "test")


CHANGES = {
    moved_between_classes: ["1 new (train/dog/moved.png)", "1 gone (train/cat/0.png)"],
    deleted: ["1 gone (test/cat/2.png)"],
    new: ["1 new (train/cat/new.png)"],
    changed: ["1 changed (train/cat/3.png)"],
    a_split_gone: ["6 gone (test/cat/0.png, ...)"],
}


#: what is told where it is read anew
ANEW = {
    moved_between_classes: "train (cat 5 for 6, dog 7 for 6)",
    deleted: "test (cat 2 for 3)",
    new: "train (cat 7 for 6)",
    changed: "train (as many of each class)",
    a_split_gone: "no images in test/cat",
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_source_that_changed_is_told_and_read_anew_on_request(change: Callable[[Path], None]) -> None:
    tree = source()
    prepare(folder())
    load(folder())
    change(tree)
    refused(folder(), "source/pets: not what", f"data/{KEY}.safetensors", *CHANGES[change], action=load)
    with pytest.raises(DataError, match=re.escape(ANEW[change])):
        prepare(folder())
    if change is not a_split_gone:
        told = []
        prepare(folder(), may_replace=lambda difference: told.append(difference) or True)
        assert told == [ANEW[change]]
        assert load(folder(validation_fraction=0.2)).test.labels.numel() == 6 - (change is deleted)


def test_an_image_replaced_by_one_of_equal_size_in_the_same_second_is_noticed() -> None:
    file = source() / "train/cat/3.png"
    prepare(folder())
    content, times = file.read_bytes(), file.stat()
    file.write_bytes(content)
    os.utime(file, ns=(times.st_atime_ns, times.st_mtime_ns + 1))
    refused(folder(), "1 changed (train/cat/3.png)", action=load)


def test_reading_a_touched_source_anew_is_enough_where_its_images_are_the_same() -> None:
    tree = source()
    first = load(folder())
    os.utime(tree / "train/cat/3.png", (1, 1))
    advice = "`vitflow prepare` reads it anew, and with --replace also where results"
    for asks in (
        load,
        lambda dataset: check_prepared([dataset]),
    ):  # the second is what plan and Snakemake ask, before any job
        refused(folder(), "1 changed (train/cat/3.png)", advice, action=asks)
    prepare(folder())
    assert same(load(folder()), first)


def test_a_source_out_of_reach_is_not_needed() -> None:
    tree = source()
    first = load(folder())
    tree.rename("elsewhere")
    assert same(load(folder()), first)
    refused(folder(), "source/pets: no such file or folder")


@pytest.mark.parametrize("locked", ["source", "source/pets"])
def test_a_source_that_may_not_be_read_is_out_of_reach(locked: str, monkeypatch: pytest.MonkeyPatch) -> None:
    source()
    first = load(folder())
    lock(monkeypatch, Path(locked))
    check_prepared([folder()])
    assert same(load(folder()), first)


def test_a_disk_that_is_not_mounted_is_out_of_reach() -> None:
    tree = source()
    first = load(folder())
    tree.rename("elsewhere")
    tree.mkdir()
    (tree / ".nfs1").touch()
    assert same(load(folder()), first)
    (tree / "train").mkdir()
    refused(folder(), "files 18 gone (test/cat/0.png, ...)", action=load)


def zipped() -> Path:
    return write_zip(Path("pets.zip"), Path("source/pets"))


def copied() -> Path:
    return shutil.copytree("source/pets", Path("copy"))


def zipped_in_a_folder() -> Path:
    return write_zip(Path("zips/pets.zip"), Path("source/pets")).parent


@pytest.mark.parametrize("make", [zipped, copied, zipped_in_a_folder])
def test_images_read_from_a_copy_are_those_of_the_study_until_its_place_changes(make: Callable[[], Path]) -> None:
    tree = source()
    prepare(folder(), path=str(make()))
    first = load(folder())
    check_prepared([folder()])
    deleted(tree)
    if make is copied:
        refused(folder(), "files 1 gone (test/cat/2.png)", action=load)
    else:  # of archives and a tree nothing can be compared without unpacking them
        assert same(load(folder()), first)


def test_a_copy_of_an_archive_is_the_same_source() -> None:
    archive = write_zip(Path("zips/pets.zip"), source())
    shutil.copy(archive, "copy.zip")
    prepare(folder(archive), path="copy.zip")
    load(folder(archive))
    archive.write_bytes(archive.read_bytes() + b" ")
    refused(folder(archive), "files 1 changed (pets.zip)", action=load)


def test_without_a_note_of_where_they_came_from_the_digests_count(tmp_path: Path) -> None:
    tree = source()
    first = load(folder())
    Path(f"data/{KEY}.origin.json").unlink()  # as in a clone
    deleted(tree)
    assert same(load(folder()), first)


def test_a_copy_in_another_place_is_the_same_source_and_another_folder_is_not() -> None:
    first = load(folder(source()))
    shutil.copytree("source", "copy")
    shutil.rmtree("source")
    Path("source").symlink_to("copy")  # the same name leads elsewhere
    assert same(load(folder()), first)
    deleted(Path("copy/pets"))
    refused(folder(), "copy/pets: not what", "1 gone (test/cat/2.png)", action=load)


def test_images_read_from_another_place_than_the_configured_are_those_of_the_study() -> None:
    source()
    write_tree(Path("other/animals"), make_images())
    shutil.rmtree("source")
    prepare(folder(), path="other/animals")
    first = load(folder())
    deleted(Path("other/animals"))
    assert same(load(folder()), first), "the configured place is out of reach"
    shutil.move("other/animals", "source/pets")
    refused(folder(), "1 gone (test/cat/2.png)", action=load)


def test_of_archives_the_archives_are_compared() -> None:
    write_zip(Path("zips/pets/all.zip"), source())
    dataset = folder("zips/pets")
    prepare(dataset)
    load(dataset)
    write_zip(Path("zips/pets/more.zip"), Path("source/pets"))
    refused(dataset, "files 1 new (more.zip)", action=load)


def test_of_a_single_archive_a_change_is_told() -> None:
    archive = write_zip(Path("zips/pets.zip"), source())
    prepare(folder(archive))
    os.utime(archive, (1, 1))
    refused(folder(archive), "files 1 changed (pets.zip)", action=load)


def test_a_damaged_note_is_told() -> None:
    source()
    prepare(folder())
    Path(f"data/{KEY}.origin.json").write_text("{")
    refused(folder(), f"data/{KEY}.origin.json: damaged", "delete it", action=load)


@pytest.mark.parametrize(
    "text",
    [
        '{"place": 3, "files": {}}',
        '{"place": "x", "files": []}',
        '{"place": "x", "files": {"a": 3}}',
        '{"place": "x", "files": {"a": ["1", 2]}}',
        '{"place": "x", "files": {"a": [1]}}',
    ],
)
def test_a_note_of_other_types_is_damaged(text: str) -> None:
    source()
    prepare(folder())
    Path(f"data/{KEY}.origin.json").write_text(text)
    refused(folder(), f"data/{KEY}.origin.json: damaged", "delete it", action=load)


def test_images_without_a_place_have_no_note() -> None:
    prepare(Dataset(name="digits"))
    assert not list(Path("data").glob("*.origin.json"))
