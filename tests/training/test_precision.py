"""Models that are compiled one after another in one process."""

from __future__ import annotations

from functools import partial

import pytest
import torch
from torch import fx

from vitflow.models.build import build
from vitflow.study.models import ViT
from vitflow.training.precision import compiled


def test_every_model_of_a_long_process_is_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    """torch leaves the ninth as it is, with a warning; twelve runs of a study are as many models."""
    made: list[fx.GraphModule] = []

    def counting(graph: fx.GraphModule, inputs: list[torch.Tensor]) -> fx.GraphModule:
        made.append(graph)
        return graph

    monkeypatch.setattr(torch, "compile", partial(torch.compile, backend=counting))
    for number in range(1, 13):
        model = compiled(build(ViT(width=16 * number, depth=1, heads=2), 32, 3, 10))
        model(torch.zeros(2, 3, 32, 32))
        assert len(made) == number
