"""Dropped paths: how often, of what, and drawn from where."""

from __future__ import annotations

import pytest
import torch
from support.networks import scrambled, vit
from timm.layers import calculate_drop_path_rates
from torch import nn

from vitflow.models.residual import DropPath, rates

close = torch.testing.assert_close


def test_drop_path_rises_as_in_timm() -> None:
    for depth in (1, 2, 6, 12):
        assert rates(0.3, depth) == pytest.approx(calculate_drop_path_rates(0.3, depth))


@pytest.mark.parametrize("rate", [0.1, 0.5])
def test_drop_path_keeps_the_expectation_and_drops_whole_samples(rate: float) -> None:
    torch.manual_seed(0)
    branch = torch.randn(20000, 2, 3)
    dropped = DropPath(rate)(branch)
    kept = dropped.abs().amax(dim=(1, 2)) > 0
    assert kept.float().mean().item() == pytest.approx(1 - rate, abs=4 * (rate * (1 - rate) / 20000) ** 0.5)
    close(dropped[kept], branch[kept] / (1 - rate))
    assert not dropped[~kept].any()
    assert DropPath(rate).eval()(branch) is branch


def test_drop_path_draws_from_the_global_generator_and_each_branch_by_itself() -> None:
    model = scrambled(vit(depth=3, drop_path=0.5)).train()
    images = torch.randn(8, 3, 16, 16)
    logits = [model(images) for seed in (1, 1, 2) if torch.manual_seed(seed)]
    assert torch.equal(logits[0], logits[1]) and not torch.equal(logits[0], logits[2])
    assert torch.equal(model.eval()(images), model(images))
    assert [type(block.drop1) for block in model.blocks] == [nn.Identity, DropPath, DropPath]
    assert [block.drop2.rate for block in model.blocks[1:]] == [0.25, 0.5]


def test_without_drop_path_a_step_draws_nothing() -> None:
    model = scrambled(vit()).train()
    before = torch.get_rng_state()
    model(torch.randn(2, 3, 16, 16, generator=torch.Generator().manual_seed(0)))
    assert torch.equal(before, torch.get_rng_state())
