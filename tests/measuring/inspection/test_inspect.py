"""What metrics.json has of an inspection."""

from __future__ import annotations

import json

import pytest
import torch
from support.networks import BOTH

from vitflow.data.splits import Data, Split
from vitflow.measuring.inspection.inspect import inspect
from vitflow.models.build import build
from vitflow.study.models import ResNet as ResNetConfig
from vitflow.study.models import ViT as ViTConfig


def split(images: int) -> Split:
    generator = torch.Generator().manual_seed(images)
    pixels = torch.randint(0, 256, (images, 16, 16, 3), generator=generator, dtype=torch.uint8)
    return Split(pixels, torch.arange(images) % 10)


@BOTH
@pytest.mark.parametrize(("held_out", "images"), [(600, 500), (40, 40), (0, 70)])
def test_an_inspection_is_of_validation_images_where_there_are_any(
    config: ViTConfig | ResNetConfig, held_out: int, images: int
) -> None:
    data = Data(split(70), split(held_out), split(0), (0.5,) * 3, (0.25,) * 3, tuple("abcdefghij"), "digest")
    model = build(config, 16, 3, 10)
    found = inspect(model, data, torch.device("cpu"))
    json.dumps(found, allow_nan=False)
    assert found["images"] == images
    assert (found["attention_distance"] is None) == (config.family == "resnet")
    assert inspect(model, data, torch.device("cpu")) == found, "nothing is drawn"
