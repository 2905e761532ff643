"""In which precision a training computes, and whether it compiles."""

from __future__ import annotations

import torch


def uses_bf16(precision: str, device: torch.device) -> bool:
    """Whether forward passes run under bfloat16 autocast."""
    return precision == "bf16" or (precision == "auto" and device.type == "cuda")


def compiles(precision: str, device: torch.device) -> bool:
    """Whether the model is compiled."""
    return precision == "auto" and device.type == "cuda"
