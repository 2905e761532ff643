"""Requests to stop, by signal: SIGTERM, SIGUSR1 (which clusters send before they kill) and Ctrl-C.

SIGUSR1 in a job of SLURM says that its time is nearly over, and then the job goes back into the queue by itself.
Everything is published whole, so at most times the right answer is to leave at once. Training notes the
request instead and saves its state. Nothing heavy is imported here: `vitflow` listens before it imports the rest.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType

#: exit code: stopped before the end, and the same command goes on
STOPPED = 75
WARNING = signal.SIGUSR1
REQUESTS = (signal.SIGTERM, WARNING)

_received: list[int] = []


def listen() -> None:
    """From here on a request ends the process with one line and exit code 75."""
    for number in REQUESTS:
        signal.signal(number, _leave)


def ignore() -> None:
    """The work is done: what comes now must not make a failure of it, for Snakemake deletes what a failed job made."""
    for number in REQUESTS:
        signal.signal(number, signal.SIG_IGN)


@contextmanager
def noted() -> Iterator[Callable[[], bool]]:
    """A question that becomes true on a request or Ctrl-C; earlier handlers return at the end."""
    _received.clear()

    def note(number: int, frame: FrameType | None) -> None:
        _received.append(number)

    before = {number: signal.signal(number, note) for number in (*REQUESTS, signal.SIGINT)}
    try:
        yield lambda: bool(_received)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def go_on_later() -> None:
    """Where SLURM has warned this process, have it begin the job again, under its number: it has not failed.

    If SLURM refuses, the job fails, and whoever sent it sends it again.
    """
    job = os.environ.get("SLURM_JOB_ID")
    if job and WARNING in _received:
        with suppress(OSError):
            os.waitpid(os.posix_spawnp("scontrol", ["scontrol", "requeue", job], os.environ), 0)


def _leave(number: int, frame: FrameType | None) -> None:
    _received.append(number)
    # an exception could be swallowed or turned into another by the import that it interrupts
    with suppress(OSError):
        os.write(2, f"vitflow: stopped by {signal.Signals(number).name}; the same command goes on\n".encode())
    go_on_later()
    os._exit(STOPPED)
