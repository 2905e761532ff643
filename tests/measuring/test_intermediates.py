"""Named outputs inside a model: the logits of its forward pass, and what its parts give."""

from __future__ import annotations

from collections.abc import Callable

import torch
from support.networks import BOTH, SMALL_RESNET, scramble, small_vit
from torch import Tensor, nn

from vitflow.measuring.intermediates import intermediates
from vitflow.models.build import build
from vitflow.models.position import LearnedPosition
from vitflow.models.resnet import ResNet
from vitflow.models.tokens import Prefix
from vitflow.models.vit import ViT
from vitflow.study.models import ResNet as ResNetConfig
from vitflow.study.models import ViT as ViTConfig


@BOTH
def test_intermediates_give_the_logits_of_forward(config: ViTConfig | ResNetConfig) -> None:
    torch.manual_seed(0)
    model = build(config, 16, 3, 10).eval()
    scramble(model)
    images = torch.randn(3, 3, 16, 16)
    logits, outputs = intermediates(model, images)
    assert logits.std() > 0.01
    assert torch.equal(logits, model(images))
    assert torch.equal(logits, model.head(outputs["pooled"]))


def test_intermediates_are_what_the_parts_give_and_are_not_overwritten() -> None:
    torch.manual_seed(0)
    vit, resnet = small_vit(), build(SMALL_RESNET, 16, 3, 10)
    assert isinstance(resnet, ResNet)
    parts: list[tuple[ViT | ResNet, dict[str, nn.Module]]] = [
        (vit, {f"block{number}": block for number, block in enumerate(vit.blocks, start=1)}),
        (resnet, {"stem": resnet.stem} | {f"stage{n}": stage for n, stage in enumerate(resnet.stages, start=1)}),
    ]
    for model, modules in parts:
        scramble(model)
        seen: dict[str, Tensor] = {}

        def keep(name: str, seen: dict[str, Tensor] = seen) -> Callable[..., None]:
            return lambda _module, _inputs, output: seen.update({name: output.detach().clone()})

        for name, module in modules.items():
            module.register_forward_hook(keep(name))
        _, outputs = intermediates(model, torch.randn(3, 3, 16, 16))
        assert list(outputs) == [*(["patch_embed"] if model is vit else []), *modules, "pooled"]
        for name, value in seen.items():
            assert torch.equal(outputs[name], value), name


def test_patch_embed_holds_the_tokens_that_enter_the_first_block() -> None:
    torch.manual_seed(0)
    model = small_vit()
    scramble(model)
    assert isinstance(model.prefix, Prefix)
    images = torch.randn(2, 3, 16, 16)
    assert isinstance(model.position, LearnedPosition)
    weight = model.patch_embed.projection.weight.view(24, 3, 4, 4)
    patches = nn.functional.conv2d(images, weight, model.patch_embed.projection.bias, stride=4).flatten(2).mT
    expected = torch.cat([model.prefix.tokens.expand(2, 1, 24), patches], dim=1) + model.position.embedding
    torch.testing.assert_close(intermediates(model, images)[1]["patch_embed"], expected)
