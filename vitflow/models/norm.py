"""Normalisation of tokens, over their last dimension."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

EPSILON = 1e-6  # of the published ViTs


class LayerNorm(nn.LayerNorm):
    """LayerNorm (Ba et al., 2016): (x - mean) / deviation * weight + bias, [..., D] -> [..., D]."""

    def __init__(self, width: int) -> None:
        super().__init__(width, eps=EPSILON)


class RMSNorm(nn.Module):
    """RMSNorm (Zhang and Sennrich, 2019): x / sqrt(mean(x^2)) * weight, [..., D] -> [..., D].

    No mean is taken out and no bias added. Under autocast the weight is applied in full precision.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))

    def forward(self, x: Tensor) -> Tensor:
        # the weight apart: given to rms_norm, it must have the dtype of x, which is bfloat16 for queries and keys
        return F.rms_norm(x, self.weight.shape, eps=EPSILON) * self.weight


#: by config.ViT.norm; each takes the width
NORMS: dict[str, Callable[[int], nn.Module]] = {"layernorm": LayerNorm, "rmsnorm": RMSNorm}
