"""Exact costs: against closed forms written out, published numbers, and the models' own shapes."""

from __future__ import annotations

from itertools import pairwise

import pytest
import torch

from vitflow.machine.compat import import_torchvision
from vitflow.measuring import cost
from vitflow.measuring.intermediates import intermediates
from vitflow.models.build import build
from vitflow.study.dataset import Dataset
from vitflow.study.models import ResNet as ResNetConfig
from vitflow.study.models import ViT as ViTConfig
from vitflow.study.run import RunConfig
from vitflow.study.training import Training

torchvision = import_torchvision()


def vit(**changes: object) -> ViTConfig:
    return ViTConfig.model_validate({"patch_size": 4, "width": 24, "depth": 2, "heads": 3} | changes)


VITS = pytest.mark.parametrize(
    ("config", "image_size", "channels"),
    [
        (ViTConfig(), 32, 3),
        (ViTConfig(patch_size=2, heads=96), 32, 3),
        (ViTConfig(patch_size=8, width=256, depth=4), 32, 3),
        (ViTConfig(patch_size=1, width=24, depth=2, heads=3, pool="mean"), 8, 1),
        (ViTConfig(patch_size=2, width=24, depth=1, heads=3, mlp_ratio=1.5), 8, 1),
        *((vit(patch_embed=kind), 16, 3) for kind in ("overlap", "conv_stem", "shifted")),
        *((vit(patch_embed=kind, patch_size=8), 16, 1) for kind in ("overlap", "conv_stem", "shifted")),
        *((vit(position=kind), 16, 3) for kind in ("none", "sincos1d", "sincos2d", "rope1d", "rope2d")),
        (vit(cls_position=False), 16, 3),
        (vit(registers=4), 16, 3),
        (vit(registers=8, pool="mean"), 16, 3),
        (vit(norm="rmsnorm"), 16, 3),
        (vit(norm_placement="post"), 16, 3),
        (vit(norm_placement="post", norm="rmsnorm", pool="mean"), 16, 3),
        (vit(qk_norm="l2"), 16, 3),
        (vit(qk_norm="rmsnorm"), 16, 3),
        (vit(attention="locality"), 16, 3),
        (vit(feedforward="swiglu"), 16, 3),
        (vit(feedforward="geglu", mlp_ratio=2), 16, 3),
        (vit(layer_scale=0.1, drop_path=0.1), 16, 3),
        (vit(norm="rmsnorm", patch_embed="shifted", registers=1, position="rope2d", feedforward="swiglu"), 16, 3),
        (vit(qk_norm="rmsnorm", attention="locality", patch_embed="conv_stem", layer_scale=0.1), 16, 3),
    ],
    ids=lambda value: value.label if isinstance(value, ViTConfig) else str(value),
)
RESNETS = pytest.mark.parametrize(("width", "image_size", "channels"), [(64, 32, 3), (32, 32, 3), (8, 9, 1)])


