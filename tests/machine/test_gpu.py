"""Places on GPUs: file locks of real processes. No GPU is needed to share one."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

import pytest
import torch

from vitflow.machine import gpu
from vitflow.machine.limits import Machine, NoGPU

TWO = ("first", "second")


@pytest.fixture(autouse=True)
def locks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of its own for the locks, and no patience."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(gpu, "LOOK_AGAIN", 0.01)
    return tmp_path


def silent(line: str) -> None:
    pass


def soon() -> float:
    return time.monotonic() + 0.1


def take(stack: ExitStack, per_gpu: int, *, alone: bool = False) -> int:
    return stack.enter_context(gpu.place(TWO, per_gpu, alone=alone, say=silent, deadline=soon()))


def test_gpus_fill_evenly_and_not_beyond_their_places() -> None:
    with ExitStack() as stack:
        assert [take(stack, 2) for _ in range(4)] == [0, 1, 0, 1]
        with pytest.raises(gpu.AllTaken, match="2 a GPU"):
            take(stack, 2)
    with ExitStack() as stack:
        assert take(stack, 2) == 0, "all were given back"


def test_who_is_alone_shares_with_nobody() -> None:
    with ExitStack() as stack:
        assert take(stack, 3) == 0
        assert take(stack, 3, alone=True) == 1, "the other GPU is empty"
        assert [take(stack, 3) for _ in range(2)] == [0, 0]
        with pytest.raises(gpu.AllTaken):
            take(stack, 3)


def test_who_cannot_be_alone_holds_nothing_while_it_waits() -> None:
    with ExitStack() as stack:
        assert [take(stack, 2) for _ in range(2)] == [0, 1]
        with pytest.raises(gpu.AllTaken):
            take(stack, 2, alone=True)
        assert [take(stack, 2) for _ in range(2)] == [0, 1]


def test_it_says_once_that_it_waits_and_goes_on_when_a_place_is_free() -> None:
    said: list[str] = []
    first = ExitStack()
    with first, ExitStack() as second:
        first.enter_context(gpu.place(["one"], 1, say=said.append))

        def say(line: str) -> None:
            said.append(line)
            first.close()

        assert second.enter_context(gpu.place(["one"], 1, say=say, deadline=time.monotonic() + 5)) == 0
    assert said == ["every place on a GPU is taken (1 a GPU, see --jobs-per-gpu); waiting for one"]


def test_a_killed_process_gives_its_place_back(locks: Path) -> None:
    code = """
import tempfile, time
from vitflow.machine import gpu
tempfile.tempdir = %r
with gpu.place(["one"], 1, say=print):
    print("mine", flush=True)
    time.sleep(60)
"""
    process = subprocess.Popen([sys.executable, "-c", code % str(locks)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    with process:
        assert process.stdout.readline() == "mine\n"
        with pytest.raises(gpu.AllTaken), gpu.place(["one"], 1, say=silent, deadline=soon()):
            pass
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    with gpu.place(["one"], 1, say=silent, deadline=soon()) as number:
        assert number == 0


JOB = """
import sys, tempfile, time
from pathlib import Path
from vitflow.machine import gpu
tempfile.tempdir, gpu.LOOK_AGAIN = sys.argv[1], 0.01
with gpu.place(["first", "second"], int(sys.argv[2]), say=lambda line: None) as number:
    mark = Path(sys.argv[1]) / f"at-{number}-{sys.argv[3]}"
    mark.touch()
    print(len(list(mark.parent.glob(f"at-{number}-*"))), flush=True)
    time.sleep(0.3)
    mark.unlink()
"""


@pytest.mark.parametrize("per_gpu", [1, 2])
def test_four_jobs_on_two_gpus_are_never_more_than_the_places(locks: Path, per_gpu: int) -> None:
    words = [sys.executable, "-c", JOB, str(locks), str(per_gpu)]
    jobs = [subprocess.Popen([*words, str(job)], stdout=subprocess.PIPE, text=True) for job in range(4)]
    beside = [int(job.communicate(timeout=120)[0]) for job in jobs]
    assert max(beside) <= per_gpu and all(job.returncode == 0 for job in jobs)


@pytest.mark.skipif(torch.cuda.is_available(), reason="a machine without a GPU")
def test_who_asks_for_a_gpu_is_not_given_the_cpu() -> None:
    with pytest.raises(NoGPU, match=r"^1 GPU asked for, and 0 here; on a CPU, leave --gpus out$"):
        Machine(gpus=1).device().__enter__()


@pytest.mark.skipif(torch.cuda.is_available(), reason="a machine without a GPU")
def test_without_a_gpu_nothing_is_locked(locks: Path) -> None:
    with gpu.claimed(1, alone=True, say=silent) as device:
        assert device.type == "cpu"
    assert not list(locks.iterdir())


@pytest.mark.skipif(not torch.cuda.is_available(), reason="a machine with a GPU")
def test_a_gpu_is_locked_unless_slurm_has_given_it(locks: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with gpu.claimed(1, say=silent) as device:
        assert device.type == "cuda"
        assert torch.cuda.current_device() == device.index
        assert len(list(locks.iterdir())) == 1
    monkeypatch.setenv("SLURM_JOB_ID", "1")
    with gpu.claimed(1, say=silent), gpu.claimed(1, say=silent) as device:
        assert device.type == "cuda"
