"""From pixels to patch tokens.

Shapes: B batch, C channels, S image side, P patch side, G = S / P patches a side, D token width. All give
tokens [B, G*G, D], row by row, whose entries start with mean square 1 for normalised pixels.
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from vitflow.models.linear import Linear
from vitflow.models.norm import NORMS
from vitflow.study.models import ViT as ViTConfig


class PatchEmbed(nn.Module):
    """images [B, C, S, S] -> tokens [B, G*G, D], by ``project``, which ends in ``projection``.

    Raises ValueError in ``forward`` where images have another size or number of channels.
    """

    projection: Linear | nn.Conv2d

    def __init__(self, config: ViTConfig, image_size: int, channels: int) -> None:
        super().__init__()
        self.image_shape = (channels, image_size, image_size)
        self.grid = image_size // config.patch_size

    def initialise(self, gain: float = 1.0) -> None:
        """Normal with deviation ``gain`` / sqrt(inputs), which is LeCun's for gain 1; no bias."""
        weight = self.projection.weight
        nn.init.normal_(weight, std=gain * weight[0].numel() ** -0.5)
        assert self.projection.bias is not None
        nn.init.zeros_(self.projection.bias)

    def forward(self, images: Tensor) -> Tensor:
        if images.shape[1:] != self.image_shape:
            raise ValueError(f"images of shape {tuple(images.shape[1:])} given to a model of {self.image_shape}")
        return self.project(images)

    def project(self, images: Tensor) -> Tensor:
        """images [B, C, S, S] -> tokens [B, G*G, D]."""
        raise NotImplementedError


class LinearPatchEmbed(PatchEmbed):
    """One linear projection of each non-overlapping patch (Dosovitskiy et al., 2021).

    The projection's weight [D, C*P*P] is that of a P x P convolution of stride P, flattened; as a matrix
    product it needs no transposition afterwards.
    """

    def __init__(self, config: ViTConfig, image_size: int, channels: int) -> None:
        super().__init__(config, image_size, channels)
        self.projection = Linear(channels * config.patch_size**2, config.width)

    def project(self, images: Tensor) -> Tensor:
        return self.projection(cut(images, self.grid))


class OverlapPatchEmbed(PatchEmbed):
    """One convolution of kernel 2P-1, stride P and padding P-1 (Wang et al., 2022, PVTv2; CvT alike).

    Each token sees its patch and the P-1 pixels above and to the left of it. PVTv2's norm afterwards is left
    out, so that the overlap alone is what changes.
    """

    def __init__(self, config: ViTConfig, image_size: int, channels: int) -> None:
        super().__init__(config, image_size, channels)
        size = config.patch_size
        self.projection = nn.Conv2d(channels, config.width, 2 * size - 1, stride=size, padding=size - 1)

    def project(self, images: Tensor) -> Tensor:
        return rows(self.projection(images.contiguous(memory_format=torch.channels_last)))


class ConvStem(PatchEmbed):
    """3x3 convolutions of stride 2 with BatchNorm and ReLU, then 1x1 (Xiao et al., 2021).

    log2(P) convolutions; the channels double up to D. The transformer keeps its depth: where the paper pays
    for the stem with a block, here its cost is shown.
    """

    def __init__(self, config: ViTConfig, image_size: int, channels: int) -> None:
        super().__init__(config, image_size, channels)
        halvings = config.patch_size.bit_length() - 1
        widths = [channels, *(max(1, config.width >> left) for left in reversed(range(halvings)))]
        layers: list[nn.Module] = []
        for inputs, outputs in pairwise(widths):
            layers += [
                nn.Conv2d(inputs, outputs, 3, stride=2, padding=1, bias=False),
                nn.BatchNorm2d(outputs),
                nn.ReLU(inplace=True),
            ]
        self.stem = nn.Sequential(*layers)
        self.projection = nn.Conv2d(config.width, config.width, 1)

    def initialise(self, gain: float = 2**0.5) -> None:
        """He normal everywhere: the last convolution too reads what a ReLU has halved."""
        super().initialise(gain)
        for layer in self.stem:
            if isinstance(layer, nn.Conv2d):
                nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")

    def project(self, images: Tensor) -> Tensor:
        return rows(self.projection(self.stem(images.contiguous(memory_format=torch.channels_last))))


class ShiftedPatchEmbed(PatchEmbed):
    """Shifted patch tokenisation (Lee et al., 2021): the image and its four diagonal shifts by half a patch.

    The five images are stacked as channels, zeros where a shift leaves nothing; each patch [5*C*P*P] is
    normalised and projected.
    """

    def __init__(self, config: ViTConfig, image_size: int, channels: int) -> None:
        super().__init__(config, image_size, channels)
        inputs = 5 * channels * config.patch_size**2
        self.shift = config.patch_size // 2
        self.norm = NORMS[config.norm](inputs)
        self.projection = Linear(inputs, config.width)

    def project(self, images: Tensor) -> Tensor:
        h = self.shift
        shifted = [F.pad(images, (x, -x, y, -y)) for y in (h, -h) for x in (h, -h)]
        return self.projection(self.norm(cut(torch.cat([images, *shifted], dim=1), self.grid)))


def cut(images: Tensor, grid: int) -> Tensor:
    """images [B, C, S, S] -> patches [B, G*G, C*P*P], row by row."""
    b, c, s, _ = images.shape
    p = s // grid
    patches = images.reshape(b, c, grid, p, grid, p).permute(0, 2, 4, 1, 3, 5)  # [B, G, G, C, P, P]
    return patches.reshape(b, grid**2, c * p * p)


def rows(maps: Tensor) -> Tensor:
    """maps [B, D, G, G] -> tokens [B, G*G, D], row by row; in one piece where maps have channels last."""
    return maps.flatten(2).mT


#: by config.ViT.patch_embed
PATCH_EMBEDS: dict[str, type[PatchEmbed]] = {
    "linear": LinearPatchEmbed,
    "overlap": OverlapPatchEmbed,
    "conv_stem": ConvStem,
    "shifted": ShiftedPatchEmbed,
}
