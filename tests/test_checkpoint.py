"""Damage and disks: every kind of file cut and flipped, a full disk, a read-only folder, two processes on one run."""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from filelock import FileLock
from support.results import as_it_was, finish

from vitflow import cli, steps
from vitflow.data import places
from vitflow.data.prepare import load
from vitflow.data.raw import DataError
from vitflow.machine.files import FileProblem, publishing, read_json, write_text
from vitflow.models.build import build
from vitflow.results.audit import audit
from vitflow.results.layout import Layout
from vitflow.study.models import ViT
from vitflow.study.reading import read_study
from vitflow.training import loop
from vitflow.training.checkpoint import CheckpointError, load_state, save_state

TESTS = Path(__file__).parent
TINY = (TESTS / "workflow" / "tiny.yaml").read_text()
BASELINE = Layout("tiny").seed("baseline", 0)
TRAIN = ["train", "--run", "baseline", "--threads", "1"]
PLACES = 200
pytestmark = pytest.mark.usefixtures("one_thread")


def flipped(content: bytes, chance: random.Random) -> bytes:
    """One bit of it, anywhere."""
    place = chance.randrange(len(content))
    return content[:place] + bytes([content[place] ^ 1 << chance.randrange(8)]) + content[place + 1 :]


def cut(content: bytes, chance: random.Random) -> bytes:
    return content[: chance.randrange(len(content))]


DAMAGE = pytest.mark.parametrize("damage", [flipped, cut])
Damage = Callable[[bytes, random.Random], bytes]


# --------------------------------------------------------------------------------------------- damage


def state(step: int) -> dict[str, Any]:
    model = build(ViT(patch_size=4, width=16, depth=2, heads=2), 8, 1, 10).state_dict()
    return {"digest": "ours", "data": "images", "step": step, "model": model, "history": [{"epoch": 1, "loss": 0.5}]}


@DAMAGE
def test_a_damaged_state_is_noticed_wherever_it_is_and_the_one_before_is_used(tmp_path: Path, damage: Damage) -> None:
    save_state(tmp_path, state(4))
    newest = save_state(tmp_path, state(8))
    content, chance = newest.read_bytes(), random.Random(0)
    for _ in range(PLACES):
        newest.write_bytes(damage(content, chance))
        found, said = load_state(tmp_path, "ours", "images")
        assert found is not None and found["step"] == 4
        assert said == [f"{newest}: damaged"]
    newest.write_bytes(content)
    found, said = load_state(tmp_path, "ours", "images")
    assert found is not None and found["step"] == 8 and said == []


@DAMAGE
def test_where_both_states_are_damaged_nothing_is_started_over_unasked(tmp_path: Path, damage: Damage) -> None:
    old, new = save_state(tmp_path, state(4)), save_state(tmp_path, state(8))
    contents, chance = [old.read_bytes(), new.read_bytes()], random.Random(1)
    for _ in range(PLACES):
        for path, content in zip((old, new), contents, strict=True):
            path.write_bytes(damage(content, chance))
        with pytest.raises(CheckpointError) as caught:
            load_state(tmp_path, "ours", "images")
        told = str(caught.value)
        assert told.startswith(f"{new}: damaged") and f"delete {tmp_path} to start over" in told and "\n" not in told


def test_a_damaged_state_and_one_of_other_images_do_not_start_over_either(tmp_path: Path) -> None:
    save_state(tmp_path, state(4) | {"data": "others"})
    newest = save_state(tmp_path, state(8))
    newest.write_bytes(b"")
    with pytest.raises(CheckpointError, match="no other state is good"):
        load_state(tmp_path, "ours", "images")


@pytest.mark.parametrize("other", [{"digest": "theirs"}, {"data": "others"}, {"data": None}], ids=str)
def test_a_state_of_something_else_is_never_picked_up(tmp_path: Path, other: dict[str, Any]) -> None:
    save_state(tmp_path, state(4) | other)
    assert load_state(tmp_path, "ours", "images") == (None, [])
    without = {key: value for key, value in state(8).items() if key != "data"}
    save_state(tmp_path, without)
    assert load_state(tmp_path, "ours", "images") == (None, []), "it does not say which images it has seen"


