"""Features: which layer, which images, and that arrays hold what the model computed, in order."""

from __future__ import annotations

from typing import cast

import pytest
import torch
from torch import Tensor, nn

from vitflow.data.splits import Data, Split, stratified
from vitflow.measuring import features
from vitflow.measuring.features import EXAMPLES, choose_layer, extract, positions
from vitflow.measuring.intermediates import intermediates
from vitflow.models.build import build
from vitflow.models.resnet import ResNet
from vitflow.models.vit import ViT
from vitflow.study.models import ResNet as ResNetConfig
from vitflow.study.models import ViT as ViTConfig

pytestmark = pytest.mark.usefixtures("one_thread")  # small models are slower on two

MEAN, STD = (0.3,), (0.4,)


def make_split(images: int = 300, classes: int = 10, side: int = 8) -> Split:
    generator = torch.Generator().manual_seed(0)
    pixels = torch.randint(0, 256, (images, side, side, 1), generator=generator, dtype=torch.uint8)
    return Split(pixels, torch.arange(images) * classes // images)  # sorted by class, as prepared data are


def make_data(split: Split) -> Data:
    return Data(split, split, split, MEAN, STD, tuple(map(str, range(10))), "")


def normalised(images: Tensor) -> Tensor:
    """uint8 [N, H, W, 1] -> float32 [N, 1, H, W]."""
    return (images.permute(0, 3, 1, 2).float() / 255 - MEAN[0]) / STD[0]


def built(config: ViTConfig | ResNetConfig, side: int = 8) -> ViT | ResNet:
    torch.manual_seed(0)
    return build(config, side, 1, 10).eval()


# --------------------------------------------------------------------------------------- which layer


def test_a_vit_is_read_at_the_input_of_its_last_block() -> None:
    assert choose_layer(ViTConfig(depth=6), 32, 64) == "block5"
    assert choose_layer(ViTConfig(depth=2), 32, 64) == "block1"
    assert choose_layer(ViTConfig(depth=1), 32, 64) == "patch_embed"


@pytest.mark.parametrize(
    ("side", "positions", "stage"),
    [
        (32, 64, "stage3"),
        (32, 256, "stage2"),
        (32, 16, "stage4"),
        (32, 5000, "stage1"),
        (8, 4, "stage3"),
        (28, 49, "stage3"),
    ],
)
def test_a_resnet_is_read_at_the_stage_with_the_nearest_number_of_positions(
    side: int, positions: int, stage: str
) -> None:
    assert choose_layer(ResNetConfig(), side, positions) == stage


@pytest.mark.parametrize("side", [8, 13, 32])
def test_the_sides_it_assumes_are_those_of_the_model(side: int) -> None:
    _, named = intermediates(built(ResNetConfig(width=4), side), torch.zeros(1, 1, side, side))
    for stage in ("stage1", "stage2", "stage3", "stage4"):
        height, width = named[stage].shape[2:]
        assert choose_layer(ResNetConfig(width=4), side, height * width) == stage


@pytest.mark.parametrize(
    ("baseline", "side", "expected"),
    [(ViTConfig(patch_size=4), 32, 64), (ViTConfig(patch_size=2, pool="mean"), 8, 16), (ResNetConfig(), 32, 64)],
)
def test_positions_are_the_patches_of_the_baseline(
    baseline: ViTConfig | ResNetConfig, side: int, expected: int
) -> None:
    assert positions(baseline, side) == expected


def test_both_families_give_equally_many_positions() -> None:
    split, vit, resnet = make_split(20), ViTConfig(patch_size=4, width=16, depth=2, heads=2), ResNetConfig(width=4)
    shapes = [
        extract(built(config), choose_layer(config, 8, 4), split, make_data(split), 20).patch.shape[:2]
        for config in (vit, resnet)
    ]
    assert shapes == [(20, 4), (20, 4)]


# -------------------------------------------------------------------------------------- which images


def test_stratified_takes_the_first_of_every_class_in_order() -> None:
    labels = torch.tensor([2, 0, 1, 1, 0, 2, 2, 1, 0, 0])
    assert stratified(labels, 6).tolist() == [0, 1, 2, 3, 4, 5]
    assert stratified(labels, 9).tolist() == [0, 1, 2, 3, 4, 5, 6, 7, 8]
    assert stratified(labels, 3).tolist() == [0, 1, 2]


@pytest.mark.parametrize("wanted", [1, 10, 47, 200, 10_000])
def test_stratified_takes_equally_many_of_every_class_and_no_more_than_asked(wanted: int) -> None:
    labels = make_split(200).labels
    counts = torch.bincount(labels[stratified(labels, wanted)], minlength=10)
    assert counts.tolist() == [min(20, max(1, wanted // 10))] * 10


def test_larger_selections_hold_the_smaller_ones() -> None:
    labels = make_split(200).labels
    assert set(stratified(labels, 50).tolist()) < set(stratified(labels, 100).tolist())


# -------------------------------------------------------------------------------------- which numbers


@pytest.mark.parametrize("registers", [0, 4])
@pytest.mark.parametrize("pool", ["cls", "mean"])
def test_vit_features_are_patch_tokens_without_prefix(pool: str, registers: int) -> None:
    config = ViTConfig.model_validate(
        {"patch_size": 4, "width": 16, "depth": 3, "heads": 2, "pool": pool, "registers": registers}
    )
    split, model = make_split(), cast(ViT, built(config))
    found = extract(model, "block2", split, make_data(split), 300)  # 300: more than one batch
    with torch.no_grad():
        tokens = model.embed(normalised(split.images))
        for block in list(model.blocks)[:2]:
            tokens = block(tokens, model.position)
        prefix = (1 if pool == "cls" else 0) + registers
        assert tokens.shape == (300, 4 + prefix, 16)
        assert found.patch.shape == (300, 4, 16)
        torch.testing.assert_close(found.patch.float(), tokens[:, prefix:], rtol=2e-3, atol=1e-3)
        tokens = model.norm(model.pool(model.blocks[2](tokens, model.position)))
        torch.testing.assert_close(found.pooled.float(), tokens, rtol=2e-3, atol=2e-3)


def test_a_grid_is_flattened_row_by_row_with_channels_last(monkeypatch: pytest.MonkeyPatch) -> None:
    modes: list[bool] = []

    def labelled(model: nn.Module, images: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """'stage1' [B, 3, 4, 5] says of every number where it stands: c + 10 w + 100 h."""
        modes.append(model.training)
        c, h, w = torch.meshgrid(torch.arange(3), torch.arange(4), torch.arange(5), indexing="ij")
        maps = (c + 10 * w + 100 * h).float().expand(len(images), 3, 4, 5)
        return maps, {"stage1": maps, "pooled": maps.mean((2, 3))}

    monkeypatch.setattr(features, "intermediates", labelled)
    split, model = make_split(20), built(ResNetConfig(width=4)).train()
    patch = extract(model, "stage1", split, make_data(split), 20).patch
    assert patch.shape == (20, 20, 3)
    for h in range(4):
        for w in range(5):
            assert patch[7, h * 5 + w].tolist() == [10 * w + 100 * h + c for c in range(3)]
    assert modes == [False], "in evaluation mode"


def test_a_resnet_gives_the_same_numbers_as_its_own_stages() -> None:
    split, model = make_split(20), cast(ResNet, built(ResNetConfig(width=4)))
    found = extract(model, "stage2", split, make_data(split), 20)
    with torch.no_grad():
        maps = normalised(split.images)
        for layer in (model.stem, *list(model.stages)[:2]):
            maps = layer(maps)
    assert found.patch.shape == (20, 16, 8)
    for row in range(4):
        for column in range(4):
            expected = maps[:, :, row, column]
            torch.testing.assert_close(found.patch[:, row * 4 + column].float(), expected, rtol=2e-3, atol=1e-3)


def test_features_are_half_precision_and_carry_labels_and_examples() -> None:
    split = make_split()
    found = extract(built(ResNetConfig(width=4)), "stage3", split, make_data(split), 120)
    assert (found.patch.dtype, found.pooled.dtype, found.examples.dtype) == (torch.float16, torch.float16, torch.uint8)
    assert found.layer == "stage3"
    assert found.labels.tolist() == [label for label in range(10) for _ in range(12)]
    assert found.pooled.shape == (120, 32)
    assert found.example_index.tolist() == [12 * label for label in range(EXAMPLES)]
    assert torch.equal(found.examples, split.images[::30][:EXAMPLES]), "the first image of the first classes"


def test_features_do_not_depend_on_the_other_images_of_a_batch() -> None:
    split, model = make_split(), built(ResNetConfig(width=4))
    few, many = (extract(model, "stage3", split, make_data(split), n) for n in (10, 300))
    torch.testing.assert_close(many.pooled[::30], few.pooled, rtol=2e-3, atol=1e-3)
