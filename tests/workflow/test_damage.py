"""Copies that were damaged, in the cache, in the remote and in the workspace."""

from __future__ import annotations

import shutil
from pathlib import Path

from support.checkouts import edit, git
from support.dvc import KEPT, WEIGHTS, cloned, content_of, damage, vitflow


def test_a_copy_damaged_in_the_cache_is_named_and_not_left_in_the_workspace(here: Path, finished: Path) -> None:
    hurt, good = WEIGHTS["width=8/seed0"], WEIGHTS["heads=1/seed0"]
    damage(here / ".dvc/cache" / content_of(here, hurt))
    damage(here / ".dvc/cache" / content_of(here, WEIGHTS["baseline/seed1"]))
    (here / hurt).unlink()
    (here / good).unlink()
    untouched = (here / WEIGHTS["baseline/seed1"]).stat()
    told = vitflow(here, "restore", expect=2)
    assert f"{hurt}: DVC's copy is damaged" in told and "Traceback" not in told
    assert not (here / hurt).exists()
    for path in KEPT:
        if path != hurt:
            assert (here / path).read_bytes() == (finished / path).read_bytes(), path
    now = (here / WEIGHTS["baseline/seed1"]).stat()
    assert (now.st_ino, now.st_mtime_ns) == (untouched.st_ino, untouched.st_mtime_ns), "good where it stands"
    assert git(here, "status", "--porcelain") == ""

    (here / ".dvc/cache" / content_of(here, hurt)).unlink()  # what the message says
    assert "1 file restored, 10 verified" in vitflow(here, "restore")
    assert (here / hurt).read_bytes() == (finished / hurt).read_bytes()


def test_a_copy_damaged_in_the_remote_is_named_and_all_others_are_restored(
    recorded: Path, finished: Path, tmp_path: Path
) -> None:
    hurt = WEIGHTS["width=8/seed0"]
    remote = Path(shutil.copytree(recorded.parent / "remote", tmp_path / "remote"))
    damage(remote / content_of(recorded, hurt))
    where = cloned(recorded, tmp_path / "clone")
    edit(where / ".dvc/config", str(recorded.parent / "remote"), str(remote))
    told = vitflow(where, "restore", expect=2)
    assert f"{hurt}: DVC's copy is damaged" in told and "9 files restored, 9 verified" in told
    assert not (where / hurt).exists()
    for path in KEPT:
        if path != hurt:
            assert (where / path).read_bytes() == (finished / path).read_bytes(), path


def test_damaged_weights_here_are_named_and_neither_lost_nor_in_the_way_of_others(here: Path, finished: Path) -> None:
    hurt, missing = WEIGHTS["width=8/seed0"], WEIGHTS["heads=1/seed0"]
    damage(here / hurt)
    (here / missing).unlink()
    kept = (here / hurt).read_bytes()
    told = vitflow(here, "restore", expect=2)
    assert str(hurt) in told and "Traceback" not in told
    assert (here / hurt).read_bytes() == kept, "perhaps somebody's only copy"
    assert (here / missing).read_bytes() == (finished / missing).read_bytes()

    (here / hurt).unlink()
    assert "1 file restored, 10 verified" in vitflow(here, "restore")
    assert (here / hurt).read_bytes() == (finished / hurt).read_bytes()
