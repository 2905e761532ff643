"""Every point of config.yaml, and mixtures of all variants: each trains, compiles and is decided by its seed."""

from __future__ import annotations

import random
from typing import Any, get_args

import pytest
import torch
from safetensors.torch import load, save
from support.networks import assert_only_weights_decay, scrambled, vit
from support.results import ROOT
from torch import Tensor, nn
from torch.nn import functional as F

from vitflow.measuring.intermediates import intermediates
from vitflow.models.build import build, decayed_parameters
from vitflow.study.grid import expand
from vitflow.study.models import ViT as ViTConfig
from vitflow.study.reading import read_study

#: the values of every variant, beside those that the schema lists
NUMBERS: dict[str, list[Any]] = {
    "cls_position": [True, False],
    "registers": [0, 1, 4],
    "layer_scale": [None, 0.1],
    "drop_path": [0, 0.2],
    "position_base": [100, 10000],
}
VALUES = NUMBERS | {
    name: list(get_args(field.annotation))
    for name, field in ViTConfig.model_fields.items()
    if isinstance(field.default, str) and name != "family"
}


def points_of_the_study() -> dict[str, ViTConfig]:
    """Every ViT of config.yaml, narrower where its heads allow, and no deeper than it takes to drop a path."""
    shapes = {}
    for run in expand(read_study(ROOT / "config.yaml")).runs.values():
        model = run.config.normalised().model
        if isinstance(model, ViTConfig):
            width = model.width if model.heads > 8 else model.width // 2
            depth = 2 if model.drop_path else 1
            small = ViTConfig.model_validate(model.model_dump() | {"depth": depth, "width": width})
            shapes[small.label] = small
    return shapes


def random_mixtures(count: int) -> dict[str, ViTConfig]:
    """A seeded sample of valid combinations of everything."""
    chance = random.Random(0)
    found: dict[str, ViTConfig] = {}
    while len(found) < count:
        chosen = {name: chance.choice(values) for name, values in VALUES.items()}
        if (chosen["attention"], chosen["qk_norm"]) != ("locality", "l2"):
            mixture = vit(**chosen, depth=2 if chosen["drop_path"] else 1)
            found[mixture.label] = mixture
    return found


def graphs(configs: dict[str, ViTConfig]) -> dict[str, ViTConfig]:
    """One configuration of those that differ in sizes alone."""
    found: dict[tuple[Any, ...], str] = {}
    for label, config in configs.items():
        words = [value if isinstance(value, str) else bool(value) for value in config.model_dump().values()]
        found.setdefault(tuple(words), label)
    return {label: configs[label] for label in found.values()}


def step(model: nn.Module, images: Tensor, bf16: bool) -> Tensor:
    """One forward and backward pass in training, dropped paths seeded as the training loop does; the logits."""
    torch.manual_seed(1)
    model.train()
    with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
        logits: Tensor = model(images)
        F.cross_entropy(logits, torch.arange(len(images))).backward()
    return logits.detach().float()


def gradient(model: nn.Module) -> Tensor:
    return torch.cat([p.grad.flatten() for p in model.parameters() if p.grad is not None])


EVERY = points_of_the_study() | random_mixtures(16)


COMPILED = graphs(points_of_the_study()) | random_mixtures(4)


@pytest.mark.parametrize("label", EVERY)
def test_a_step_gives_every_parameter_a_finite_gradient(label: str) -> None:
    model = scrambled(EVERY[label])
    logits = step(model, torch.randn(4, 3, 16, 16), bf16=False)
    assert logits.shape == (4, 10) and logits.isfinite().all()
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None and parameter.grad.isfinite().all(), name
        assert parameter.grad.any(), name


@pytest.mark.parametrize("label", COMPILED)
def test_a_compiled_step_in_half_precision_is_the_same_step(label: str) -> None:
    model, images = scrambled(COMPILED[label]), torch.randn(4, 3, 16, 16)
    expected, exact = step(model, images, bf16=False), gradient(model)
    model.zero_grad()
    torch._dynamo.reset()
    logits = step(torch.compile(model, backend="aot_eager", fullgraph=True), images, bf16=True)
    assert (logits - expected).abs().max() < 0.1 * expected.abs().max() + 0.05
    assert F.cosine_similarity(gradient(model), exact, dim=0) > 0.98


@pytest.mark.parametrize("label", random_mixtures(4))
def test_the_seed_decides_a_mixture_and_its_steps(label: str) -> None:
    """Two builds and steps give the same bits, dropped paths included; every parameter can be saved and read."""
    ours, again = (scrambled(EVERY[label]) for _ in range(2))
    images = torch.randn(4, 3, 16, 16)
    assert torch.equal(step(ours, images, bf16=False), step(again, images, bf16=False))
    assert torch.equal(gradient(ours), gradient(again))
    with torch.device("meta"):
        assert build(EVERY[label], 16, 3, 10)(torch.empty(2, 3, 16, 16)).shape == (2, 10)
    read = load(save(ours.state_dict()))
    fresh = build(EVERY[label], 16, 3, 10)
    fresh.load_state_dict(read)
    images = torch.randn(2, 3, 16, 16)
    assert torch.equal(fresh.eval()(images), ours.eval()(images))
    assert torch.equal(intermediates(ours, images)[0], ours(images))


@pytest.mark.parametrize("label", random_mixtures(16))
def test_only_matrices_and_kernels_of_a_mixture_decay(label: str) -> None:
    model = build(EVERY[label], 16, 3, 10)
    assert_only_weights_decay(model, *decayed_parameters(model))
