"""What a command may use of this machine, and until when."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from vitflow.machine.log import say

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class Machine:
    """Threads, places on a GPU, and a deadline."""

    threads: int | None = None  #: of the CPU; None is all
    jobs_per_gpu: int = 1
    deadline: float | None = None  #: ``time.monotonic()`` seconds

    @contextmanager
    def device(self, *, alone: bool = False) -> Iterator[torch.device]:
        """The CPU, or a place on a GPU (all of its places, if ``alone``); raises AllTaken if none comes free."""
        import torch

        from vitflow.machine.gpu import claimed

        if self.threads:
            torch.set_num_threads(self.threads)
        with claimed(self.jobs_per_gpu, alone=alone, say=say, deadline=self.deadline) as device:
            yield device

    def is_over(self, margin: float = 0.0) -> bool:
        """Whether less than ``margin`` seconds are left."""
        return self.deadline is not None and time.monotonic() + margin > self.deadline
