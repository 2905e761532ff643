"""Which GPU a job works on where jobs share a machine: each GPU has places, and a place is a file lock.

A lock is let go when its process ends, however it ends. Under SLURM, which hands out GPUs itself, no place is taken.
"""

from __future__ import annotations

import getpass
import os
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import torch
from filelock import FileLock, Timeout

LOOK_AGAIN = 1.0  #: seconds


class AllTaken(RuntimeError):
    """No place came free in time."""


@contextmanager
def claimed(
    jobs_per_gpu: int, *, alone: bool = False, say: Callable[[str], None], deadline: float | None = None
) -> Iterator[torch.device]:
    """The device to work on: the CPU, or a GPU with at most ``jobs_per_gpu`` jobs on it, or none other if ``alone``.

    Waits for a place, until ``deadline`` (``time.monotonic()`` seconds): then raises AllTaken.
    """
    if not torch.cuda.is_available():
        yield torch.device("cpu")
    elif "SLURM_JOB_ID" in os.environ:
        yield torch.device("cuda", 0)
    else:
        gpus = [str(torch.cuda.get_device_properties(i).uuid) for i in range(torch.cuda.device_count())]
        with place(gpus, jobs_per_gpu, alone=alone, say=say, deadline=deadline) as number:
            torch.cuda.set_device(number)
            yield torch.device("cuda", number)


@contextmanager
def place(
    gpus: Sequence[str],
    jobs_per_gpu: int,
    *,
    alone: bool = False,
    say: Callable[[str], None],
    deadline: float | None = None,
) -> Iterator[int]:
    """The number of a GPU, of those with the names ``gpus``, on which a place (all places, if ``alone``) is held."""
    with ExitStack() as held:
        waiting = False
        while (number := _take(gpus, jobs_per_gpu, alone, held)) is None:
            if deadline is not None and time.monotonic() + LOOK_AGAIN > deadline:
                raise AllTaken(f"no place on a GPU came free in time ({jobs_per_gpu} a GPU); the same command goes on")
            if not waiting:
                say(f"every place on a GPU is taken ({jobs_per_gpu} a GPU, see --jobs-per-gpu); waiting for one")
                waiting = True
            time.sleep(LOOK_AGAIN)
        yield number


def _take(gpus: Sequence[str], jobs_per_gpu: int, alone: bool, held: ExitStack) -> int | None:
    numbers, places = range(len(gpus)), range(jobs_per_gpu)
    # GPUs fill evenly: the second place of one only when each has its first taken
    choices = [(n, list(places)) for n in numbers] if alone else [(n, [p]) for p in places for n in numbers]
    for number, wanted in choices:
        with ExitStack() as taken:
            try:
                for one in wanted:
                    taken.enter_context(FileLock(_lock(gpus[number], one), timeout=0))
            except Timeout:
                continue
            held.enter_context(taken.pop_all())
            return number
    return None


def _lock(gpu: str, place: int) -> Path:
    return Path(tempfile.gettempdir()) / f"vitflow-{getpass.getuser()}-{gpu}-{place}.lock"
