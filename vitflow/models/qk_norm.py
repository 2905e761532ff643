"""Normalisation of queries and keys, before any rotation, so that scores cannot grow with their lengths.

Shapes: B batch, H heads, N tokens, K head size.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from vitflow.models.norm import RMSNorm


class QKNorm(nn.Module):
    """Queries and keys [B, H, N, K] as they are."""

    #: what scores are multiplied by; None is 1/sqrt(K)
    scale: float | None = None

    def __init__(self, head_size: int, tokens: int) -> None:
        super().__init__()

    def forward(self, queries: Tensor, keys: Tensor) -> tuple[Tensor, Tensor]:
        return queries, keys


class L2QKNorm(QKNorm):
    """Queries and keys of length 1, scores g * cosine with one learned g a layer (Henry et al., 2020, eq. 4).

    g takes the place of 1/sqrt(K) and starts at log2(N^2 - N), their rule for sequences of N tokens.
    """

    scale = 1.0

    def __init__(self, head_size: int, tokens: int) -> None:
        super().__init__(head_size, tokens)
        self.gain = nn.Parameter(torch.full((1,), math.log2(tokens**2 - tokens)))

    def forward(self, queries: Tensor, keys: Tensor) -> tuple[Tensor, Tensor]:
        return self.gain * F.normalize(queries, dim=-1), F.normalize(keys, dim=-1)


class RMSQKNorm(QKNorm):
    """RMSNorm over the head size, a weight [K] each for queries and keys, shared by the heads of a layer.

    As in large models (Dehghani et al., 2023, with LayerNorm); 1/sqrt(K) stays.
    """

    def __init__(self, head_size: int, tokens: int) -> None:
        super().__init__(head_size, tokens)
        self.queries = RMSNorm(head_size)
        self.keys = RMSNorm(head_size)

    def forward(self, queries: Tensor, keys: Tensor) -> tuple[Tensor, Tensor]:
        return self.queries(queries), self.keys(keys)


#: by config.ViT.qk_norm
QK_NORMS: dict[str, type[QKNorm]] = {"none": QKNorm, "l2": L2QKNorm, "rmsnorm": RMSQKNorm}
