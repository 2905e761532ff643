"""vit-pytorch's tokenisation of shifted patches, as the paper has it."""

from __future__ import annotations

from typing import Any

import torch
from einops.layers.torch import Rearrange
from torch import Tensor
from torch.nn import functional as F
from vit_pytorch.vit_for_small_dataset import SPT


class DiagonalSPT(SPT):
    """vit-pytorch's tokenisation with the paper's shifts and our order of pixels.

    vit-pytorch shifts by one pixel along the axes, the paper by half a patch along the diagonals. Within a
    patch vit-pytorch counts channels fastest, we slowest.
    """

    def __init__(self, patch_size: int, **options: Any) -> None:
        super().__init__(patch_size=patch_size, **options)
        self.shift = patch_size // 2
        self.to_patch_tokens[0] = Rearrange("b c (h p1) (w p2) -> b (h w) (c p1 p2)", p1=patch_size, p2=patch_size)
        self.to_patch_tokens[1].eps = 1e-6

    def forward(self, images: Tensor) -> Tensor:
        padded = F.pad(images, [self.shift] * 4)
        side, ways = images.shape[-1], (0, 2 * self.shift)
        moved = [padded[..., y : y + side, x : x + side] for y in ways for x in ways]
        return self.to_patch_tokens(torch.cat([images, *moved], dim=1))
