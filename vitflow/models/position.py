"""How a token knows where it stands.

An encoding may enter by two doors: ``add`` to the tokens before the first block, or ``rotate`` queries and
keys in every block. The ViT goes through both and never asks which encoding it has.

Shapes: B batch, N tokens (prefix first), G patches a side, D token width, H heads, K head size.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor, nn

from vitflow.study.models import ViT as ViTConfig
from vitflow.study.tokens import places_cls, prefix_tokens


class Position(nn.Module):
    """Both doors, leaving everything as it is; an encoding overrides the one it uses."""

    def add(self, tokens: Tensor) -> Tensor:
        """tokens [B, N, D] -> tokens [B, N, D], once, before the first block."""
        return tokens

    def rotate(self, queries: Tensor, keys: Tensor) -> tuple[Tensor, Tensor]:
        """queries, keys [B, H, N, K] -> the same shapes, in every block."""
        return queries, keys


class NoPosition(Position):
    """Patches in any order are the same image."""

    def __init__(self, config: ViTConfig, grid: int) -> None:
        super().__init__()


class LearnedPosition(Position):
    """One free vector for each patch, and for [CLS] where it has a place, added once (Dosovitskiy et al., 2021)."""

    def __init__(self, config: ViTConfig, grid: int) -> None:
        super().__init__()
        self.placed = int(places_cls(config))
        self.unplaced = prefix_tokens(config) - self.placed
        self.embedding = nn.Parameter(torch.empty(1, self.placed + grid**2, config.width))
        nn.init.normal_(self.embedding, std=config.width**-0.5)

    def add(self, tokens: Tensor) -> Tensor:
        nothing = self.embedding.new_zeros(1, self.unplaced, tokens.shape[-1])
        cls, patches = self.embedding[:, : self.placed], self.embedding[:, self.placed :]
        return tokens + torch.cat([cls, nothing, patches], dim=1)


class Sinusoids(Position):
    """Sines and cosines of amplitude 1, added once; along one axis (Vaswani et al., 2017) or along two.

    The first half of the features are sines, the second half the cosines of the same angles (`turns`). With
    one axis patches are counted row by row from 0 and [CLS] stands at -1; with two axes the angles of the row
    come before those of the column, and [CLS] stands at the centre of the image.
    """

    table: Tensor

    def __init__(self, config: ViTConfig, grid: int, axes: int) -> None:
        super().__init__()
        patches = places(grid, axes)
        cls = torch.full((1, axes), -1.0, dtype=torch.float64) if axes == 1 else patches.mean(0, keepdim=True)
        where = torch.cat([cls, patches]) if places_cls(config) else patches
        angles = turns(where, config.width // 2, config.position_base)
        waves = torch.cat([angles.sin(), angles.cos()], dim=1).float()
        placed = int(places_cls(config))
        nothing = torch.zeros(prefix_tokens(config) - placed, config.width)
        table = torch.cat([waves[:placed], nothing, waves[placed:]])  # [N, D]
        self.register_buffer("table", table, persistent=False)

    def add(self, tokens: Tensor) -> Tensor:
        return tokens + self.table


class Rotation(Position):
    """RoPE (Su et al., 2021): features i and i + K/2 of queries and keys are turned as one point of a plane.

    The angles grow with the place, so scores depend on places only through their difference. With one axis
    patches are counted row by row; with two, the first half of the angles belongs to the row and the second
    to the column. Coordinates are centred: prefix tokens, which are not turned, stand where the angle is 0,
    at the centre.
    """

    cos: Tensor
    sin: Tensor

    def __init__(self, config: ViTConfig, grid: int, axes: int) -> None:
        super().__init__()
        patches = places(grid, axes)
        where = torch.cat([torch.zeros(prefix_tokens(config), axes, dtype=torch.float64), patches - patches.mean(0)])
        angles = turns(where, config.width // config.heads // 2, config.position_base)  # [N, K/2]
        self.register_buffer("cos", angles.cos().float(), persistent=False)
        self.register_buffer("sin", angles.sin().float(), persistent=False)

    def rotate(self, queries: Tensor, keys: Tensor) -> tuple[Tensor, Tensor]:
        return self._turn(queries), self._turn(keys)

    def _turn(self, x: Tensor) -> Tensor:
        one, two = x.chunk(2, dim=-1)
        turned = torch.cat([one * self.cos - two * self.sin, one * self.sin + two * self.cos], dim=-1)
        return turned.type_as(x)


def places(grid: int, axes: int) -> Tensor:
    """Coordinates of the patches, row by row: [G*G, 1] their number, or [G*G, 2] their row and column."""
    steps = torch.arange(grid ** (3 - axes), dtype=torch.float64)
    return torch.stack(torch.meshgrid([steps] * axes, indexing="ij"), dim=-1).reshape(-1, axes)


def turns(where: Tensor, angles: int, base: float) -> Tensor:
    """Places [N, axes] -> angles in radians [N, angles], an equal part of them for each axis.

    The m angles of one axis are the coordinate times base^(-i/m), i = 0 ... m-1: wavelengths from 2*pi
    patches to almost 2*pi*base.
    """
    each = angles // where.shape[1]
    frequencies = base ** (-torch.arange(each, dtype=torch.float64) / each)
    return (where[:, :, None] * frequencies).flatten(1)


#: by config.ViT.position; each takes (config, patches a side)
POSITIONS: dict[str, Callable[[ViTConfig, int], Position]] = {
    "none": NoPosition,
    "sincos1d": partial(Sinusoids, axes=1),
    "sincos2d": partial(Sinusoids, axes=2),
    "learned": LearnedPosition,
    "rope1d": partial(Rotation, axes=1),
    "rope2d": partial(Rotation, axes=2),
}
