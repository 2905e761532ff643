"""In which precision a training computes, and whether it compiles."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn


def uses_bf16(precision: str, device: torch.device) -> bool:
    """Whether forward passes run under bfloat16 autocast."""
    return precision == "bf16" or (precision == "auto" and device.type == "cuda")


def compiles(precision: str, device: torch.device) -> bool:
    """Whether the model is compiled."""
    return precision == "auto" and device.type == "cuda"


def compiled(model: nn.Module) -> Callable[[Tensor], Tensor]:
    """``model``, compiled when it is first used; what a process has compiled for other models is forgotten.

    torch keeps eight variants of a function, and would leave the ninth model as it is.
    """
    torch.compiler.reset()
    return torch.compile(model)
