"""What a command may use of this machine, and until when."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from vitflow.machine.log import say

if TYPE_CHECKING:
    import torch

#: of the CPU, unless others are asked for by name: they change the last bits of results, so there is one default; and
#: several trainings side by side are quicker than one with several threads
THREADS = 1


class NoGPU(RuntimeError):
    """GPUs were asked for, and there are fewer."""


@dataclass(frozen=True)
class Machine:
    """Threads, places on a GPU, and a deadline."""

    threads: int = THREADS
    gpus: int = 0  #: that have to be here
    jobs_per_gpu: int = 1
    deadline: float | None = None  #: ``time.monotonic()`` seconds

    @contextmanager
    def device(self, *, alone: bool = False) -> Iterator[torch.device]:
        """The CPU, or a place on a GPU (all of its places, if ``alone``); raises AllTaken if none comes free."""
        import torch

        from vitflow.machine.gpu import claimed

        torch.set_num_threads(self.threads)
        if torch.cuda.device_count() < self.gpus:
            raise NoGPU(f"{self.gpus} GPU asked for, and {torch.cuda.device_count()} here; on a CPU, leave --gpus out")
        with claimed(self.jobs_per_gpu, alone=alone, say=say, deadline=self.deadline) as device:
            yield device

    @property
    def last(self) -> float:
        """Until when something may be waited for, in ``time.monotonic()`` seconds."""
        return math.inf if self.deadline is None else self.deadline

    def is_over(self, margin: float = 0.0) -> bool:
        """Whether less than ``margin`` seconds are left."""
        return self.deadline is not None and time.monotonic() + margin > self.deadline
