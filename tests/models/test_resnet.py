"""The ResNet: against torchvision's with another stem, and its shapes and start."""

from __future__ import annotations

from typing import get_args

import pytest
import torch
from torch import Tensor, nn

from vitflow.machine.compat import import_torchvision
from vitflow.measuring.intermediates import intermediates
from vitflow.models.build import build
from vitflow.models.resnet import DEPTHS
from vitflow.study.models import ResNet as ResNetConfig

torchvision = import_torchvision()


def logits_and_gradients(model: nn.Module, images: Tensor) -> tuple[Tensor, list[Tensor]]:
    """Logits, and the gradient of a cross-entropy in every parameter, in the model's order."""
    logits = model(images)
    loss = nn.functional.cross_entropy(logits, torch.arange(len(images)))
    return logits, list(torch.autograd.grad(loss, list(model.parameters())))


@pytest.mark.parametrize("depth", [18, 50])
@pytest.mark.parametrize("training", [True, False], ids=["train", "eval"])
def test_resnet_equals_torchvision_with_the_stem_exchanged(depth: int, training: bool) -> None:
    torch.manual_seed(0)
    ours = build(ResNetConfig(depth=depth), 16, 3, 10).double()
    theirs = getattr(torchvision.models, f"resnet{depth}")(num_classes=10)
    theirs.conv1 = nn.Conv2d(3, 64, 3, stride=1, padding=1, bias=False)
    theirs.maxpool = nn.Identity()
    theirs = theirs.double()
    for module in theirs.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.weight, 0.5, 1.0)
            nn.init.normal_(module.bias, std=0.1)
            module.running_var = torch.rand_like(module.weight) + 0.5
    ours.load_state_dict(dict(zip(ours.state_dict(), theirs.state_dict().values(), strict=True)))
    images = torch.randn(4, 3, 16, 16, dtype=torch.float64)

    logits, gradients = logits_and_gradients(ours.train(training), images)
    expected_logits, expected = logits_and_gradients(theirs.train(training), images)

    assert logits.std() > 0.1
    torch.testing.assert_close(logits, expected_logits, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(gradients, expected, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(list(ours.buffers()), list(theirs.buffers()), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize(
    ("image_size", "sides"), [(8, [8, 8, 4, 2, 1]), (9, [9, 9, 5, 3, 2]), (32, [32, 32, 16, 8, 4])]
)
@pytest.mark.parametrize(("depth", "expansion"), [(18, 1), (50, 4)])
def test_resnet_stages_halve_the_side_and_double_the_width(
    image_size: int, sides: list[int], depth: int, expansion: int
) -> None:
    model = build(ResNetConfig(depth=depth, width=4), image_size, 1, 7)
    logits, outputs = intermediates(model, torch.randn(2, 1, image_size, image_size))
    assert logits.shape == (2, 7)
    channels = [4] + [4 * expansion * 2**stage for stage in range(4)]
    expected = {
        name: (2, c, s, s)
        for name, c, s in zip(["stem", "stage1", "stage2", "stage3", "stage4"], channels, sides, strict=True)
    }
    assert {name: tuple(value.shape) for name, value in outputs.items()} == expected | {"pooled": (2, channels[-1])}


def test_every_depth_of_a_resnet_is_known() -> None:
    assert set(DEPTHS) == set(get_args(ResNetConfig.model_fields["depth"].annotation))


def test_resnet_starts_as_torchvisions() -> None:
    torch.manual_seed(0)
    for name, module in build(ResNetConfig(depth=50, width=32), 32, 3, 10).named_modules():
        if isinstance(module, nn.Conv2d):
            outputs, _, height, width = module.weight.shape
            error = 5 * (2 * module.weight.numel()) ** -0.5
            assert module.weight.std().item() == pytest.approx((2 / (outputs * height * width)) ** 0.5, rel=error), name
            assert module.bias is None
        if isinstance(module, nn.BatchNorm2d):
            assert (module.weight == 1).all() and not module.bias.any(), name
