"""Small models with random numbers in every parameter, and the comparison of two that have the same."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from vitflow.models.build import build
from vitflow.models.vit import ViT
from vitflow.study.models import ResNet as ResNetConfig
from vitflow.study.models import ViT as ViTConfig

SMALL_VIT = ViTConfig(patch_size=4, width=24, depth=3, heads=4)
SMALL_RESNET = ResNetConfig(width=8)
BOTH = pytest.mark.parametrize("config", [SMALL_VIT, SMALL_RESNET], ids=["vit", "resnet"])
#: how closely a reference in float64 is met
agree = partial(torch.testing.assert_close, atol=1e-5, rtol=1e-5)


def small_vit(**changes: object) -> ViT:
    """SMALL_VIT with changes, for images [B, 3, 16, 16]."""
    model = build(SMALL_VIT.model_copy(update=changes), 16, 3, 10)
    assert isinstance(model, ViT)
    return model


def scramble(model: nn.Module) -> None:
    """Random numbers in every parameter, so that a forgotten bias or scale shows."""
    for parameter in model.parameters():
        nn.init.normal_(parameter, std=parameter.shape[-1] ** -0.5 if parameter.ndim == 2 else 0.3)


def vit(**changes: Any) -> ViTConfig:
    """A configuration of which a variant is what changes."""
    return ViTConfig.model_validate({"patch_size": 4, "width": 24, "depth": 2, "heads": 3} | changes)


def scrambled(config: ViTConfig, image_size: int = 16) -> ViT:
    """A model with random numbers in every parameter, of a size that keeps activations where they start."""
    torch.manual_seed(0)
    model = build(config, image_size, 3, 10)
    assert isinstance(model, ViT)
    for name, parameter in model.named_parameters():
        if parameter.ndim >= 2 and "weight" in name:
            nn.init.normal_(parameter, std=parameter[0].numel() ** -0.5)
        elif name.endswith(("temperature", "gain", "norm1.weight", "norm2.weight")):
            nn.init.uniform_(parameter, 1, 3)
        else:
            nn.init.normal_(parameter, std=0.3)
    return model


def gradients(model: nn.Module, inputs: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
    """The output, and the gradient of its cross-entropy (in the last dimension) by parameter."""
    output = model(inputs)
    scores = output.reshape(-1, output.shape[-1])
    loss = F.cross_entropy(scores, torch.arange(len(scores)) % scores.shape[-1])
    names, parameters = zip(*model.named_parameters(), strict=True)
    return output, dict(zip(names, torch.autograd.grad(loss, parameters), strict=True))


def assert_equal_models(ours: nn.Module, theirs: nn.Module, name: Callable[[str], str], inputs: Tensor) -> None:
    """Copy our weights to theirs by ``name``, and compare outputs and all gradients."""
    shapes = {key: value.shape for key, value in theirs.state_dict().items()}
    theirs.load_state_dict({name(key): value.view(shapes[name(key)]) for key, value in ours.state_dict().items()})
    output, mine = gradients(ours, inputs)
    expected, reference = gradients(theirs, inputs)
    assert output.std() > 0.1
    agree(output, expected)
    assert {name(key) for key in mine} == reference.keys()
    for key, gradient in mine.items():
        assert gradient.any(), key
        agree(gradient, reference[name(key)].view_as(gradient))


def renamed(pairs: dict[str, str]) -> Callable[[str], str]:
    """A function that replaces parts of a parameter's name, one after the other."""

    def name(ours: str) -> str:
        for old, new in pairs.items():
            ours = ours.replace(old, new)
        return ours

    return name


def assert_only_weights_decay(model: nn.Module, decay: list[nn.Parameter], no_decay: list[nn.Parameter]) -> None:
    """Each parameter is in one of the two, and weight matrices and kernels are in the first."""
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    assert sorted(names[id(p)] for p in decay + no_decay) == sorted(names.values())
    assert {names[id(p)] for p in decay} == {n for n, p in model.named_parameters() if "weight" in n and p.ndim >= 2}
