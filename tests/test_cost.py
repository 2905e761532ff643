"""The cost room: against closed forms written out, published numbers, and the models' own shapes."""

from __future__ import annotations

from itertools import accumulate, pairwise
from typing import ClassVar

import pytest
import torch
from torch.profiler import ProfilerActivity, profile

from vitflow.data.splits import Data
from vitflow.machine.compat import import_torchvision
from vitflow.measuring import cost
from vitflow.models.build import build
from vitflow.study.dataset import Dataset
from vitflow.study.models import ResNet as ResNetConfig
from vitflow.study.models import ViT as ViTConfig
from vitflow.study.run import RunConfig
from vitflow.study.training import Training
from vitflow.training.batches import Batches

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
    scores = {"none": 0, "l2": 1, "rmsnorm": 2 * size}[config.qk_norm] + (1 if config.attention == "locality" else 0)
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
        _, outputs = build(config, image_size, 3, 10).intermediates(torch.empty(2, 3, image_size, image_size))
    last = outputs["block6"] if isinstance(config, ViTConfig) else outputs["stage4"].flatten(2).mT
    assert cost.tokens(config, image_size) == last.shape[1]


# ------------------------------------------------------------------------------------------ measured


def run_of(batch_size: int = 32, **changes: object) -> RunConfig:
    return RunConfig(
        dataset=Dataset(name="digits"), model=vit(**changes), training=Training(batch_size=batch_size, precision="fp32")
    )


CPU = torch.device("cpu")


class Clock:
    """In place of a trainer, whose updates take a 64th of a second for each block of the model, and of the clock."""

    now = 0.0
    updates: ClassVar[list[int]] = []

    def __init__(self, config: RunConfig, seed: int, data: Data, device: torch.device) -> None:
        self.blocks, self.device, self.steps = config.model.depth, device, 3
        self.batches = Batches(config.training, data, seed, device)

    def update(self, step: int) -> None:
        Clock.updates.append(step)
        Clock.now += self.blocks / 64


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> type[Clock]:
    monkeypatch.setattr(cost, "Trainer", Clock)
    monkeypatch.setattr(cost.time, "perf_counter", lambda: Clock.now)
    monkeypatch.setattr(cost, "peak_memory", lambda config, device: 7)
    Clock.updates = []
    return Clock


def test_time_is_that_of_an_image_beside_the_baselines(clock: type[Clock]) -> None:
    found = cost.measured(run_of(depth=6, batch_size=32), run_of(depth=2, batch_size=16), CPU)
    # 6/64 s for 32 images, 2/64 s for 16
    assert found["images_per_second"] == pytest.approx(32 / (6 / 64), abs=0.01)
    assert found["time_ratio"] == 1.5
    assert found["time_ratios"] == [1.5, 1.5]
    assert (found["batch_size"], found["rounds"], found["peak_bytes"]) == (32, cost.ROUNDS, 7)


def test_turns_are_long_enough_and_pass_through_the_steps_again_and_again(clock: type[Clock]) -> None:
    turns = cost.Turns(run_of(depth=4), CPU)
    assert clock.updates == [0, 1, 2], "warm-up"
    before = clock.now
    turns.take()
    assert clock.now - before == 4 * 4 / 64, "the fewest updates that take a fifth of a second"
    assert clock.updates[3:] == [0, 1, 2, 0]


def test_a_real_measurement_tells_a_deeper_model_from_a_shallow_one() -> None:
    found = cost.measured(run_of(depth=12), run_of(depth=1), CPU)
    assert found["time_ratio"] > 2 and found["images_per_second"] > 0
    low, high = found["time_ratios"]
    assert low <= found["time_ratio"] <= high


def test_the_peak_counts_what_is_held_at_once() -> None:
    mib = 2**18  # float32 values
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as seen:
        first, second = torch.empty(3 * mib), torch.empty(2 * mib)
        del first
        third = torch.empty(4 * mib)
        del second, third
    held = [round(size / 2**20) for size in accumulate(cost._allocations(seen))]
    assert [size for size in held if size] == [3, 5, 2, 6, 4]


def test_peak_memory_is_weights_gradients_moments_and_activations() -> None:
    small, large = (cost.peak_memory(run_of(batch_size=size), CPU) for size in (16, 32))
    assert cost.peak_memory(run_of(batch_size=16), CPU) == small, "the same every time"
    weights = 4 * cost.exact(run_of())["parameters"]
    assert small > 4 * weights
    per_image = (large - small) / 16
    # what each block keeps for its backward pass: at least its input, queries, keys, values, and the hidden layer twice
    config, tokens = run_of().model, 5
    assert per_image > 4 * config.depth * tokens * config.width * (1 + 3 + 2 * 4)
    assert large < 4 * weights + 32 * 3 * per_image


def test_noise_has_the_shape_of_the_images() -> None:
    config = run_of(batch_size=10).model_copy(update={"dataset": Dataset(name="cifar10", train_images=25)})
    data = cost.noise(config)
    assert data.train.images.shape == (25, 32, 32, 3) and data.train.images.dtype == torch.uint8
    assert len(data.classes) == 10 and data.train.labels.max() < 10
    assert len(data.validation.labels) == len(data.test.labels) == 0
    assert len(cost.noise(run_of(batch_size=10)).train.labels) == 40
