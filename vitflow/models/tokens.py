"""Tokens that stand before the patches, and what the classifier reads at the end.

Shapes: B batch, N tokens (prefix first), D token width.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Prefix(nn.Module):
    """Learned tokens before the patch tokens: [B, N, D] -> [B, count + N, D]."""

    def __init__(self, count: int, width: int) -> None:
        super().__init__()
        self.tokens = nn.Parameter(torch.zeros(1, count, width))

    def forward(self, patches: Tensor) -> Tensor:
        return torch.cat([self.tokens.expand(patches.shape[0], -1, -1), patches], dim=1)  # [B, count + N, D]


class ClassTokenPool(nn.Module):
    """The [CLS] token, which gathers what it needs by attention: [B, N, D] -> [B, D]."""

    prefix_tokens = 1

    def forward(self, tokens: Tensor) -> Tensor:
        return tokens[:, 0]


class MeanPool(nn.Module):
    """The mean of the patch tokens; there is no [CLS] token then: [B, N, D] -> [B, D]."""

    prefix_tokens = 0

    def forward(self, tokens: Tensor) -> Tensor:
        return tokens.mean(dim=1)


#: by config.ViT.pool
POOLS: dict[str, type[ClassTokenPool] | type[MeanPool]] = {"cls": ClassTokenPool, "mean": MeanPool}
