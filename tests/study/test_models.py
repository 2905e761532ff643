"""Section ``baseline``: the words of both families, and models that cannot be."""

from __future__ import annotations

from typing import Any, get_args

from support.studies import HEAD, IsTold, literals, mistakes

from vitflow.models.attention import ATTENTIONS
from vitflow.models.block import BLOCKS
from vitflow.models.build import build
from vitflow.models.feedforward import FEEDFORWARDS
from vitflow.models.norm import NORMS
from vitflow.models.patch_embed import PATCH_EMBEDS
from vitflow.models.position import POSITIONS
from vitflow.models.qk_norm import QK_NORMS
from vitflow.models.tokens import POOLS
from vitflow.study.models import FAMILIES, ResNet, ViT


def test_the_words_of_a_vit_are_those_of_the_registries() -> None:
    registries: dict[str, dict[str, Any]] = {
        "pool": POOLS,
        "patch_embed": PATCH_EMBEDS,
        "position": POSITIONS,
        "norm": NORMS,
        "norm_placement": BLOCKS,
        "qk_norm": QK_NORMS,
        "attention": ATTENTIONS,
        "feedforward": FEEDFORWARDS,
    }
    words = {name for name, field in ViT.model_fields.items() if isinstance(field.default, str)} - {"family"}
    assert {name: literals(ViT, name) for name in words} == {name: set(known) for name, known in registries.items()}


def test_every_family_is_found_by_the_name_in_its_field() -> None:
    assert {name: literals(kind, "family") for name, kind in FAMILIES.items()} == {name: {name} for name in FAMILIES}


def test_every_depth_of_a_resnet_can_be_built() -> None:
    for depth in get_args(ResNet.model_fields["depth"].annotation):
        build(ResNet(depth=depth, width=4), 8, 1, 2)


@mistakes(
    {
        HEAD + "baseline: {mlp_ratio: .nan}": ["baseline.mlp_ratio: Input should be a finite number (got nan)"],
        HEAD + "baseline: {width: -4}": ["baseline.width: Input should be greater than or equal to 4 (got -4)"],
        HEAD + "ablations: {g: {patch_size: [-2]}}": ["ablations.g.patch_size: model.patch_size: ", "(got -2)"],
        HEAD + "baseline: {drop_path: 1}": ["baseline.drop_path: Input should be less than 1 (got 1)"],
        HEAD + "baseline: {layer_scale: 0}": ["baseline.layer_scale: Input should be greater than 0 (got 0)"],
        HEAD + "baseline: {registers: -1}": ["baseline.registers: Input should be greater than or equal to 0 (got -1)"],
        HEAD + "baseline: {position_base: 1}": ["baseline.position_base: Input should be greater than 1 (got 1)"],
    }
)
def test_a_number_out_of_range_is_told(is_told: IsTold, text: str, parts: list[str]) -> None:
    is_told(text, parts)


@mistakes(
    {
        HEAD + "baseline: {heads: 7}": [
            "baseline: width 192 is not divisible by heads 7; nearest valid heads: 4, 6, 8"
        ],
        HEAD + "baseline: {patch_size: 5}": [
            "baseline: patch_size 5 does not divide the image side 32",
            "valid: 2, 4, 8",
        ],
        HEAD + "ablations: {g: {patch_size: [3]}}": ["ablations.g.patch_size: patch_size 3", "nearest valid: 1, 2, 4"],
        HEAD + "ablations: {g: {heads: [5]}}": ["ablations.g.heads: model: width 192", "nearest valid heads: 3, 4, 6"],
        HEAD + "cross: {c: {heads: [3], width: [256]}}": ["cross.c: model: width 256 is not divisible by heads 3"],
        "study: s\ndataset: {name: folder, path: x, image_size: 4, channels: 1, classes: 2}\n"
        "baseline: {family: resnet}": ["baseline: a ResNet halves the image three times; 4 pixels are too few"],
    }
)
def test_a_model_that_does_not_fit_is_told_with_what_does(is_told: IsTold, text: str, parts: list[str]) -> None:
    is_told(text, parts)


@mistakes(
    {
        HEAD + "baseline: {heads: 96, position: rope2d}": [
            "baseline: position rope2d needs a head size divisible by 4, and width 192 over heads 96 is 2",
            "nearest valid heads: 16, 24, 48",
        ],
        HEAD + "baseline: {heads: 192, position: rope1d}": [
            "baseline: position rope1d needs a head size divisible by 2",
            "is 1; nearest valid heads:",
            "96",
        ],
        HEAD + "baseline: {width: 6, heads: 1, position: rope2d}": [
            "baseline: position rope2d",
            "is 6; nearest valid width: 4, 8",
        ],
        HEAD + "baseline: {width: 90, heads: 3, position: sincos2d}": [
            "baseline: position sincos2d needs a width divisible by 4, not 90; nearest valid: 84, 96"
        ],
        HEAD + "baseline: {width: 45, heads: 5, position: sincos1d}": [
            "baseline: position sincos1d needs",
            "a width divisible by 2, not 45",
            "valid: 40, 50",
        ],
        HEAD + "ablations: {g: {position: [rope3d]}}": [
            "ablations.g.position: model.position: 'rope3d' is not a valid choice; did you mean 'rope2d'?"
        ],
        HEAD + "cross: {c: {position: [rope2d], heads: [96]}}": ["cross.c: model: position rope2d needs a head size"],
        HEAD + "baseline: {qk_norm: l2, attention: locality}": [
            "baseline: attention locality and qk_norm l2 would each learn the one scale of the scores",
            "nearest valid qk_norm: none, rmsnorm",
        ],
        HEAD + "baseline: {patch_size: 32, pool: mean, attention: locality}": [
            "baseline: attention locality needs a second token, and patch_size 32 leaves one; "
            "nearest valid patch_size: 4, 8, 16"
        ],
        HEAD + "baseline: {patch_size: 32, pool: mean, qk_norm: l2}": ["baseline: qk_norm l2 needs a second token"],
        "study: s\ndataset: {name: folder, path: x, image_size: 12, channels: 3, classes: 2}\n"
        "baseline: {patch_size: 3, patch_embed: conv_stem}": [
            "baseline: patch_embed conv_stem halves the side and needs a patch_size that is a power of two from 2, "
            "not 3; nearest valid: 2, 4"
        ],
        "study: s\ndataset: {name: folder, path: x, image_size: 9, channels: 3, classes: 2}\n"
        "baseline: {patch_size: 3, patch_embed: conv_stem}": [
            "baseline: patch_embed conv_stem",
            "not 3; nearest valid: none on this image",
        ],
        HEAD + "baseline: {patch_size: 1, patch_embed: conv_stem}": [
            "baseline: patch_embed conv_stem",
            "from 2, not 1; nearest valid: 2, 4, 8",
        ],
        HEAD + "baseline: {patch_size: 1, patch_embed: overlap}": [
            "baseline: patch_embed overlap does nothing at patch_size 1; nearest valid patch_size: 2, 4, 8"
        ],
        HEAD + "cross: {c: {patch_embed: [shifted], patch_size: [1]}}": ["cross.c: patch_embed shifted does nothing"],
    }
)
def test_a_variant_that_does_not_fit_is_told_with_what_does(is_told: IsTold, text: str, parts: list[str]) -> None:
    is_told(text, parts)
