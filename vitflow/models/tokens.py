"""Tokens that stand before the patches, and what the classifier reads at the end.

Shapes: B batch, N tokens (prefix first), D token width.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from vitflow.study.models import ViT as ViTConfig
from vitflow.study.tokens import places_cls, prefix_tokens


class Prefix(nn.Module):
    """Learned tokens before the patch tokens, [CLS] and then registers: [B, N, D] -> [B, count + N, D].

    Registers (Darcet et al., 2024) are read by attention alone: room to keep what belongs to no patch.

    A [CLS] to which a position is added starts at 0. Every other prefix token starts as that sum does, normal
    with deviation 1/sqrt(D): a norm's gradient is a thousandfold at 0, and equal registers would stay equal.
    """

    def __init__(self, config: ViTConfig) -> None:
        super().__init__()
        self.tokens = nn.Parameter(torch.zeros(1, prefix_tokens(config), config.width))
        nn.init.normal_(self.tokens[:, int(places_cls(config)) :], std=config.width**-0.5)

    def forward(self, patches: Tensor) -> Tensor:
        return torch.cat([self.tokens.expand(patches.shape[0], -1, -1), patches], dim=1)  # [B, count + N, D]


class ClassTokenPool(nn.Module):
    """The [CLS] token, which gathers what it needs by attention: [B, N, D] -> [B, D]."""

    def __init__(self, prefix_tokens: int) -> None:
        super().__init__()

    def forward(self, tokens: Tensor) -> Tensor:
        return tokens[:, 0]


class MeanPool(nn.Module):
    """The mean of the patch tokens; there is no [CLS] token then: [B, N, D] -> [B, D]."""

    def __init__(self, prefix_tokens: int) -> None:
        super().__init__()
        self.prefix_tokens = prefix_tokens

    def forward(self, tokens: Tensor) -> Tensor:
        return tokens[:, self.prefix_tokens :].mean(dim=1)


#: by config.ViT.pool; each takes the number of prefix tokens
POOLS: dict[str, Callable[[int], nn.Module]] = {"cls": ClassTokenPool, "mean": MeanPool}
