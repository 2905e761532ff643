"""Named outputs inside a model, from one pass and without hooks.

Shapes: B batch, C channels, S image side, N tokens (prefix first), T positions, D width, K classes.
"""

from __future__ import annotations

from torch import Tensor

from vitflow.models.resnet import ResNet
from vitflow.models.vit import ViT


def intermediates(model: ViT | ResNet, images: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
    """(logits [B, K], outputs by name) for images [B, C, S, S].

    ViT: ``patch_embed`` (what enters the first block), ``block1`` ... ``blockL``: tokens [B, N, D], prefix and
    positions included, before the final norm. ResNet: ``stem``, ``stage1`` ... ``stage4``: maps [B, channels, s, s],
    after their last ReLU. Both: ``pooled`` [B, D], what the head reads.
    """
    outputs = _of_vit(model, images) if isinstance(model, ViT) else _of_resnet(model, images)
    return model.head(outputs["pooled"]), outputs


def at_positions(model: ViT | ResNet, output: Tensor) -> Tensor:
    """A layer's output at positions of the image alone: tokens [B, N, D] or maps [B, D, s, s] -> [B, T, D]."""
    return output[:, model.prefix_tokens :] if isinstance(model, ViT) else output.flatten(2).transpose(1, 2)


def _of_vit(model: ViT, images: Tensor) -> dict[str, Tensor]:
    tokens = model.embed(images)
    outputs = {"patch_embed": tokens}
    for number, block in enumerate(model.blocks, start=1):
        tokens = block(tokens, model.position)
        outputs[f"block{number}"] = tokens
    return outputs | {"pooled": model.norm(model.pool(tokens))}


def _of_resnet(model: ResNet, images: Tensor) -> dict[str, Tensor]:
    maps = model.embed(images)
    outputs = {"stem": maps}
    for number, stage in enumerate(model.stages, start=1):
        maps = stage(maps)
        outputs[f"stage{number}"] = maps
    return outputs | {"pooled": maps.mean(dim=(2, 3))}
