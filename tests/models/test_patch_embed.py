"""Patch embeddings: against timm's and vit-pytorch's, which pixels they see, and where they start."""

from __future__ import annotations

import pytest
import torch
from support.networks import agree, assert_equal_models, renamed, scramble, vit
from support.shifted import DiagonalSPT
from timm.models.pvt_v2 import OverlapPatchEmbed as TimmOverlapPatchEmbed
from timm.models.vision_transformer_hybrid import ConvStem as TimmConvStem
from torch import Tensor, nn

from vitflow.models.build import build
from vitflow.models.patch_embed import PATCH_EMBEDS, ConvStem, OverlapPatchEmbed, ShiftedPatchEmbed
from vitflow.models.vit import ViT
from vitflow.study.models import ViT as ViTConfig


def test_an_overlapping_embedding_equals_pvtv2s_without_its_norm() -> None:
    torch.manual_seed(0)
    ours = OverlapPatchEmbed(ViTConfig(patch_size=4, width=24, heads=1, patch_embed="overlap"), 16, 3).double()
    theirs = TimmOverlapPatchEmbed(patch_size=7, stride=4, in_chans=3, embed_dim=24).double()
    theirs.norm = nn.Identity()

    class Tokens(nn.Module):
        """timm's map, row by row."""

        def __init__(self) -> None:
            super().__init__()
            self.map = theirs

        def forward(self, images: Tensor) -> Tensor:
            return self.map(images).flatten(1, 2)

    scramble(ours)
    name = renamed({"projection": "map.proj"})
    assert_equal_models(ours, Tokens(), name, torch.randn(4, 3, 16, 16, dtype=torch.float64))


def test_the_convolutional_stem_equals_timms() -> None:
    torch.manual_seed(0)
    ours = ConvStem(ViTConfig(patch_size=8, width=32, heads=1, patch_embed="conv_stem"), 32, 3).double()
    theirs = TimmConvStem(
        3, depth=4, channels=(8, 16, 32, 32), kernel_size=(3, 3, 3, 1), stride=(2, 2, 2, 1), padding=(1, 1, 1, 0)
    ).double()
    for ours_, theirs_ in zip(ours.state_dict().values(), theirs.state_dict().values(), strict=True):
        nn.init.uniform_(ours_, 0.5, 1) if ours_.ndim == 1 else nn.init.normal_(ours_) if ours_.ndim else None
        theirs_.copy_(ours_)
    images = torch.randn(4, 3, 32, 32, dtype=torch.float64)
    mine, reference = ours(images), theirs(images).flatten(2).mT
    assert mine.shape == (4, 16, 32)
    agree(mine, reference)
    grads = [
        torch.autograd.grad(out.square().sum(), list(m.parameters())) for out, m in ((mine, ours), (reference, theirs))
    ]
    agree(*grads)


@pytest.mark.parametrize("patch_size", [2, 4, 5])
def test_shifted_patches_equal_vit_pytorchs_with_the_shifts_exchanged(patch_size: int) -> None:
    torch.manual_seed(0)
    config = ViTConfig(patch_size=patch_size, width=24, heads=1, patch_embed="shifted")
    ours = ShiftedPatchEmbed(config, 4 * patch_size, 3).double()
    scramble(ours)
    theirs = DiagonalSPT(patch_size, dim=24).double()
    name = renamed({"norm": "to_patch_tokens.1", "projection": "to_patch_tokens.2"})
    assert_equal_models(ours, theirs, name, torch.randn(3, 3, *[4 * patch_size] * 2, dtype=torch.float64))


def seen_by_a_token(kind: str) -> Tensor:
    """Which pixels [24, 24] the token of the patch in row 2, column 2 depends on, by its gradient; patches of 4."""
    torch.manual_seed(0)
    embed = PATCH_EMBEDS[kind](vit(patch_embed=kind), 24, 3)
    embed.initialise()
    images = torch.randn(2, 3, 24, 24, requires_grad=True)
    embed.eval()(images)[0, 2 * 6 + 2].sum().backward()
    assert images.grad is not None and not images.grad[1].any()
    return images.grad[0].abs().sum(0) > 0


@pytest.mark.parametrize(
    ("kind", "first", "last"), [("linear", 8, 11), ("overlap", 5, 11), ("conv_stem", 5, 11), ("shifted", 6, 13)]
)
def test_only_a_linear_embedding_sees_its_patch_alone(kind: str, first: int, last: int) -> None:
    seen = seen_by_a_token(kind).nonzero()
    assert seen.amin(0).tolist() == [first, first]
    assert seen.amax(0).tolist() == [last, last]


def test_an_overlapping_kernel_that_is_zero_outside_the_patch_is_the_linear_embedding() -> None:
    torch.manual_seed(0)
    linear, overlap = (PATCH_EMBEDS[kind](vit(patch_embed=kind), 16, 3).double() for kind in ("linear", "overlap"))
    nn.init.zeros_(overlap.projection.weight)
    with torch.no_grad():
        overlap.projection.weight[:, :, 3:, 3:] = linear.projection.weight.view(24, 3, 4, 4)
        overlap.projection.bias.copy_(linear.projection.bias)
    images = torch.randn(2, 3, 16, 16, dtype=torch.float64)
    torch.testing.assert_close(overlap(images), linear(images))


@pytest.mark.parametrize("patch_size", [2, 4, 8])
@pytest.mark.parametrize("kind", PATCH_EMBEDS)
def test_every_embedding_gives_one_token_a_patch_that_starts_with_mean_square_1(kind: str, patch_size: int) -> None:
    torch.manual_seed(0)
    model = build(vit(width=96, patch_embed=kind, patch_size=patch_size), 32, 3, 10)
    assert isinstance(model, ViT)
    tokens = model.patch_embed(torch.randn(40, 3, 32, 32))
    assert tokens.shape == (40, (32 // patch_size) ** 2, 96)
    inner = tokens.unflatten(1, (32 // patch_size,) * 2)[:, 1:, 1:]  # at the border overlapping windows see zeros
    assert inner.square().mean().item() == pytest.approx(1, rel=0.2)


def test_a_stem_halves_the_image_and_doubles_its_channels() -> None:
    stem = PATCH_EMBEDS["conv_stem"](vit(width=96, patch_embed="conv_stem", patch_size=8), 32, 3)
    assert isinstance(stem, ConvStem)
    convolutions = [layer for layer in stem.stem if isinstance(layer, nn.Conv2d)]
    assert [(c.in_channels, c.out_channels) for c in convolutions] == [(3, 24), (24, 48), (48, 96)]
    assert {(c.kernel_size, c.stride, c.bias) for c in convolutions} == {((3, 3), (2, 2), None)}
