"""Normalisation of tokens."""

from __future__ import annotations

from torch import nn


class LayerNorm(nn.LayerNorm):
    """LayerNorm (Ba et al., 2016) over the last dimension, with the epsilon of the published ViTs."""

    def __init__(self, width: int) -> None:
        super().__init__(width, eps=1e-6)
