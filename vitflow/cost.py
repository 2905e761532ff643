"""What a model costs, exactly: parameters, multiplications, tokens. Nothing here is measured by a clock."""

from __future__ import annotations

import copy

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from vitflow.config import ResNet as ResNetConfig
from vitflow.config import RunConfig
from vitflow.config import ViT as ViTConfig
from vitflow.models.build import build


def parameters(model: nn.Module) -> int:
    """Number of trained values."""
    return sum(parameter.numel() for parameter in model.parameters())


def multiplications(model: nn.Module, image_size: int, channels: int) -> int:
    """Multiplications (each with its addition) of one image's forward pass.

    Matrix products and convolutions are counted, attention's included; padding counts as pixels. Biases,
    norms, activations, softmax and additions are not: they are linear in the activations, and conventions
    differ. Nothing is computed: the pass runs on shapes alone, and ``model`` is left as it is.
    """
    shapes = copy.deepcopy(model).to("meta").eval()
    image = torch.empty(1, channels, image_size, image_size, device="meta")
    # on meta tensors attention is two products; a CPU's fused operator would go uncounted
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        shapes(image)
    return int(counter.get_total_flops()) // 2


def tokens(config: ViTConfig | ResNetConfig, image_size: int) -> int:
    """Positions at the end of the model: a ViT's tokens with [CLS] and registers, a ResNet's last feature map."""
    if isinstance(config, ViTConfig):
        return config.tokens(image_size)
    return (-(-image_size // 8)) ** 2  # three halvings, rounded up


def exact(config: RunConfig) -> dict[str, int]:
    """``parameters``, ``multiplications`` (per image, forward) and ``tokens`` of a run; allocates no model."""
    image_size, channels, classes = config.dataset.shape
    with torch.device("meta"):
        model = build(config.model, image_size, channels, classes)
    return {
        "parameters": parameters(model),
        "multiplications": multiplications(model, image_size, channels),
        "tokens": tokens(config.model, image_size),
    }
