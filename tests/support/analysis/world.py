"""A made-up world: what a value is worth in accuracy, and what it does to the fit to training images, in points."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

Effects = dict[str, Callable[[Any], float]]

#: of a ViT without any change
ACCURACY, GAP = 82.0, 12.0
#: in points of test accuracy; in this world small patches help
WORTH: Effects = {
    "patch_size": lambda v: -4.0 * (math.log2(v) - 2),
    "width": lambda v: 3.0 * math.log2(v / 192),
    "depth": lambda v: 2.0 * math.log2(v / 6),
    "heads": lambda v: -0.5 * abs(math.log2(v / 8)),
    "augmentation": lambda v: {"none": -9.0, "crop": -3.0, "crop_flip": 0.0, "trivial": 1.4}[v],
    "learning_rate": lambda v: -0.8 * abs(math.log2(v / 0.001)),
    "mixing": lambda v: {"none": 0.0, "mixup": 0.8, "cutmix": 1.6}[v],
    "patch_embed": lambda v: {"linear": 0.0, "overlap": 1.1, "conv_stem": 3.4, "shifted": 0.6}[v],
    "position": lambda v: {"none": -3.2, "rope1d": 0.7, "rope2d": 1.9}.get(v, 0.0),
    "optimizer": lambda v: {"adamw": 0.0, "sgd": -6.5, "muon": 2.2}[v],
    "weight_decay": lambda v: -0.4 if v == 0 else 0.1,
    "norm_placement": lambda v: {"pre": 0.0, "post": -5.2}[v],
    "pool": lambda v: {"cls": 0.0, "mean": 1.2}[v],
    "epochs": lambda v: 0.9 * math.log2(v / 100),
    "train_images": lambda v: -9.0 * math.log2(45000 / v),
}
#: in points of the distance between clean training images and validation images
FIT: Effects = {
    "augmentation": lambda v: {"none": 17.0, "crop": 3.0, "crop_flip": 0.0, "trivial": -6.0}[v],
    "mixing": lambda v: {"none": 0.0, "mixup": -4.0, "cutmix": -6.5}[v],
    "patch_size": lambda v: -3.0 * (math.log2(v) - 2),
    "width": lambda v: 2.5 * math.log2(v / 192),
    "depth": lambda v: 1.5 * math.log2(v / 6),
    "optimizer": lambda v: {"adamw": 0.0, "sgd": -5.0, "muon": 3.0}[v],
    "train_images": lambda v: 9.0 * math.log2(45000 / v),
}


def effect(effects: Effects, changed: Mapping[str, Any]) -> float:
    """What several changes do together; none of those that are not listed does anything."""
    return sum(effects[field](value) for field, value in changed.items() if field in effects)
