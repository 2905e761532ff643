"""A computation on a GPU, recorded once as a CUDA graph and from then on replayed.

An update of a small model is hundreds of kernels of a few microseconds each, which a host launches more slowly than
the GPU computes them (docs/speed.md). A graph launches all of them at once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

#: calls before the recording, on a stream of their own as torch asks for: libraries set up, memory is allocated
WARM_UP = 3


class Recording:
    """Of one computation on tensors that keep their shapes; what it returns is the caller's to keep.

    All else that it reads and writes has to stay where it is in memory: weights, the optimizer's state, a rate
    that is a tensor. Whoever moves some of it records anew. Draws from the GPU's own generator follow its seed in every
    call.
    """

    def __init__(self) -> None:
        self._calls = 0
        self._stream = torch.cuda.Stream()
        self._graph = torch.cuda.CUDAGraph()
        self._inputs: list[Tensor] = []
        self._outputs: Sequence[Tensor] = ()

    def __call__(self, compute: Callable[..., Sequence[Tensor]], *inputs: Tensor) -> list[Tensor]:
        """``compute(*inputs)``; ``compute`` is the same every time."""
        self._calls += 1
        if self._calls <= WARM_UP:
            self._stream.wait_stream(torch.cuda.current_stream())
            with torch.cuda.stream(self._stream):
                outputs = compute(*inputs)
            torch.cuda.current_stream().wait_stream(self._stream)
            return [output.clone() for output in outputs]
        if self._calls == WARM_UP + 1:
            self._inputs = [tensor.clone() for tensor in inputs]
            with torch.cuda.graph(self._graph):  # recorded, not computed
                self._outputs = compute(*self._inputs)
        for mine, theirs in zip(self._inputs, inputs, strict=True):
            mine.copy_(theirs)
        self._graph.replay()
        return [output.clone() for output in self._outputs]
