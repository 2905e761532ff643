"""Where things stand on a slide, in CSS pixels (96 to the inch), for HTML, PDF and PPTX alike."""

from __future__ import annotations

from typing import NamedTuple


class Box(NamedTuple):
    """A rectangle: left, top, width, height in pixels."""

    x: int
    y: int
    width: int
    height: int

    @property
    def bottom(self) -> int:
        return self.y + self.height


#: text sizes in pixels; ALONE_PX where a slide holds nothing but text
BODY_PX, ALONE_PX, TITLE_PX, LONG_TITLE_PX, OPENING_PX = 27, 32, 34, 28, 54
CAPTION_PX, TABLE_PX, LARGE_TABLE_PX, FOOTER_PX = 20, 20, 24, 16
#: distance between blocks, between bullets, and between either on a slide of nothing but text; indent of bullets
GAP, ITEM_GAP, ALONE_GAP, INDENT = 24, 16, 30, 30

PAGE = Box(0, 0, 1280, 720)
TITLE = Box(59, 34, 1162, 86)
BODY = Box(59, 136, 1162, 544)
FOOTER = Box(59, 690, 1162, 22)
#: beside a figure of 7.6 x 5.1 inches
TEXT_BESIDE = Box(59, 136, 404, 544)
FIGURE_BESIDE = Box(491, 130, 730, 490)
#: a figure of 12.1 x 4.7 inches; its caption and a line of text follow below it
FIGURE_FULL = Box(59, 130, 1162, 451)
#: on the opening slide
OPENING_TITLE = Box(98, 170, 1084, 150)
OPENING_TEXT = Box(98, 346, 1084, 300)
