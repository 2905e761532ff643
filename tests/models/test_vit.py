"""The ViT as a whole: shapes, the doors of a position, where its numbers start, and half precision."""

from __future__ import annotations

from typing import Literal

import pytest
import torch
from support.networks import SMALL_VIT, scramble, small_vit, vit
from torch import Tensor, nn

from vitflow.measuring.intermediates import intermediates
from vitflow.models.attention import Attention
from vitflow.models.build import build
from vitflow.models.feedforward import GatedFeedForward
from vitflow.models.position import NoPosition, Position
from vitflow.models.vit import ViT
from vitflow.study.models import ViT as ViTConfig


@pytest.mark.parametrize("pool", ["cls", "mean"])
@pytest.mark.parametrize(("image_size", "channels"), [(8, 1), (32, 3), (12, 3)])
@pytest.mark.parametrize("patch_size", [1, 2, 4])
def test_vit_takes_any_image_its_patches_tile(
    pool: Literal["cls", "mean"], image_size: int, channels: int, patch_size: int
) -> None:
    config = ViTConfig(patch_size=patch_size, width=8, depth=1, heads=8, pool=pool)
    model = build(config, image_size, channels, 7)
    assert isinstance(model, ViT)
    logits, outputs = intermediates(model, torch.randn(2, channels, image_size, image_size))
    assert logits.shape == (2, 7)
    assert model.prefix_tokens == (1 if pool == "cls" else 0)
    assert outputs["block1"].shape == (2, model.prefix_tokens + (image_size // patch_size) ** 2, 8)


def test_a_patch_size_that_does_not_tile_the_image_is_refused() -> None:
    with pytest.raises(ValueError, match="patch_size 3 does not divide the image side 8; nearest valid: 1, 2, 4"):
        build(ViTConfig(patch_size=3), 8, 1, 10)


@pytest.mark.parametrize("shape", [(2, 3, 32, 32), (2, 1, 16, 16)])
def test_images_of_another_shape_are_refused_in_one_line(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"^images of shape .* given to a model of \(3, 16, 16\)$"):
        small_vit()(torch.randn(shape))


def test_without_positions_the_order_of_patches_is_invisible() -> None:
    torch.manual_seed(0)
    model = small_vit(pool="mean").double()
    scramble(model)
    images = torch.randn(2, 3, 16, 16, dtype=torch.float64)
    moved = images.roll(4, dims=-1)  # by one patch: the same patches in other places
    assert (model(images) - model(moved)).abs().max() > 1e-3
    nn.init.zeros_(model.position.embedding)
    torch.testing.assert_close(model(images), model(moved))


def test_the_second_door_of_a_position_reaches_queries_and_keys_of_every_block() -> None:
    class Blind(Position):
        """Queries become 0, so that every token attends to all alike."""

        calls = 0

        def rotate(self, queries: Tensor, keys: Tensor) -> tuple[Tensor, Tensor]:
            self.calls += 1
            assert queries.shape == keys.shape == (2, 4, 17, 6)
            return queries * 0, keys

    torch.manual_seed(0)
    model = small_vit()
    model.position = position = Blind()  # type: ignore[assignment]
    model(torch.randn(2, 3, 16, 16))
    assert position.calls == SMALL_VIT.depth

    attention, tokens = Attention(SMALL_VIT, tokens=17), torch.randn(2, 17, 24)
    values = attention.qkv(tokens)[..., 48:].mean(dim=1, keepdim=True).expand(2, 17, 24)
    torch.testing.assert_close(attention(tokens, position), attention.projection(values))


def test_a_model_without_positions_has_none() -> None:
    model = build(vit(position="none"), 16, 3, 10)
    assert isinstance(model, ViT) and isinstance(model.position, NoPosition)
    assert not list(model.position.parameters())


def test_vit_starts_as_its_table_says() -> None:
    torch.manual_seed(0)
    width, hidden = 96, 192
    model = build(ViTConfig(width=width, mlp_ratio=2, depth=2, heads=8), 32, 3, 100)
    normal = {"patch_embed.projection.weight": (3 * 4 * 4) ** -0.5, "position.embedding": width**-0.5}
    uniform = {  # the bound, sqrt(6 / (inputs + outputs)); deviation is bound / sqrt(3)
        "attention.qkv.weight": (6 / (width + width)) ** 0.5,  # queries, keys and values are D x D each
        "attention.projection.weight": (6 / (width + width)) ** 0.5,
        "feedforward.expand.weight": (6 / (width + hidden)) ** 0.5,
        "feedforward.contract.weight": (6 / (hidden + width)) ** 0.5,
    }
    for name, parameter in model.named_parameters():
        kind = name.split(".", maxsplit=2)[-1] if name.startswith("blocks") else name
        if kind in normal or kind in uniform:
            deviation = normal[kind] if kind in normal else uniform[kind] / 3**0.5
            error = 5 * (2 * parameter.numel()) ** -0.5  # five standard errors of a deviation
            assert parameter.std().item() == pytest.approx(deviation, rel=error), name
            assert abs(parameter.mean().item()) < 5 * deviation * parameter.numel() ** -0.5, name
            largest = parameter.abs().max().item()
            assert largest == pytest.approx(uniform[kind], rel=0.01) if kind in uniform else largest > 2.5 * deviation
        elif "norm" in name and name.endswith("weight"):
            assert (parameter == 1).all(), name
        else:  # [CLS], head, biases
            assert name.endswith("bias") or name in ("prefix.tokens", "head.weight")
            assert not parameter.any(), name


def test_new_parts_start_as_the_table_says() -> None:
    torch.manual_seed(0)
    width = 96
    model = build(vit(width=width, norm="rmsnorm", qk_norm="rmsnorm", layer_scale=0.1, feedforward="swiglu"), 32, 3, 10)
    for name, parameter in model.named_parameters():
        if "norm" in name:
            assert (parameter == 1).all(), name
        elif "scale" in name:
            assert torch.equal(parameter, torch.full((width,), 0.1)), name
        elif name.endswith("bias"):
            assert not parameter.any(), name
    for block in model.blocks:
        assert isinstance(block.feedforward, GatedFeedForward)
        for half in block.feedforward.expand.weight.chunk(2):
            bound = (6 / (width + len(half))) ** 0.5
            assert half.abs().max().item() == pytest.approx(bound, rel=0.01)
            assert half.std().item() == pytest.approx(bound / 3**0.5, rel=0.05)


def test_under_autocast_the_residual_stream_stays_in_full_precision() -> None:
    torch.manual_seed(0)
    model = small_vit()
    nn.init.xavier_uniform_(model.head.weight)
    images = torch.randn(8, 3, 16, 16)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        logits, outputs = intermediates(model, images)
    assert logits.dtype == torch.bfloat16
    assert {value.dtype for value in outputs.values()} == {torch.float32}
    torch.testing.assert_close(logits.float(), model(images), atol=0.02, rtol=0.05)