def stem_widths(config: ViTConfig, channels: int) -> list[int]:
    """Channels before, between and after the 3x3 convolutions of a stem: doubling up to the width."""
    count = {2: 1, 4: 2, 8: 3}[config.patch_size]
    return [channels] + [config.width // 2**left for left in range(count - 1, -1, -1)]


def hidden_width(config: ViTConfig) -> int:
    hidden = int(config.width * config.mlp_ratio)
    return hidden if config.feedforward == "gelu" else 8 * round(hidden * 2 / 3 / 8)


@VITS
def test_parameters_of_a_vit_in_closed_form(config: ViTConfig, image_size: int, channels: int) -> None:
    d, p, hidden, classes = config.width, config.patch_size, hidden_width(config), 10
    patches, cls = (image_size // p) ** 2, 1 if config.pool == "cls" else 0
    size = d // config.heads

    def norm(width: int) -> int:
        return width if config.norm == "rmsnorm" else 2 * width

    stem = stem_widths(config, channels) if config.patch_embed == "conv_stem" else []
    patch_embed = {
        "linear": channels * p**2 * d + d,
        "overlap": channels * (2 * p - 1) ** 2 * d + d,
        "conv_stem": sum(9 * i * o + 2 * o for i, o in pairwise(stem)) + d * d + d,
        "shifted": norm(5 * channels * p**2) + 5 * channels * p**2 * d + d,
    }[config.patch_embed]
    placed = patches + (cls if config.cls_position else 0)
    position = placed * d if config.position == "learned" else 0
    expanded = hidden if config.feedforward == "gelu" else 2 * hidden
    feedforward = (d * expanded + expanded) + (hidden * d + d)
    scores = {"none": 0, "l2": 1, "rmsnorm": 2 * size}[config.qk_norm] + (
        config.heads if config.attention == "locality" else 0
    )
    block = 2 * norm(d) + (d * 3 * d + 3 * d) + (d * d + d) + scores + feedforward
    block += 0 if config.layer_scale is None else 2 * d
    final = norm(d) if config.norm_placement == "pre" else 0
    expected = patch_embed + (cls + config.registers) * d + position + config.depth * block + final
    assert cost.parameters(build(config, image_size, channels, classes)) == expected + d * classes + classes


@VITS
def test_multiplications_of_a_vit_in_closed_form(config: ViTConfig, image_size: int, channels: int) -> None:
    d, p, hidden, classes = config.width, config.patch_size, hidden_width(config), 10
    patches = (image_size // p) ** 2
    n = patches + (1 if config.pool == "cls" else 0) + config.registers
    stem = stem_widths(config, channels) if config.patch_embed == "conv_stem" else []
    sides = [image_size // 2 ** (k + 1) for k in range(len(stem))]
    patch_embed = {
        "linear": patches * channels * p**2 * d,
        "overlap": patches * channels * (2 * p - 1) ** 2 * d,
        "conv_stem": sum(9 * i * o * s * s for (i, o), s in zip(pairwise(stem), sides, strict=False)) + patches * d * d,
        "shifted": patches * 5 * channels * p**2 * d,
    }[config.patch_embed]
    matrices = 2 if config.feedforward == "gelu" else 3
    block = n * d * 3 * d + n * n * d + n * n * d + n * d * d + matrices * n * d * hidden  # qkv, QK, AV, out, network
    expected = patch_embed + config.depth * block + d * classes
    assert cost.multiplications(build(config, image_size, channels, classes), image_size, channels) == expected


@pytest.mark.parametrize("width", [96, 192, 256])
@pytest.mark.parametrize("kind", ["swiglu", "geglu"])
def test_gated_networks_cost_what_the_plain_one_does(width: int, kind: str) -> None:
    with torch.device("meta"):
        plain, gated = (
            build(vit(width=width, heads=8, feedforward=f), 32, 3, 10).blocks[0].feedforward for f in ("gelu", kind)
        )
    assert cost.parameters(gated) == pytest.approx(cost.parameters(plain), rel=0.01)
    assert gated.contract.in_features % 8 == 0


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
    "config",
    [
        ViTConfig(),
        ViTConfig(patch_size=2, pool="mean"),
        ViTConfig(registers=4, patch_embed="overlap"),
        ViTConfig(registers=1, pool="mean", patch_embed="conv_stem"),
        ResNetConfig(),
        ResNetConfig(depth=50),
    ],
)
def test_tokens_are_those_of_the_model(config: ViTConfig | ResNetConfig, image_size: int) -> None:
    with torch.device("meta"):
        _, outputs = intermediates(build(config, image_size, 3, 10), torch.empty(2, 3, image_size, image_size))
    last = outputs["block6"] if isinstance(config, ViTConfig) else outputs["stage4"].flatten(2).mT
    assert cost.tokens(config, image_size) == last.shape[1]


@pytest.mark.parametrize("model", [ViTConfig(), ResNetConfig(width=8)])
def test_a_runs_exact_costs_are_those_of_its_model_on_its_images(model: ViTConfig | ResNetConfig) -> None:
    run = RunConfig(dataset=Dataset(name="cifar100"), model=model, training=Training())
    built = build(model, 32, 3, 100)
    found = cost.exact(run)
    assert found == {
        "parameters": cost.parameters(built),
        "multiplications": cost.multiplications(built, 32, 3),
        "tokens": cost.tokens(model, 32),
    }
    found["tokens"] = 0  # what one caller does with it is not seen by the next
    assert cost.exact(run)["tokens"] == cost.tokens(model, 32)
