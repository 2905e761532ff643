"""One process at a time works on a run and seed, and removes what killed ones left."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from filelock import FileLock, Timeout

from vitflow.machine.files import sweep, unwritable
from vitflow.results.ledger import Job


class Busy(RuntimeError):
    """Another process is at work on the same run and seed."""


@contextmanager
def locked(job: Job) -> Iterator[None]:
    """Hold the lock of a run and seed, which is let go when its process ends, however it ends. Raises Busy."""
    lock = FileLock(job.paths.state / "lock", timeout=0)
    try:
        job.paths.state.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except Timeout:
        raise Busy(f"{job.paths.state}: another process is at work on {job.run} seed {job.seed}") from None
    except OSError as error:
        raise unwritable(job.paths.state, error) from None
    try:
        yield
    finally:
        lock.release()


def sweep_results(job: Job) -> None:
    """Remove what killed processes left of publishing results of this run and seed; for who holds its lock."""
    paths = job.paths
    for path in (paths.checkpoint, paths.config, paths.history, paths.train, paths.metrics, paths.predictions):
        sweep(path.parent, path.name)
