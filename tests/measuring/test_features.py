"""Features: which images, and that arrays hold what the model computed, in order and whatever its size."""

from __future__ import annotations

from typing import cast

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from vitflow.data.splits import Data, Split, stratified
from vitflow.measuring import features
from vitflow.measuring.features import EXAMPLES, extract
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

HALF = {"rtol": 2e-3, "atol": 2e-3}


@pytest.mark.parametrize("registers", [0, 4])
@pytest.mark.parametrize("pool", ["cls", "mean"])
def test_vit_features_are_of_patch_tokens_without_prefix(pool: str, registers: int) -> None:
    config = ViTConfig.model_validate(
        {"patch_size": 4, "width": 16, "depth": 3, "heads": 2, "pool": pool, "registers": registers}
    )
    split, model = make_split(), cast(ViT, built(config))
    found = extract(model, split, make_data(split), 300)  # 300: more than one batch
    with torch.no_grad():
        tokens = model.embed(normalised(split.images))
        for block in list(model.blocks)[:2]:
            tokens = block(tokens, model.position)
        prefix = (1 if pool == "cls" else 0) + registers
        assert tokens.shape == (300, 4 + prefix, 16)
        patches = tokens[:, prefix:]
        torch.testing.assert_close(found["block2/means"].float(), patches.mean(1), **HALF)
        torch.testing.assert_close(found["block2/examples"].float(), patches[::30][:EXAMPLES], **HALF)
        pooled = model.norm(model.pool(model.blocks[2](tokens, model.position)))
        torch.testing.assert_close(found["pooled"].float(), pooled, **HALF)
        torch.testing.assert_close(found["position"].float(), model.position.embedding[0, -4:], **HALF)


def test_moments_are_those_of_all_positions_of_all_images() -> None:
    split, model = make_split(), cast(ResNet, built(ResNetConfig(width=4)))
    found = extract(model, split, make_data(split), 300)
    with torch.no_grad():
        maps = model.stages[0](model.embed(normalised(split.images)))
    rows = maps.permute(0, 2, 3, 1).reshape(-1, 4).double().numpy()
    assert found["stage1/covariance"].dtype == found["stage1/centre"].dtype == torch.float32
    np.testing.assert_allclose(found["stage1/centre"], rows.mean(0), rtol=1e-5)
    np.testing.assert_allclose(found["stage1/covariance"], np.cov(rows.T, bias=True), rtol=1e-5, atol=1e-8)


def test_moments_survive_a_centre_far_from_zero(monkeypatch: pytest.MonkeyPatch) -> None:
    """A thousandfold of the spread: in single precision the covariance would be lost."""
    torch.manual_seed(0)
    rows = 1000 + torch.randn(20, 9, 3)
    monkeypatch.setattr(
        features,
        "intermediates",
        lambda model, images: (None, {"s": rows.transpose(1, 2).unflatten(2, (3, 3)), "pooled": rows[:, 0]}),
    )
    split = make_split(20)
    found = extract(built(ResNetConfig(width=4)), split, make_data(split), 20)
    np.testing.assert_allclose(
        found["s/covariance"], np.cov(rows.flatten(0, 1).double().numpy().T, bias=True), rtol=1e-4, atol=1e-4
    )


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
    shown = extract(model, split, make_data(split), 20)["stage1/examples"]
    assert shown.shape == (EXAMPLES, 20, 3)
    for h in range(4):
        for w in range(5):
            assert shown[7, h * 5 + w].tolist() == [10 * w + 100 * h + c for c in range(3)]
    assert set(modes) == {False}, "in evaluation mode"


def test_features_carry_labels_and_the_first_image_of_the_first_classes() -> None:
    split = make_split()
    found = extract(built(ResNetConfig(width=4)), split, make_data(split), 120)
    assert found["labels"].tolist() == [label for label in range(10) for _ in range(12)]
    assert found["pooled"].shape == (120, 32)
    assert found["example_index"].tolist() == [12 * label for label in range(EXAMPLES)]
    assert found["examples"].dtype == torch.uint8
    assert torch.equal(found["examples"], split.images[::30][:EXAMPLES])
    assert not {name for name in found if name.startswith(("attention/", "position"))}, "a ResNet has none"


@pytest.mark.parametrize("position", ["none", "sincos2d", "rope2d"])
def test_places_without_learned_vectors_have_none(position: str) -> None:
    config = ViTConfig.model_validate({"patch_size": 4, "width": 16, "depth": 1, "heads": 2, "position": position})
    split = make_split(20)
    assert "position" not in extract(built(config), split, make_data(split), 20)


def test_what_half_precision_cannot_hold_is_kept_in_single_precision() -> None:
    split, model = make_split(20), cast(ResNet, built(ResNetConfig(width=4)))
    before = extract(model, split, make_data(split), 20)
    with torch.no_grad():
        norm = cast(nn.BatchNorm2d, model.stem[1])
        norm.weight *= 1e6
        norm.bias *= 1e6
    found = extract(model, split, make_data(split), 20)
    assert before["stem/means"].dtype == torch.float16 and found["stem/means"].dtype == torch.float32
    assert float(found["stem/means"].max()) > 65_504 and found["stem/means"].isfinite().all()
    torch.testing.assert_close(found["stem/means"], 1e6 * before["stem/means"].float(), rtol=2e-3, atol=1e3)
    torch.testing.assert_close(found["stem/covariance"], 1e12 * before["stem/covariance"], rtol=1e-4, atol=1e6)


def test_features_do_not_depend_on_the_other_images_of_a_batch() -> None:
    split, model = make_split(), built(ResNetConfig(width=4))
    few, many = (extract(model, split, make_data(split), n) for n in (10, 300))
    torch.testing.assert_close(many["pooled"][::30], few["pooled"], rtol=2e-3, atol=1e-3)
