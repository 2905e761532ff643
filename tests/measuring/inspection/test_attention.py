"""Attention distance, for attention that is known."""

from __future__ import annotations

import itertools
import math

import pytest
import torch
from support.networks import scrambled, small_vit, vit
from torch import Tensor, nn

from vitflow.measuring.inspection import attention
from vitflow.measuring.inspection.attention import attention_distance, patch_distances
from vitflow.models.vit import ViT

IMAGES = torch.randn(6, 3, 16, 16, generator=torch.Generator().manual_seed(0))


def test_distances_are_those_between_centres_of_patches_in_pixels() -> None:
    found = patch_distances(4, 32)
    centres = [(8 * row + 4, 8 * column + 4) for row, column in itertools.product(range(4), repeat=2)]
    for (i, one), (j, other) in itertools.product(enumerate(centres), repeat=2):
        assert float(found[i, j]) == pytest.approx(math.dist(one, other), abs=1e-4)


@pytest.mark.parametrize("changes", [{}, {"pool": "mean"}, {"registers": 3}], ids=str)
def test_uniform_attention_reaches_the_mean_distance_of_patches(changes: dict[str, object]) -> None:
    model = small_vit(**changes)
    for block in model.blocks:
        nn.init.zeros_(block.attention.qkv.weight)
    found = attention_distance(model, IMAGES)
    assert found.shape == (3, 4) and found.dtype == torch.float64
    torch.testing.assert_close(found, torch.full((3, 4), float(patch_distances(4, 16).mean()), dtype=torch.float64))


class Pointing(nn.Module):
    """An attention whose patch i looks at patch i + step (at the last, from the end) and nowhere else."""

    def __init__(self, model: ViT, step: int) -> None:
        super().__init__()
        self.heads, self.step, self.prefix = 4, step, model.prefix_tokens

    def project(self, tokens: Tensor, position: nn.Module) -> tuple[Tensor, Tensor, Tensor]:
        return (tokens.unflatten(-1, (4, -1)).transpose(1, 2),) * 3

    def scores(self, queries: Tensor, keys: Tensor) -> Tensor:
        count = queries.shape[2]
        seen = (torch.arange(count) + self.step).clamp(max=count - 1)
        looks = torch.full((count, count), -100.0)
        looks[torch.arange(count), seen] = 0
        looks[:, : self.prefix] = 100  # a sink, which has no place and does not count
        return looks.expand(*queries.shape[:2], count, count)

    def forward(self, tokens: Tensor, position: nn.Module) -> Tensor:
        return torch.zeros_like(tokens)


@pytest.mark.parametrize(("step", "expected"), [(0, 0.0), (1, (12 * 4 + 3 * math.hypot(4, 12)) / 16)])
def test_attention_to_one_patch_reaches_as_far_as_that_patch(step: int, expected: float) -> None:
    model = small_vit(registers=2)
    for block in model.blocks:
        block.attention = Pointing(model, step)
    found = attention_distance(model, IMAGES)
    torch.testing.assert_close(found, torch.full((3, 4), expected, dtype=torch.float64), atol=1e-4, rtol=0)


@pytest.mark.parametrize("kind", ["full", "locality"])
def test_memory_is_limited_without_changing_the_result(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    model = scrambled(vit(attention=kind, position="rope2d"))
    whole = attention_distance(model, IMAGES)
    assert whole.std() > 0.01
    monkeypatch.setattr(attention, "SCORES_AT_ONCE", 1)
    torch.testing.assert_close(attention_distance(model, IMAGES), whole)
