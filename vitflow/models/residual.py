"""What happens to a branch before it is added to the tokens.

Shapes: B batch, N tokens, D token width.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn


class LayerScale(nn.Module):
    """One learned factor per feature (Touvron et al., 2021, CaiT): [B, N, D] -> [B, N, D]."""

    def __init__(self, width: int, start: float) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.full((width,), start))

    def forward(self, branch: Tensor) -> Tensor:
        return branch * self.scale


class DropPath(nn.Module):
    """Stochastic depth (Huang et al., 2016): [B, N, D] -> [B, N, D], in training only.

    Each sample's branch is 0 with probability ``rate`` and else divided by 1 - ``rate``, which keeps the
    expectation. Draws come from torch's global generator, which the training loop seeds anew every step.
    """

    def __init__(self, rate: float) -> None:
        super().__init__()
        self.rate = rate

    def forward(self, branch: Tensor) -> Tensor:
        if not self.training:
            return branch
        kept = torch.rand(branch.shape[0], 1, 1, device=branch.device) >= self.rate  # [B, 1, 1]
        return branch * (kept / (1 - self.rate))


def rates(drop_path: float, depth: int) -> list[float]:
    """The chance of each block's branches to be skipped: linear from 0 to ``drop_path``, as in DeiT."""
    return [drop_path * number / max(1, depth - 1) for number in range(depth)]
