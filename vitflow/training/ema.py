"""Which weights count: the latest, or their exponential moving average."""

from __future__ import annotations

import copy
from typing import Any

import torch
from torch import Tensor, nn


def decay_at(update: int, decay: float) -> float:
    """The decay of update 1, 2, ...: min(decay, (1 + update) / (10 + update)), as TensorFlow's average warms up.

    A constant decay would keep the random initial weights for some 1 / (1 - decay) updates.
    """
    return min(decay, (1 + update) / (10 + update))


class Latest:
    """No average: the weights that count are the trained ones."""

    def __init__(self, model: nn.Module, decay: None = None) -> None:
        self.model = model

    def update(self, number: int) -> None:
        """Nothing is to be done."""

    def state_dict(self) -> dict[str, Any]:
        """Nothing beyond the model's own state."""
        return {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Nothing was stored."""


class Average:
    """average <- d average + (1 - d) weights after each update (Polyak & Juditsky, 1992), from the initial weights.

    ``model`` is a copy that holds the averages. Running statistics of BatchNorm are averaged in the same way: those
    of the latest weights alone would belong to other activations. Counters are copied.
    """

    def __init__(self, model: nn.Module, decay: float) -> None:
        self.decay = decay
        self.model = copy.deepcopy(model).requires_grad_(False)
        pairs = list(zip(_tensors(self.model), _tensors(model), strict=True))
        self._averages = [mine for mine, _ in pairs if mine.is_floating_point()]
        self._latest = [theirs for _, theirs in pairs if theirs.is_floating_point()]
        self._counters = [pair for pair in pairs if not pair[0].is_floating_point()]

    @torch.no_grad()
    def update(self, number: int) -> None:
        """Take in the weights after update ``number`` (1 is the first)."""
        torch._foreach_lerp_(self._averages, self._latest, 1 - decay_at(number, self.decay))
        for mine, theirs in self._counters:
            mine.copy_(theirs)

    def state_dict(self) -> dict[str, Any]:
        """The averages."""
        return self.model.state_dict()

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from stored averages."""
        self.model.load_state_dict(state)


def build_average(model: nn.Module, decay: float | None) -> Latest | Average:
    """The weights that are scored and published; ``decay`` as in ``training.ema``."""
    return Latest(model) if decay is None else Average(model, decay)


def _tensors(model: nn.Module) -> list[Tensor]:
    return [tensor.detach() for tensor in (*model.parameters(), *model.buffers())]
