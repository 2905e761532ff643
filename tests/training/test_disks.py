"""Real disks that are full or read-only, a run that two processes want, and what killed ones left: nothing is lost."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from filelock import FileLock
from support.baseline import TRAIN, published, vitflow
from support.checkouts import environment
from support.results import BASELINE, HOME, ROOT
from support.trainings import made_up_state

from vitflow import cli
from vitflow.machine.files import FileProblem, publishing, read_json, write_text
from vitflow.training import loop
from vitflow.training.checkpoint import save_state


@pytest.fixture
def disk(here: Path) -> Iterator[Callable[..., None]]:
    """Mounts a small disk on results/ (options of mount as its arguments); skips where that is not permitted."""
    results = here / "results"
    results.mkdir()

    def mount(*options: str) -> None:
        words = ["mount", "-t", "tmpfs", "-o", ",".join(options), "vitflow-test", str(results)]
        try:
            done = subprocess.run(words, capture_output=True, text=True)
        except OSError as error:
            pytest.skip(f"no disk can be mounted here: {error}")
        if done.returncode:
            pytest.skip(f"no disk can be mounted here: {done.stderr.strip()}")

    yield mount
    while os.path.ismount(results):
        subprocess.run(["umount", str(results)], check=True)


def stop_at(step: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A first sitting at the baseline that ends there."""
    train = loop.train

    def stopped(*arguments: Any, **options: Any) -> loop.Outcome:
        asked = iter(range(1000))
        return train(*arguments, **options | {"should_stop": lambda seconds: next(asked) == step})

    with monkeypatch.context() as patch:
        patch.setattr(loop, "train", stopped)
        assert cli.main(TRAIN) == 75


@pytest.fixture
def undisturbed(tiny_baseline: Path, here: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, bytes]:
    """What an undisturbed training publishes."""
    with monkeypatch.context() as patch:
        patch.chdir(tiny_baseline)
        return published()


def test_a_full_disk_loses_nothing(
    here: Path, disk: Callable[..., None], undisturbed: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    disk("size=1m")
    stop_at(5, monkeypatch)
    ballast = here / "results" / "ballast"
    with ballast.open("wb", buffering=0) as file, pytest.raises(OSError, match="No space"):
        while True:
            file.write(b"x" * 4096)
    done = vitflow(*TRAIN)
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1] == (
        f"vitflow: {BASELINE.checkpoint}: cannot be written (No space left on device); "
        f"free some space, and the same command goes on"
    )
    assert "Traceback" not in done.stderr and not BASELINE.train.exists()
    assert not list(here.rglob("*.tmp")), "what did not fit is gone"
    ballast.unlink()
    assert cli.main(TRAIN) == 0
    assert read_json(BASELINE.train)["resumed_from"] == [5]
    assert published() == undisturbed


def test_a_state_that_does_not_fit_leaves_the_last_ones(
    here: Path, disk: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    disk("size=1m")
    folder = here / "results" / "state"
    for step in (4, 8):
        save_state(folder, made_up_state(step))
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    with pytest.raises(FileProblem, match=r"cannot be written \(No space left on device\); free some space"):
        save_state(folder, made_up_state(12) | {"model": {"large": torch.zeros(1_000_000)}})
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_a_log_on_a_full_disk_stops_nothing(
    here: Path, disk: Callable[..., None], undisturbed: dict[str, bytes]
) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("needs /dev/full")
    with open("/dev/full", "w") as full:
        vitflow(*TRAIN, capture_output=False, stderr=full)
    assert published() == undisturbed


def test_a_read_only_folder_is_told_before_training_and_nothing_is_lost(
    here: Path, disk: Callable[..., None], undisturbed: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    disk("size=4m")
    stop_at(5, monkeypatch)
    remount = ["mount", "-o", "remount,ro", str(here / "results")]
    subprocess.run(remount, check=True)
    done = vitflow(*TRAIN)
    assert done.returncode == 2
    assert done.stderr == (
        f"vitflow: {BASELINE.state}: cannot be written (Read-only file system); check the folder's permissions\n"
    )
    subprocess.run([word.replace(",ro", ",rw") for word in remount], check=True)
    assert cli.main(TRAIN) == 0
    assert read_json(BASELINE.train)["resumed_from"] == [5]
    assert published() == undisturbed


def test_a_disk_that_becomes_read_only_while_a_file_is_written_is_named(here: Path, disk: Callable[..., None]) -> None:
    disk("size=1m")
    path = here / "results" / "file"
    write_text(path, "old")
    with (
        pytest.raises(FileProblem, match=r"file: cannot be written \(Read-only file system\)"),
        publishing(path) as new,
    ):
        new.write_text("new")
        subprocess.run(["mount", "-o", "remount,ro", str(here / "results")], check=True)
    assert path.read_text() == "old"


@pytest.mark.parametrize("command", ["train", "evaluate"])
def test_two_processes_do_not_work_on_one_run(trained: Path, command: str) -> None:
    before = published()
    words = [sys.executable, "-m", "vitflow", command, "--run", "baseline", "--threads", "1"]
    with FileLock(BASELINE.state / "lock"), pytest.raises(subprocess.TimeoutExpired) as waiting:
        subprocess.run(words, env=environment(ROOT), capture_output=True, timeout=15)
    assert b"another process is at work on baseline seed 0; waiting for it" in (waiting.value.stderr or b"")
    assert published() == before


def test_what_killed_processes_left_is_cleaned_up_and_nothing_else(here: Path) -> None:
    ours = [
        path.with_name(f".{path.name}.abcdefgh.tmp")
        for path in (BASELINE.checkpoint, BASELINE.train, BASELINE.history, BASELINE.state / "step-000000004-00.pt")
    ]
    other = HOME.seed("baseline", 1)
    others = [other.checkpoint.with_name(".seed1.safetensors.abcdefgh.tmp"), BASELINE.folder / "notes.tmp"]
    for path in ours + others:
        write_text(path, "half")
    assert cli.main(TRAIN) == 0
    assert not any(path.exists() for path in ours)
    assert all(path.exists() for path in others), "another process may be writing it"
