"""ResNets for small images (He et al., 2016).

The stem is a 3x3 convolution of stride 1 without max-pooling; everything else is torchvision's: stride in
the 3x3 convolution of a bottleneck, convolutions initialised normal with deviation sqrt(2 / fan_out),
BatchNorm with scale 1 and shift 0 (the last scale of a block too), torch's default for the head.

Shapes: B batch, C channels, S image side, K classes.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from vitflow.study.models import ResNet as ResNetConfig


def _convolution(inputs: int, outputs: int, size: int, stride: int = 1) -> nn.Conv2d:
    """``size`` x ``size``, zero-padded so that stride 1 keeps the image side; BatchNorm brings the bias."""
    return nn.Conv2d(inputs, outputs, size, stride, padding=size // 2, bias=False)


def _shortcut(inputs: int, outputs: int, stride: int) -> nn.Module:
    """The identity, or a projection where a block changes the shape."""
    if stride == 1 and inputs == outputs:
        return nn.Identity()
    return nn.Sequential(_convolution(inputs, outputs, 1, stride), nn.BatchNorm2d(outputs))


class BasicBlock(nn.Module):
    """Two 3x3 convolutions and a shortcut: [B, inputs, s, s] -> [B, width, s/stride, s/stride]."""

    expansion = 1

    def __init__(self, inputs: int, width: int, stride: int) -> None:
        super().__init__()
        self.residual = nn.Sequential(
            _convolution(inputs, width, 3, stride),
            nn.BatchNorm2d(width),
            nn.ReLU(inplace=True),
            _convolution(width, width, 3),
            nn.BatchNorm2d(width),
        )
        self.shortcut = _shortcut(inputs, width, stride)
        self.activation = nn.ReLU(inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        return self.activation(self.residual(x) + self.shortcut(x))


class Bottleneck(nn.Module):
    """1x1, 3x3, 1x1 convolutions and a shortcut: [B, inputs, s, s] -> [B, 4*width, s/stride, s/stride]."""

    expansion = 4

    def __init__(self, inputs: int, width: int, stride: int) -> None:
        super().__init__()
        outputs = self.expansion * width
        self.residual = nn.Sequential(
            _convolution(inputs, width, 1),
            nn.BatchNorm2d(width),
            nn.ReLU(inplace=True),
            _convolution(width, width, 3, stride),
            nn.BatchNorm2d(width),
            nn.ReLU(inplace=True),
            _convolution(width, outputs, 1),
            nn.BatchNorm2d(outputs),
        )
        self.shortcut = _shortcut(inputs, outputs, stride)
        self.activation = nn.ReLU(inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        return self.activation(self.residual(x) + self.shortcut(x))


#: by config.ResNet.depth: block, and how many of them each stage has
DEPTHS: dict[int, tuple[type[BasicBlock] | type[Bottleneck], tuple[int, int, int, int]]] = {
    18: (BasicBlock, (2, 2, 2, 2)),
    50: (Bottleneck, (3, 4, 6, 3)),
}


class ResNet(nn.Module):
    """images [B, C, S, S] (float, normalised) -> logits [B, K].

    Stages 2 to 4 halve the side (rounded up) and double the channels.
    """

    def __init__(self, config: ResNetConfig, channels: int, classes: int) -> None:
        super().__init__()
        block, counts = DEPTHS[config.depth]
        self.stem = nn.Sequential(
            _convolution(channels, config.width, 3), nn.BatchNorm2d(config.width), nn.ReLU(inplace=True)
        )
        inputs = config.width
        stages = []
        for number, count in enumerate(counts):
            width = config.width * 2**number
            blocks = []
            for first in [True] + [False] * (count - 1):
                blocks.append(block(inputs, width, stride=2 if first and number > 0 else 1))
                inputs = block.expansion * width
            stages.append(nn.Sequential(*blocks))
        self.stages = nn.ModuleList(stages)
        self.head = nn.Linear(inputs, classes)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    def embed(self, images: Tensor) -> Tensor:
        """images [B, C, S, S] -> maps [B, width, S, S] that enter the first stage."""
        # channels last in memory: convolutions are 5 to 15 % faster on a CPU, and pass the layout on
        return self.stem(images.contiguous(memory_format=torch.channels_last))

    def forward(self, images: Tensor) -> Tensor:
        x = self.embed(images)
        for stage in self.stages:
            x = stage(x)
        return self.head(x.mean(dim=(2, 3)))
