"""[CLS] and registers: what the pool reads of them, and where they start."""

from __future__ import annotations

import pytest
import torch
from support.networks import scrambled, vit

from vitflow.models.build import build

close = torch.testing.assert_close


@pytest.mark.parametrize("pool", ["cls", "mean"])
def test_registers_are_not_read_by_the_pool(pool: str) -> None:
    """What registers hold at the end is thrown away: the head sees patches or [CLS] alone."""
    model = scrambled(vit(registers=3, pool=pool))
    prefix = model.prefix_tokens
    tokens = torch.randn(2, prefix + 16, 24)
    changed = tokens.clone()
    changed[:, prefix - 3 : prefix] = 1e6
    assert torch.equal(model.pool(tokens), model.pool(changed))
    expected = tokens[:, 0] if pool == "cls" else tokens[:, prefix:].mean(1)
    assert torch.equal(model.pool(tokens), expected)


def test_registers_start_different_and_a_cls_without_position_is_not_zero() -> None:
    torch.manual_seed(0)
    width = 192
    for changes, zeros in (
        ({}, 1),
        ({"position": "sincos2d"}, 1),
        ({"position": "none"}, 0),
        ({"position": "rope2d"}, 0),
        ({"cls_position": False}, 0),
        ({"pool": "mean"}, 0),
    ):
        tokens = build(vit(width=width, registers=4, **changes), 16, 3, 10).prefix.tokens[0].detach()
        assert not tokens[:zeros].any()
        close(tokens[zeros:].std(dim=1) * width**0.5, torch.ones(len(tokens) - zeros), rtol=0.3, atol=0)
        assert torch.cdist(tokens[zeros:], tokens[zeros:]).add(torch.eye(len(tokens) - zeros)).min() > 0.5
