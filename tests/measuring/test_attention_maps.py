"""Maps of attention: against the softmax written out, and in models whose attention is known."""

from __future__ import annotations

from typing import Any, cast

import pytest
import torch
from torch import Tensor

from vitflow.measuring.attention_maps import attention_maps
from vitflow.models.attention import Attention
from vitflow.models.build import build
from vitflow.models.vit import ViT
from vitflow.study.models import ViT as ViTConfig

pytestmark = pytest.mark.usefixtures("one_thread")


def built(**fields: Any) -> ViT:
    torch.manual_seed(0)
    config = ViTConfig.model_validate({"patch_size": 2, "width": 16, "depth": 3, "heads": 2, **fields})
    return cast(ViT, build(config, 8, 1, 10).eval())


def pictures(number: int = 5) -> Tensor:
    return torch.randn(number, 1, 8, 8, generator=torch.Generator().manual_seed(0))


def written_out(model: ViT, images: Tensor) -> list[Tensor]:
    """Attention [E, N, N] of every block, heads averaged, from the weights alone (no QK-norm, no rotation)."""
    tokens, found = model.embed(images), []
    for block in model.blocks:
        attention = cast(Attention, block.attention)
        queries, keys, _ = attention.qkv(block.norm1(tokens)).chunk(3, dim=-1)  # type: ignore[operator]
        size = queries.shape[-1] // attention.heads
        heads = [
            (queries[..., k : k + size] @ keys[..., k : k + size].transpose(1, 2) / size**0.5).softmax(-1)
            for k in range(0, queries.shape[-1], size)
        ]
        found.append(torch.stack(heads).mean(0))
        tokens = block(tokens, model.position)
    return found


@pytest.mark.parametrize("registers", [0, 3])
def test_maps_are_the_rows_of_cls_and_of_the_patch_at_the_centre(registers: int) -> None:
    model, images = built(registers=registers), pictures()
    found = attention_maps(model, images)
    prefix = 1 + registers
    with torch.no_grad():
        for block, shares in enumerate(written_out(model, images)):
            torch.testing.assert_close(found["image"][block], shares[:, 0, prefix:])
            torch.testing.assert_close(found["patch"][block], shares[:, prefix + 2 * 4 + 2, prefix:])
    assert found["image"].shape == (3, 5, 16)


def test_without_cls_it_is_the_mean_of_all_patches_that_asks() -> None:
    model, images = built(pool="mean", registers=2), pictures()
    with torch.no_grad():
        expected = written_out(model, images)[2][:, 2:, 2:].mean(1)
    torch.testing.assert_close(attention_maps(model, images)["image"][2], expected)


@pytest.mark.parametrize("fields", [{}, {"qk_norm": "rmsnorm"}, {"position": "rope2d"}, {"norm_placement": "post"}])
def test_attention_to_all_alike_is_flat_and_leaves_the_prefix_its_share(fields: dict[str, Any]) -> None:
    model = built(registers=3, **fields)
    with torch.no_grad():
        for block in model.blocks:
            cast(Attention, block.attention).qkv.weight[:16] = 0  # queries of nothing
    for maps in attention_maps(model, pictures()).values():
        torch.testing.assert_close(maps, torch.full_like(maps, 1 / 20))


def test_masked_attention_gives_the_patch_that_asks_nothing() -> None:
    patch = attention_maps(built(attention="locality"), pictures())["patch"]
    assert (patch[..., 2 * 4 + 2] == 0).all() and (patch.sum(-1) < 1).all()
