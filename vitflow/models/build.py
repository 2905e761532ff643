"""From a model's configuration to a model, and which of its parameters decay."""

from __future__ import annotations

from torch import nn

from vitflow.models.resnet import ResNet
from vitflow.models.vit import ViT
from vitflow.study.models import ResNet as ResNetConfig
from vitflow.study.models import ViT as ViTConfig


def build(config: ViTConfig | ResNetConfig, image_size: int, channels: int, classes: int) -> ViT | ResNet:
    """A freshly initialised model on the default device, float32, from torch's global generator.

    It maps images [B, channels, image_size, image_size] to logits [B, classes].
    Raises ValueError where the configuration does not fit the image side.
    """
    config.check(image_size)
    if isinstance(config, ViTConfig):
        return ViT(config, image_size, channels, classes)
    return ResNet(config, channels, classes)


def decayed_parameters(model: nn.Module) -> tuple[list[nn.Parameter], list[nn.Parameter]]:
    """(with weight decay, without); every parameter is in exactly one list.

    Weight matrices and convolution kernels decay. Biases, norms, gains, temperatures, layer scales, [CLS],
    registers and positions do not.
    """
    decay: list[nn.Parameter] = []
    no_decay: list[nn.Parameter] = []
    for module in model.modules():
        for name, parameter in module.named_parameters(recurse=False):
            matrix = isinstance(module, nn.Linear | nn.Conv2d) and name == "weight"
            (decay if matrix else no_decay).append(parameter)
    return decay, no_decay
