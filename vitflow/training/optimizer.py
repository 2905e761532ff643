"""Optimizer and learning-rate schedule."""

from __future__ import annotations

import math

import torch
from torch import nn

from vitflow.config import Training
from vitflow.models.build import decayed_parameters


def build_optimizer(model: nn.Module, training: Training, device: torch.device) -> torch.optim.Optimizer:
    """AdamW (Loshchilov & Hutter, 2019); decay on weight matrices and kernels only."""
    decay, no_decay = decayed_parameters(model)
    groups = [
        {"params": decay, "weight_decay": training.weight_decay},
        {"params": no_decay, "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=training.learning_rate, betas=(0.9, 0.999), fused=device.type == "cuda")


def learning_rate(training: Training, step: int, steps_per_epoch: int) -> float:
    """The rate of update ``step`` (0 is the first): linear warm-up, then half a cosine towards 0.

    The warm-up reaches the peak on its last update; the cosine would reach 0 on the update after the last.
    """
    total = training.epochs * steps_per_epoch
    warmup = round(training.warmup_epochs * steps_per_epoch)
    if step < warmup:
        return training.learning_rate * (step + 1) / warmup
    return training.learning_rate * 0.5 * (1 + math.cos(math.pi * (step - warmup) / (total - warmup)))
