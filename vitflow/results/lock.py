"""One process at a time works on a run and seed, says where it is, and removes what killed ones left."""

from __future__ import annotations

import datetime
import os
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from filelock import FileLock, Timeout

from vitflow.machine import slurm
from vitflow.machine.files import FileProblem, read_json, sweep, unwritable, write_json
from vitflow.results.ledger import Job

LOOK_AGAIN = 1.0  #: seconds


class Busy(RuntimeError):
    """Another process is at work on the same run and seed."""


@contextmanager
def locked(job: Job, *, until: float = 0.0, say: Callable[[str], None] = lambda line: None) -> Iterator[bool]:
    """Hold the lock of a run and seed, which is let go when its process ends, however it ends.

    Where another process holds it, it is named and waited for, ``until`` then (``time.monotonic()`` seconds): after
    that, raises Busy. Gives whether it was waited for: then what was to be done may be done.
    """
    lock, waited = FileLock(job.paths.state / "lock", timeout=0), False
    try:
        job.paths.state.mkdir(parents=True, exist_ok=True)
        while True:
            try:
                lock.acquire()
                break
            except Timeout:
                if time.monotonic() > until:
                    raise Busy(f"{job.paths.state}: {at_work(job)}") from None
                if not waited:
                    say(f"{at_work(job)}; waiting for it")
                    waited = True
                time.sleep(LOOK_AGAIN)
    except OSError as error:
        raise unwritable(job.paths.state, error) from None
    try:
        sweep(job.paths.state, job.paths.sittings.name)
        begun = [*sittings(job), here()]
        with suppress(FileProblem):  # a full disk is told by who saves the state
            write_json(job.paths.sittings, begun)
        yield waited
        job.paths.sittings.unlink(missing_ok=True)  # what ended well needs no record of its attempts
    finally:
        lock.release()


def here() -> dict[str, Any]:
    """Where this process runs, for whoever meets its lock, and for `vitflow status`."""
    return {
        "host": os.environ.get("SLURMD_NODENAME") or socket.gethostname(),
        "job": slurm.job(),
        "process": os.getpid(),
        "since": datetime.datetime.now().astimezone().isoformat(timespec="seconds"),
    }


def spell(sitting: dict[str, Any]) -> str:
    """``node1, SLURM job 12, since 2026-01-31T12:00:00+00:00``."""
    who = f"SLURM job {sitting['job']}" if sitting["job"] else f"process {sitting['process']}"
    return f"{sitting['host']}, {who}, since {sitting['since']}"


def sittings(job: Job) -> list[dict[str, Any]]:
    """Sittings at a run and seed that have not ended well; where it is busy, the last is the one at work."""
    try:
        return list(read_json(job.paths.sittings))
    except FileProblem:
        return []  # none, or one that is being begun


def at_work(job: Job) -> str:
    """Who holds the lock of a run and seed that is busy."""
    begun = sittings(job)
    return f"another process is at work on {job.run} seed {job.seed}" + (f" ({spell(begun[-1])})" if begun else "")


def note(job: Job, line: str) -> None:
    """Keep what a sitting said last, for `vitflow status`; for who holds the lock."""
    begun = sittings(job)
    if begun:
        begun[-1]["said"] = line
        with suppress(FileProblem):  # a full disk is told by who saves the state
            write_json(job.paths.sittings, begun)


def sweep_results(job: Job) -> None:
    """Remove what killed processes left of publishing results of this run and seed; for who holds its lock."""
    paths = job.paths
    for path in (paths.checkpoint, paths.config, paths.history, paths.train, paths.metrics, paths.predictions):
        sweep(path.parent, path.name)