def test_after_a_damaged_state_two_good_ones_are_kept_again(tmp_path: Path) -> None:
    first, second = save_state(tmp_path, state(4)), save_state(tmp_path, state(8))
    second.write_bytes(second.read_bytes()[:-1])
    third = save_state(tmp_path, state(12))
    assert sorted(tmp_path.iterdir()) == [first, third], "the damaged one would be no help"


def test_what_is_no_state_of_a_training_is_named(tmp_path: Path) -> None:
    path = save_state(tmp_path, {"step": 1, "digest": Path("executed")})
    with pytest.raises(CheckpointError) as caught:
        load_state(tmp_path, "", "")
    assert str(caught.value).startswith(f"{path}: ") and "\n" not in str(caught.value)


@pytest.fixture(scope="module")
def trained(prepared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    where = tmp_path_factory.mktemp("trained") / "here"
    shutil.copytree(prepared, where)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(where)
        assert cli.main(TRAIN) == 0
    return where


@DAMAGE
def test_damaged_weights_are_noticed_wherever_it_is(
    trained: Path, monkeypatch: pytest.MonkeyPatch, damage: Damage
) -> None:
    monkeypatch.chdir(trained)
    study = read_study("config.yaml")
    job, chance = steps.find_job(study, "baseline", 0), random.Random(2)
    content = BASELINE.checkpoint.read_bytes()
    for _ in range(PLACES):
        BASELINE.checkpoint.write_bytes(damage(content, chance))
        with pytest.raises(FileProblem) as caught:
            steps.evaluate(study, job, steps.Machine(threads=1))
        told = str(caught.value)
        assert told.startswith(f"{BASELINE.checkpoint}: not the weights that {BASELINE.train} names; delete it")
    BASELINE.checkpoint.write_bytes(content)
    assert not BASELINE.metrics.exists()


@DAMAGE
def test_damaged_images_are_noticed_wherever_it_is(here: Path, damage: Damage) -> None:
    dataset, chance = read_study("config.yaml").dataset, random.Random(3)
    path = places.prepared(dataset.key)
    content = path.read_bytes()
    for _ in range(PLACES):
        path.write_bytes(damage(content, chance))
        with pytest.raises(DataError, match=f"^{path}: sha256 is .*; delete it, and it is made again$"):
            load(dataset)
    path.unlink()
    load(dataset)
    assert path.read_bytes() == content


@DAMAGE
@pytest.mark.parametrize("name", ["train", "metrics", "history", "config", "predictions"])
def test_a_damaged_result_is_named_wherever_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, damage: Damage, name: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "config.yaml").write_text(TINY)
    study, chance = read_study("config.yaml"), random.Random(4)
    finish(study)
    path = getattr(BASELINE, name)
    content = path.read_bytes()
    with as_it_was():
        for _ in range(PLACES // 4):
            path.write_bytes(damage(content, chance))
            if _parsed(path) == _parsed(path, content):
                continue  # spelt otherwise, and the same
            found = audit(study)
            named = [*found.problems, *found.older, *(str(job.paths.train) for job in found.waiting)]
            assert any(str(BASELINE.folder) in line for line in named), path.read_bytes()


def _parsed(path: Path, content: bytes | None = None) -> Any:
    content = path.read_bytes() if content is None else content
    try:
        return json.loads(content) if path.suffix == ".json" else content
    except ValueError:
        return content


# ---------------------------------------------------------------------------- disks and other processes


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


def vitflow(*words: str) -> subprocess.CompletedProcess[str]:
    """The command as a person runs it, with its log on the disk in question."""
    environment = os.environ | {"PYTHONPATH": str(TESTS.parent), "OMP_NUM_THREADS": "1"}
    return subprocess.run([sys.executable, "-m", "vitflow", *words], env=environment, capture_output=True, text=True)


def stop_at(step: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A first sitting at the baseline that ends there."""
    train = loop.train

    def stopped(*arguments: Any, **options: Any) -> loop.Outcome:
        asked = iter(range(1000))
        return train(*arguments, **options | {"should_stop": lambda seconds: next(asked) == step})

    with monkeypatch.context() as patch:
        patch.setattr(loop, "train", stopped)
        assert cli.main(TRAIN) == 75


def published() -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (BASELINE.checkpoint, BASELINE.history, BASELINE.config)}


@pytest.fixture
def whole(trained: Path, here: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, bytes]:
    """What an undisturbed training publishes."""
    with monkeypatch.context() as patch:
        patch.chdir(trained)
        return published()


def test_a_full_disk_loses_nothing(
    here: Path, disk: Callable[..., None], whole: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
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
    assert published() == whole


def test_a_state_that_does_not_fit_leaves_the_last_ones(
    here: Path, disk: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    disk("size=1m")
    folder = here / "results" / "state"
    for step in (4, 8):
        save_state(folder, state(step))
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    with pytest.raises(FileProblem, match=r"cannot be written \(No space left on device\); free some space"):
        save_state(folder, state(12) | {"model": {"large": torch.zeros(1_000_000)}})
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_a_log_on_a_full_disk_stops_nothing(here: Path, disk: Callable[..., None], whole: dict[str, bytes]) -> None:
    environment = os.environ | {"PYTHONPATH": str(TESTS.parent), "OMP_NUM_THREADS": "1"}
    if not Path("/dev/full").exists():
        pytest.skip("needs /dev/full")
    with open("/dev/full", "w") as full:
        subprocess.run([sys.executable, "-m", "vitflow", *TRAIN], env=environment, stderr=full)
    assert published() == whole


def test_a_read_only_folder_is_told_before_training_and_nothing_is_lost(
    here: Path, disk: Callable[..., None], whole: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
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
    assert published() == whole


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
def test_two_processes_do_not_work_on_one_run(
    trained: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    monkeypatch.chdir(trained)
    before = published()
    with FileLock(BASELINE.state / "lock"):
        assert cli.main([command, "--run", "baseline", "--threads", "1"]) == 2
    told = capsys.readouterr().err
    assert told == f"vitflow: {BASELINE.state}: another process is at work on baseline seed 0\n"
    assert published() == before


def test_what_killed_processes_left_is_cleaned_up_and_nothing_else(here: Path) -> None:
    ours = [
        path.with_name(f".{path.name}.abcdefgh.tmp")
        for path in (BASELINE.checkpoint, BASELINE.train, BASELINE.history, BASELINE.state / "step-000000004-00.pt")
    ]
    other = Layout("tiny").seed("baseline", 1)
    others = [other.checkpoint.with_name(".seed1.safetensors.abcdefgh.tmp"), BASELINE.folder / "notes.tmp"]
    for path in ours + others:
        write_text(path, "half")
    assert cli.main(TRAIN) == 0
    assert not any(path.exists() for path in ours)
    assert all(path.exists() for path in others), "another process may be writing it"


# --------------------------------------------------------------------------------------------- memory

GREEDY = """
import resource, sys
from vitflow import cli
import torch, torch._dynamo, vitflow.data.sources
torch.set_num_threads(1)
size = int(open('/proc/self/statm').read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (size + 300_000_000, resource.RLIM_INFINITY))
sys.exit(cli.main(sys.argv[1:]))
"""


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="needs /proc to limit memory")
def test_out_of_memory_is_one_line_with_the_batch_size_and_what_to_change(here: Path) -> None:
    large = TINY.replace("width: 16, depth: 2", "width: 2048, depth: 2").replace("batch_size: 50", "batch_size: 150")
    (here / "config.yaml").write_text(large)
    environment = os.environ | {"PYTHONPATH": str(TESTS.parent), "OMP_NUM_THREADS": "1"}
    words = [sys.executable, "-c", GREEDY, *TRAIN]
    done = subprocess.run(words, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 2, done.stderr
    last = done.stderr.splitlines()[-1]
    assert last.startswith("vitflow: baseline seed 0: out of memory on cpu with batch_size 150; run fewer jobs side by")
    assert "lower training.batch_size" in last and "Traceback" not in done.stderr


def test_the_memory_of_a_gpu_ends_with_the_same_line(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(*arguments: Any, **options: Any) -> loop.Outcome:
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")

    monkeypatch.setattr(loop, "train", full)
    assert cli.main(TRAIN) == 2
    assert "baseline seed 0: out of memory on cpu with batch_size 50" in capsys.readouterr().err.splitlines()[-1]
