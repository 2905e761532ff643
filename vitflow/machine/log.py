"""Progress, for people and for logs."""

from __future__ import annotations

import sys
import time
from contextlib import suppress


def say(line: str) -> None:
    """A line on stderr. A log on a full disk, or one that nobody reads any more, stops nothing."""
    with suppress(OSError):
        print(line, file=sys.stderr, flush=True)


def remaining(started: float, done: int, total: int) -> str:
    """``, about 12 min left`` with ``done`` of ``total`` equal pieces finished since ``started`` (monotonic seconds).

    '' before any is, and where less than a minute is left.
    """
    if not done:
        return ""
    minutes = (time.monotonic() - started) / done * (total - done) / 60
    return f", about {minutes:.0f} min left" if minutes > 1 else ""
