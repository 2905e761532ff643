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
from support.images import KEY, SIZE, folder, refused, same, source, written

from vitflow.data import prepare as prepare_module
from vitflow.data.prepare import load, prepare
from vitflow.data.raw import DataError
from vitflow.data.splits import Data


def test_foreign_data_is_refused_and_nothing_overwritten() -> None:
    tree = source()
    prepare(folder())
    Image.new("RGB", (SIZE, SIZE)).save(tree / "test/dog/0.png")
    told = f"source/pets: other images or names than data/{KEY}.json has recorded: test (as many of each class)"
    refused(folder(), told, "`vitflow prepare --replace`")
    Path(f"data/{KEY}.safetensors").unlink()  # as in a clone, whose manifest comes from git
    refused(folder(), told, action=load)


def test_classes_under_other_names_are_told_and_replaced_only_where_that_is_said() -> None:
    tree = source()
    before = prepare(folder())
    for split in ("train", "test"):
        (tree / split / "cat").rename(tree / split / "bee")  # the order stays, and so do all digests
    refused(folder(), f"or names than data/{KEY}.json has recorded: names of classes (bee for cat); correct")
    after = prepare(folder(), may_replace=lambda difference: difference == "names of classes (bee for cat)")
    assert after["classes"] == ["bee", "dog"] and after["digests"] == before["digests"]


def test_prepare_heals_a_damaged_prepared_file_which_load_refuses() -> None:
    source()
    prepare(folder())
    good = written()
    damaged = bytearray(good[f"{KEY}.safetensors"])
    damaged[-1] ^= 1
    Path(f"data/{KEY}.safetensors").write_bytes(damaged)
    found = hashlib.sha256(damaged).hexdigest()
    recorded = json.loads(good[f"{KEY}.json"])["sha256"]
    refused(folder(), f"data/{KEY}.safetensors: sha256 is {found}", recorded, "delete it", action=load)
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
        Path(f"data/{KEY}.safetensors").write_bytes(b"damaged")

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    refused(folder(), f"data/{KEY}.safetensors: cannot be written", "No space left", "free space")


def test_load_prepares_what_is_missing_and_then_needs_no_source() -> None:
    tree = source()
    first = load(folder())
    files = written()
    Path(f"data/{KEY}.safetensors").unlink()  # a clone: the manifest alone
    assert same(load(folder()), first) and written() == files
    shutil.rmtree(tree)
    assert same(load(folder()), first)


def test_who_waited_for_another_process_uses_its_result(monkeypatch: pytest.MonkeyPatch) -> None:
    source()
    expected = load(folder())
    Path("data").rename("elsewhere")
    Path("data").mkdir()
    results: list[Data] = []
    with FileLock(f"data/{KEY}.lock"):
        waiting = threading.Thread(target=lambda: results.append(load(folder())))
        waiting.start()
        waiting.join(0.3)
        assert waiting.is_alive() and not written()
        monkeypatch.setattr(prepare_module, "read", lambda dataset: pytest.fail("prepared twice"))
        for name in (f"{KEY}.json", f"{KEY}.safetensors"):
            shutil.copy(f"elsewhere/{name}", f"data/{name}")
    waiting.join(10)
    assert same(results[0], expected)
