"""How a process treats its memory, and what is told when there is no more."""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Iterator
from contextlib import contextmanager

M_TRIM_THRESHOLD, M_MMAP_MAX = -1, -4  #: of glibc's malloc.h


def keep_freed_memory() -> None:
    """Have this process keep what it frees, for the next update needs as much again.

    glibc gives blocks over 32 MiB at most back to the system at once, and takes them anew, page by page: a tenth of a
    training's time on a CPU. The peak stays what it is. Other C libraries are left as they are.
    """
    if sys.platform == "linux" and hasattr(libc := ctypes.CDLL(None), "mallopt"):
        libc.mallopt(M_MMAP_MAX, 0)
        libc.mallopt(M_TRIM_THRESHOLD, 2**31 - 1)


class MemoryEnded(RuntimeError):
    """There was not enough memory; the message says for what, and what to do."""


@contextmanager
def told_if_memory_ends(who: str, batch_size: int | None = None, device: str = "cpu") -> Iterator[None]:
    """One line instead of a traceback; ``batch_size`` is that of a training on ``device``, None where it is scored.

    Raises MemoryEnded.
    """
    import torch

    try:
        yield
    except (RuntimeError, MemoryError) as error:
        told = isinstance(error, torch.OutOfMemoryError | MemoryError)
        if not told and "DefaultCPUAllocator: can't allocate memory" not in str(error):
            raise
        what, less = "out of memory while scoring", ""
        if batch_size is not None:
            what = f"out of memory on {device} with batch_size {batch_size}"
            less = ", or lower training.batch_size, which makes it another study: all runs are trained anew"
        raise MemoryEnded(f"{who}: {what}; run fewer jobs side by side{less}") from None
