"""Progress, for people and for logs."""

from __future__ import annotations

import sys
from contextlib import suppress


def say(line: str) -> None:
    """A line on stderr. A log on a full disk, or one that nobody reads any more, stops nothing."""
    with suppress(OSError):
        print(line, file=sys.stderr, flush=True)
