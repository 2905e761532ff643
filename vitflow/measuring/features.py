"""What is kept of a trained model's inside for all analyses of features: one pass over validation images.

Letters: N images, E of them shown in figures, T positions, D width, H W image sides, C channels.
"""

from __future__ import annotations

import torch
from torch import Tensor

from vitflow.data.splits import Data, Split, stratified
from vitflow.measuring.attention_maps import attention_maps
from vitflow.measuring.intermediates import at_positions, intermediates
from vitflow.models.position import LearnedPosition
from vitflow.models.resnet import ResNet
from vitflow.models.vit import ViT
from vitflow.training.augmentation.augment import normalise

EXAMPLES = 8  #: images shown in figures
AT_ONCE = 250  #: images


@torch.no_grad()
def extract(model: ViT | ResNet, split: Split, data: Data, images: int) -> dict[str, Tensor]:
    """Features of at most ``images`` images of a split, the same number of every class, by name:

    - ``labels`` [N]; ``examples`` uint8 [E, H, W, C], the first images of the first classes; ``example_index`` [E],
      their places among the N
    - of every layer (:func:`vitflow.measuring.intermediates.intermediates`), without [CLS] and registers:
      ``<layer>/means`` [N, D], of an image's positions; ``<layer>/centre`` [D] and ``<layer>/covariance`` [D, D]
      (float32), of all positions of all images, which is all that principal components need;
      ``<layer>/examples`` [E, T, D]
    - ``pooled`` [N, D], what the head reads
    - of a ViT, ``attention/image`` and ``attention/patch`` (:func:`vitflow.measuring.attention_maps.attention_maps`)
    - ``position`` [T, D], where places have learned vectors

    Floats are half precision where that holds them (up to 65,504), else single.
    """
    model.eval()
    index = stratified(split.labels, images)
    labels = split.labels[index].cpu()
    firsts = torch.tensor([int((labels == c).nonzero()[0]) for c in labels.unique()[:EXAMPLES]])
    shown = split.images[index][firsts.to(index.device)]
    taken = {"labels": labels, "examples": shown.cpu(), "example_index": firsts}
    examples = normalise(shown, data.mean, data.std)
    taken |= {f"{layer}/examples": found for layer, found in _layers(model, examples).items() if layer != "pooled"}
    means: dict[str, list[Tensor]] = {}
    moments: dict[str, Tensor] = {}
    for batch in split.images[index].split(AT_ONCE):
        for layer, found in _layers(model, normalise(batch, data.mean, data.std)).items():
            means.setdefault(layer, []).append(found if layer == "pooled" else found.mean(1))
            if layer != "pooled":
                moments[layer] = moments.get(layer, 0) + _moments(found)
    taken |= {name if name == "pooled" else f"{name}/means": torch.cat(parts) for name, parts in means.items()}
    if isinstance(model, ViT):
        taken |= {f"attention/{query}": maps for query, maps in attention_maps(model, examples).items()}
        if isinstance(model.position, LearnedPosition):
            taken["position"] = model.position.embedding[0, model.position.placed :]
    kept = {name: _narrow(found) for name, found in taken.items()}
    for layer, (count, *sums) in moments.items():
        products = torch.stack(sums) / count  # [1 + D, D]
        centre = products[0]
        kept[f"{layer}/centre"] = centre.float().cpu()
        kept[f"{layer}/covariance"] = (products[1:] - torch.outer(centre, centre)).float().cpu()
    return kept


def _layers(model: ViT | ResNet, inputs: Tensor) -> dict[str, Tensor]:
    """By layer what it gives at every position [B, T, D]; ``pooled`` [B, D]."""
    found = intermediates(model, inputs)[1]
    return {name: out if name == "pooled" else at_positions(model, out) for name, out in found.items()}


def _moments(features: Tensor) -> Tensor:
    """Of [B, T, D], in double precision [2 + D, D]: their number (in every column), their sum, their products' sum."""
    rows = features.double().flatten(0, 1)
    return torch.cat([torch.full_like(rows[:1], len(rows)), rows.sum(0, keepdim=True), rows.T @ rows])


def _narrow(found: Tensor) -> Tensor:
    """In half precision where that holds it, else in single; integers as they are."""
    if not found.is_floating_point():
        return found
    half = found.half()
    return (half if half.isfinite().all() else found.float()).contiguous().cpu()
