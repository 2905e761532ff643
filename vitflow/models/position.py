"""How a token knows where it stands.

An encoding may enter by two doors: ``add`` to the tokens before the first block, or ``rotate`` queries and
keys in every block. The ViT goes through both and never asks which encoding it has.

Shapes: B batch, N tokens (prefix first), D token width, H heads, K head size.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Position(nn.Module):
    """Both doors, leaving everything as it is; an encoding overrides the one it uses."""

    def add(self, tokens: Tensor) -> Tensor:
        """tokens [B, N, D] -> tokens [B, N, D], once, before the first block."""
        return tokens

    def rotate(self, queries: Tensor, keys: Tensor) -> tuple[Tensor, Tensor]:
        """queries, keys [B, H, N, K] -> the same shapes, in every block."""
        return queries, keys


class LearnedPosition(Position):
    """One free vector per token, prefix tokens included, added once (Dosovitskiy et al., 2021)."""

    def __init__(self, tokens: int, width: int) -> None:
        super().__init__()
        self.embedding = nn.Parameter(torch.empty(1, tokens, width))
        nn.init.normal_(self.embedding, std=width**-0.5)

    def add(self, tokens: Tensor) -> Tensor:
        return tokens + self.embedding
