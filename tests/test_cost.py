"""The cost room: against closed forms written out, published numbers, and the models' own shapes."""

from __future__ import annotations

import pytest
import torch

from vitflow import cost
from vitflow.compat import import_torchvision
from vitflow.config import ResNet as ResNetConfig
from vitflow.config import ViT as ViTConfig
from vitflow.models.build import build

torchvision = import_torchvision()

VITS = pytest.mark.parametrize(
    ("config", "image_size", "channels"),
    [
        (ViTConfig(), 32, 3),
        (ViTConfig(patch_size=2, heads=96), 32, 3),
        (ViTConfig(patch_size=8, width=256, depth=4), 32, 3),
        (ViTConfig(patch_size=1, width=24, depth=2, heads=3, pool="mean"), 8, 1),
        (ViTConfig(patch_size=2, width=24, depth=1, heads=3, mlp_ratio=1.5), 8, 1),
    ],
    ids=lambda value: value.label if isinstance(value, ViTConfig) else str(value),
)
RESNETS = pytest.mark.parametrize(("width", "image_size", "channels"), [(64, 32, 3), (32, 32, 3), (8, 9, 1)])


@VITS
def test_parameters_of_a_vit_in_closed_form(config: ViTConfig, image_size: int, channels: int) -> None:
    d, hidden, classes = config.width, int(config.width * config.mlp_ratio), 10
    patch, patches = channels * config.patch_size**2, (image_size // config.patch_size) ** 2
    cls = 1 if config.pool == "cls" else 0
    embedding = (patch * d + d) + cls * d + (patches + cls) * d
    block = 2 * (2 * d) + (d * 3 * d + 3 * d) + (d * d + d) + (d * hidden + hidden) + (hidden * d + d)
    expected = embedding + config.depth * block + 2 * d + (d * classes + classes)
    assert cost.parameters(build(config, image_size, channels, classes)) == expected


@VITS
def test_multiplications_of_a_vit_in_closed_form(config: ViTConfig, image_size: int, channels: int) -> None:
    d, hidden, classes = config.width, int(config.width * config.mlp_ratio), 10
    patch, patches = channels * config.patch_size**2, (image_size // config.patch_size) ** 2
    n = patches + (1 if config.pool == "cls" else 0)
    block = n * d * 3 * d + n * n * d + n * n * d + n * d * d + 2 * n * d * hidden  # qkv, QK, AV, out, feed-forward
    expected = patches * patch * d + config.depth * block + d * classes
    assert cost.multiplications(build(config, image_size, channels, classes), image_size, channels) == expected


def resnet18_convolutions(width: int, image_size: int, channels: int) -> list[tuple[int, int, int, int]]:
    """(inputs, outputs, kernel side, side of the output map) of every convolution."""
    convolutions = [(channels, width, 3, image_size)]
    inputs, side = width, image_size
    for stage in range(4):
        outputs = width * 2**stage
        if stage > 0:
            side = (side + 1) // 2
            convolutions.append((inputs, outputs, 1, side))  # the shortcut's projection
        convolutions += [(inputs, outputs, 3, side)] + 3 * [(outputs, outputs, 3, side)]
        inputs = outputs
    return convolutions


@RESNETS
def test_parameters_of_a_resnet18_in_closed_form(width: int, image_size: int, channels: int) -> None:
    kernels = sum(i * o * k * k + 2 * o for i, o, k, _ in resnet18_convolutions(width, image_size, channels))
    model = build(ResNetConfig(width=width), image_size, channels, 10)
    assert cost.parameters(model) == kernels + 8 * width * 10 + 10


@RESNETS
def test_multiplications_of_a_resnet18_in_closed_form(width: int, image_size: int, channels: int) -> None:
    expected = sum(i * o * k * k * s * s for i, o, k, s in resnet18_convolutions(width, image_size, channels))
    model = build(ResNetConfig(width=width), image_size, channels, 10)
    assert cost.multiplications(model, image_size, channels) == expected + 8 * width * 10


@pytest.mark.parametrize("depth", [18, 50])
def test_numbers_agree_with_those_torchvision_publishes(depth: int) -> None:
    published = getattr(torchvision.models, f"ResNet{depth}_Weights").IMAGENET1K_V1.meta
    with torch.device("meta"):
        model = getattr(torchvision.models, f"resnet{depth}")()
    assert cost.parameters(model) == published["num_params"]
    assert cost.multiplications(model, 224, 3) / 1e9 == pytest.approx(published["_ops"], abs=5e-4)


@pytest.mark.parametrize("config", [ViTConfig(width=24, depth=1, heads=3), ResNetConfig(width=4)])
def test_counting_leaves_the_model_as_it_is(config: ViTConfig | ResNetConfig) -> None:
    model = build(config, 8, 1, 10)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    count = cost.multiplications(model, 8, 1)
    assert model.training and all(module.training for module in model.modules())
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    with torch.device("meta"):
        assert cost.multiplications(build(config, 8, 1, 10), 8, 1) == count


@pytest.mark.parametrize("image_size", [8, 12, 32])
@pytest.mark.parametrize(
    "config", [ViTConfig(), ViTConfig(patch_size=2, pool="mean"), ResNetConfig(), ResNetConfig(depth=50)]
)
def test_tokens_are_those_of_the_model(config: ViTConfig | ResNetConfig, image_size: int) -> None:
    with torch.device("meta"):
        _, outputs = build(config, image_size, 3, 10).intermediates(torch.empty(2, 3, image_size, image_size))
    last = outputs["block6"] if isinstance(config, ViTConfig) else outputs["stage4"].flatten(2).mT
    assert cost.tokens(config, image_size) == last.shape[1]
