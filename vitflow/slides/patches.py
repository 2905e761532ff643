"""The squares of the opening slide: an image cut into patches, in shades of the accent that the results decide."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from vitflow.slides import boxes, palette
from vitflow.slides.boxes import Box
from vitflow.slides.deck import Deck

#: the gap between two patches, in pixels
GUTTER = 6


def patches(deck: Deck) -> Iterator[tuple[Box, str]]:
    """Squares and their colours, as six hexadecimal digits; the footer names the results, and so picks the shades."""
    shades = hashlib.sha256(deck.footer.encode()).digest() * 2
    left = boxes.PAGE.width - boxes.PATCH * boxes.PATCH_COLUMNS
    for row in range(boxes.PATCH_ROWS):
        for column in range(boxes.PATCH_COLUMNS):
            # fainter to the left, so that the picture grows out of the ground
            part = (column + 1) / boxes.PATCH_COLUMNS * shades[row * boxes.PATCH_COLUMNS + column] / 255
            x, y = left + column * boxes.PATCH, row * boxes.PATCH
            yield Box(x + GUTTER, y + GUTTER // 2, boxes.PATCH - GUTTER, boxes.PATCH - GUTTER), _mixed(part)


def _mixed(part: float) -> str:
    """A colour on the way from the ground, at 0, to the accent, at 1."""
    ends = [[int(code[k : k + 2], 16) for k in (0, 2, 4)] for code in (palette.NIGHT, palette.ACCENT)]
    return "".join(f"{round(a + part * (b - a)):02X}" for a, b in zip(*ends, strict=True))
