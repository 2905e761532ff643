"""Preparing where something stands in ``data/`` already, where nothing can be written, and where others wait."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
import threading
from pathlib import Path

import pytest
from filelock import FileLock
from PIL import Image
from support.images import SIZE, folder, make_images, refused, same, source, write_tree, written

from vitflow.data import prepare as prepare_module
from vitflow.data.prepare import load, prepare
from vitflow.data.raw import DataError
from vitflow.data.splits import Data


def test_foreign_data_is_refused_and_nothing_overwritten() -> None:
    write_tree(Path("a/pets"), make_images(seed=1))
    other = write_tree(Path("b/pets"), make_images(seed=1))
    recorded = prepare(folder("a/pets"))["digests"]["test"]
    Image.new("RGB", (SIZE, SIZE)).save(other / "test/dog/0.png")
    refused(folder(other), "data/folder-pets.json: foreign data", f"test digest {recorded} is recorded", "b/pets")
    Path("data/folder-pets.safetensors").unlink()  # as in a clone, whose manifest comes from git
    refused(folder(other), "data/folder-pets.json: foreign data", action=load)


def test_prepare_heals_a_damaged_prepared_file_which_load_refuses() -> None:
    source()
    prepare(folder())
    good = written()
    damaged = bytearray(good["folder-pets.safetensors"])
    damaged[-1] ^= 1
    Path("data/folder-pets.safetensors").write_bytes(damaged)
    found = hashlib.sha256(damaged).hexdigest()
    recorded = json.loads(good["folder-pets.json"])["sha256"]
    refused(folder(), f"data/folder-pets.safetensors: sha256 is {found}", recorded, "delete it", action=load)
    prepare(folder())
    assert written() == good


def test_a_folder_that_cannot_be_written_is_named() -> None:
    source()
    Path("data").write_text("in the way")
    with pytest.raises(DataError, match=r"^data: cannot be written .*make the folder writable$"):
        prepare(folder())


@pytest.mark.parametrize("earlier", [False, True])
def test_a_full_disk_leaves_nothing_half_written(earlier: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    source()
    if earlier:
        prepare(folder())

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    refused(folder(), "data/folder-pets.safetensors: cannot be written", "No space left", "free space")


def test_load_prepares_what_is_missing_and_then_needs_no_source() -> None:
    tree = source()
    first = load(folder())
    files = written()
    Path("data/folder-pets.safetensors").unlink()  # a clone: the manifest alone
    assert same(load(folder()), first) and written() == files
    shutil.rmtree(tree)
    assert same(load(folder()), first)


def test_who_waited_for_another_process_uses_its_result(monkeypatch: pytest.MonkeyPatch) -> None:
    source()
    expected = load(folder())
    Path("data").rename("elsewhere")
    Path("data").mkdir()
    results: list[Data] = []
    with FileLock("data/folder-pets.lock"):
        waiting = threading.Thread(target=lambda: results.append(load(folder())))
        waiting.start()
        waiting.join(0.3)
        assert waiting.is_alive() and not written()
        monkeypatch.setattr(prepare_module, "read", lambda dataset: pytest.fail("prepared twice"))
        for name in ("folder-pets.json", "folder-pets.safetensors"):
            shutil.copy(f"elsewhere/{name}", f"data/{name}")
    waiting.join(10)
    assert same(results[0], expected)
