"""The grid: where things stand on a slide, in CSS pixels (96 to the inch), for HTML, PDF and PPTX alike."""

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


#: text sizes in pixels, the first that fits: titles in two lines, tables in the room they have
TITLE_SIZES, STATEMENT_SIZES, OPENING_SIZES = (34, 31, 28, 25), (50, 44, 38), (58, 50, 42, 36)
TABLE_SIZES = (27, 26, 24, 22, 20, 18)
#: tables of numbers are set down to this where it keeps each row on one line
LEAST_WHOLE = 22
#: paragraphs and bullets: alone on a slide, under a table or a full figure, beside a figure the first that fits
ALONE_PX, BODY_PX, BESIDE_SIZES = 30, 26, (24, 22, 20)
KICKER_PX, CAPTION_PX, NOTE_PX, FOOTER_PX = 16, 17, 19, 14
#: a number that is the content of its slide, and what it counts
NUMBER_PX, COUNTED_PX = 72, 20
#: distance between blocks, between bullets, and between either on a slide of nothing but text; indent of bullets
GAP, ITEM_GAP, ALONE_GAP, INDENT = 24, 14, 26, 28
#: around the words of a panel that says what is missing
PANEL_PAD = 22

PAGE = Box(0, 0, 1280, 720)
KICKER = Box(59, 24, 1162, 20)
TITLE = Box(59, 47, 1162, 84)
BODY = Box(59, 144, 1162, 530)
FOOTER = Box(59, 690, 1162, 18)
#: between a large title and what follows it, on an opening slide and below a statement
BELOW_OPENING, BELOW_STATEMENT = 34, 64
#: a slide of nothing but text keeps its lines short
TEXT = Box(59, 168, 1040, 506)
#: beside a figure of 7.6 x 5.1 inches
TEXT_BESIDE = Box(59, 148, 396, 526)
FIGURE_BESIDE = Box(491, 136, 730, 490)
#: a figure of 12.1 x 4.7 inches; its caption and a line of text follow below it
FIGURE_FULL = Box(59, 136, 1162, 451)
#: a sentence that is the content of its slide
STATEMENT_BAR = Box(59, 92, 72, 7)
STATEMENT_TITLE = Box(59, 118, 1120, 186)
#: on the opening slide; squares like an image's patches at its right
OPENING_TITLE = Box(72, 132, 690, 240)
PATCH, PATCH_ROWS, PATCH_COLUMNS = 90, 8, 5
