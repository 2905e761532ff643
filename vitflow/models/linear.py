"""The product of tokens and weights, where nearly all of a ViT's time goes."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

#: whether it is worth it: on processors with AVX-512. On others, gradients of convolutions take twice as long
ONEDNN = torch.backends.mkldnn.is_available() and torch.backends.cpu.get_cpu_capability() == "AVX512"


class Linear(nn.Linear):
    """x W^T + b for each token: [B, N, in] -> [B, N, out].

    In single precision on a CPU it is computed as what it also is, a convolution by one pixel over an image of N x 1:
    torch leaves convolutions to oneDNN but such matrix products to MKL, which reaches under half of oneDNN's speed on
    AMD's processors (docs/speed.md). Parameters, and the function, are those of ``nn.Linear``.
    """

    def forward(self, tokens: Tensor) -> Tensor:
        if tokens.device.type != "cpu" or tokens.dtype != torch.float32 or not ONEDNN:
            return super().forward(tokens)
        b, n, width = tokens.shape
        pixels = tokens.reshape(b, n, 1, width).permute(0, 3, 1, 2)  # [B, in, N, 1], channels last: nothing is moved
        return F.conv2d(pixels, self.weight[:, :, None, None], self.bias).permute(0, 2, 3, 1).reshape(b, n, -1)
