"""Where a training runs, in which precision, and how it treats its memory."""

from __future__ import annotations

import ctypes
import sys

import torch

M_TRIM_THRESHOLD, M_MMAP_MAX = -1, -4  #: of glibc's malloc.h


def select_device() -> torch.device:
    """The first GPU, or the CPU."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def uses_bf16(precision: str, device: torch.device) -> bool:
    """Whether forward passes run under bfloat16 autocast."""
    return precision == "bf16" or (precision == "auto" and device.type == "cuda")


def compiles(precision: str, device: torch.device) -> bool:
    """Whether the model is compiled."""
    return precision == "auto" and device.type == "cuda"


def keep_freed_memory() -> None:
    """Have this process keep what it frees, for the next update needs as much again.

    glibc gives blocks over 32 MiB at most back to the system at once, and takes them anew, page by page: a tenth of a
    training's time on a CPU. The peak stays what it is. Other C libraries are left as they are.
    """
    if sys.platform == "linux" and hasattr(libc := ctypes.CDLL(None), "mallopt"):
        libc.mallopt(M_MMAP_MAX, 0)
        libc.mallopt(M_TRIM_THRESHOLD, 2**31 - 1)
