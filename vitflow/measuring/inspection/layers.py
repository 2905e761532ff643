"""What the layers of a model hold: how many directions its features use, and how long they are.

Letters: B images, C channels, S image side, N tokens, T positions, D width.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from vitflow.measuring.intermediates import at_positions, intermediates
from vitflow.models.resnet import ResNet
from vitflow.models.vit import ViT

AT_ONCE = 100  #: images


@torch.no_grad()
def layers(model: ViT | ResNet, images: Tensor) -> dict[str, dict[str, Any]]:
    """By name of a layer (:mod:`vitflow.measuring.intermediates`), over images [B, C, S, S] and their positions:

    ``width`` D; ``effective_rank``, from 1 to D (:func:`effective_rank`); ``median_norm`` and ``largest_norm``, lengths
    of feature vectors: a largest one far above the median is the artefact that registers cure (Darcet et al., 2024).
    [CLS] and registers are left out.
    """
    norms: dict[str, list[Tensor]] = {}
    sums: dict[str, list[Tensor]] = {}
    for batch in images.split(AT_ONCE):
        for name, found in intermediates(model, batch)[1].items():
            if name != "pooled":
                features = at_positions(model, found).double().flatten(0, 1)  # [B T, D]
                moments = torch.cat([features.sum(0, keepdim=True), features.T @ features])  # [1 + D, D]
                norms.setdefault(name, []).append(features.norm(dim=1).cpu())
                sums.setdefault(name, []).append(moments.cpu())
    out = {}
    for name, parts in norms.items():
        lengths, (total, *products) = torch.cat(parts), torch.stack(sums[name]).sum(0)
        covariance = torch.stack(products) / len(lengths) - torch.outer(total, total) / len(lengths) ** 2
        out[name] = {
            "width": len(total),
            "effective_rank": effective_rank(torch.linalg.eigvalsh(covariance)),
            "median_norm": float(np.median(lengths.numpy())),
            "largest_norm": float(lengths.max()),
        }
    return out


def effective_rank(variances: Tensor) -> float:
    """exp(entropy) of the shares of variance [D] (after Roy & Vetterli, 2007): D if all are alike, 1 if one is all."""
    shares = variances.clamp(min=0)
    shares = shares[shares > 0] / shares.sum()
    return float((-shares * shares.log()).sum().exp()) if len(shares) else 1.0
