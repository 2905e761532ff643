"""Which tokens a ViT has: what the schema, the models and the costs must agree on. No torch here.

What a training comes to follows from this file too, so it counts for the digest of its code (vitflow/results/code.py).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vitflow.study.models import ViT

#: positions that are vectors added to the tokens
ADDED = ("sincos1d", "sincos2d", "learned")


def has_cls(vit: ViT) -> bool:
    """Whether a [CLS] token stands before the patches."""
    return vit.pool == "cls"


def prefix_tokens(vit: ViT) -> int:
    """Tokens before the patches: [CLS], then registers."""
    return int(has_cls(vit)) + vit.registers


def may_place_cls(vit: ViT) -> bool:
    """Whether there is a [CLS] and a kind of position that can be added to it."""
    return has_cls(vit) and vit.position in ADDED


def places_cls(vit: ViT) -> bool:
    """Whether a position is added to a [CLS] token."""
    return may_place_cls(vit) and vit.cls_position


def tokens(vit: ViT, image_size: int) -> int:
    """Tokens of an image of that side, with their prefix."""
    return prefix_tokens(vit) + (image_size // vit.patch_size) ** 2
