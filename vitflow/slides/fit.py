"""How much room text and figures take, known before anything is drawn: sizes, column widths, heights."""

from __future__ import annotations

import functools
import re

from vitflow.slides import boxes
from vitflow.slides.boxes import Box
from vitflow.slides.deck import Block, Bullets, Paragraph, Slide, Table, Text, plain
from vitflow.slides.fonts import FACES, open_font

#: line heights as a multiple of the size, as in deck.css
LEADING, CAPTION_LEADING, TABLE_LEADING = 1.36, 1.3, 1.28
#: pixels around the text of a cell: at its right, and above and below together with the rule
CELL_RIGHT, CELL_DOWN = 18, 13
#: pixels more than its longest word for a column, since rounding would break a word that just fits
SLACK = 2
#: a figure gives way to the text below it down to this part of its own size
SMALLEST_FIGURE = 0.7


def title_size(slide: Slide) -> int:
    """Pixels of a slide's title: smaller where two lines would not hold it."""
    if slide.opening:
        return boxes.OPENING_PX
    two_lines = lines(plain(slide.title), boxes.TITLE_PX, boxes.TITLE.width, "strong") <= 2
    return boxes.TITLE_PX if two_lines else boxes.LONG_TITLE_PX


def body_size(slide: Slide) -> int:
    """Pixels of paragraphs and bullets: larger where nothing else is on the slide."""
    return boxes.ALONE_PX if _alone(slide) else boxes.BODY_PX


def item_gap(slide: Slide) -> int:
    """Pixels between bullets."""
    return boxes.ALONE_GAP if _alone(slide) else boxes.ITEM_GAP


def table_size(slide: Slide) -> int:
    """Pixels of the text in tables: the larger size where it leaves a tenth of the slide free."""
    height = sum(_height(b, slide, boxes.BODY.width, boxes.LARGE_TABLE_PX) + boxes.GAP for b in slide.blocks)
    return boxes.LARGE_TABLE_PX if height < 0.9 * boxes.BODY.height else boxes.TABLE_PX


def figure_box(slide: Slide) -> Box:
    """Where a slide's figure stands: its own size, smaller if caption and text need the room, never stretched."""
    assert slide.figure is not None
    box = boxes.FIGURE_BESIDE if slide.layout == "beside" else boxes.FIGURE_FULL
    below = caption_height(slide) + 10
    if slide.layout == "full":
        below += sum(block_height(block, slide, box.width) + 4 for block in slide.blocks)
    room = max(min(box.height, boxes.BODY.bottom - box.y - below), SMALLEST_FIGURE * box.height)
    scale = min(1.0, box.width / slide.figure.width, room / slide.figure.height)
    width, height = round(slide.figure.width * scale), round(slide.figure.height * scale)
    return Box(box.x + (box.width - width) // 2, box.y, width, height)


def caption_height(slide: Slide) -> int:
    assert slide.figure is not None
    room = boxes.FIGURE_BESIDE.width if slide.layout == "beside" else boxes.FIGURE_FULL.width
    return round(lines(slide.figure.caption, boxes.CAPTION_PX, room) * boxes.CAPTION_PX * CAPTION_LEADING)


def block_height(block: Block, slide: Slide, room: float) -> int:
    """Pixels that a block of a slide takes in ``room`` pixels."""
    return _height(block, slide, room, table_size(slide))


def row_heights(table: Table, room: float, size: int) -> list[int]:
    """Pixels of each row, the header's first."""
    widths = [width - CELL_RIGHT for width in column_widths(table, room, size)]
    return [
        round(max(lines(plain(t), size, w, "strong") for t, w in zip(row, widths, strict=True)) * size * TABLE_LEADING)
        + CELL_DOWN
        for row in table.all_rows
    ]


def column_widths(table: Table, room: float, size: int) -> list[float]:
    """Pixels of each column, together ``room``: its longest word at least, what is left by length of text."""
    least, wanted = [], []
    for column in zip(*table.all_rows, strict=True):
        words = [word for text in column for word in _words(plain(text))]
        least.append(max((width(word.strip(" "), size, "strong") for word in words), default=0.0) + CELL_RIGHT + SLACK)
        wanted.append(max(_length(text, size) for text in column) + CELL_RIGHT)
    # no column asks for more than two thirds, or one long text would starve the others
    wanted = [max(low, min(high, room * 2 / 3)) for low, high in zip(least, wanted, strict=True)]
    if sum(wanted) <= room:  # every cell on one line: all columns grow alike
        return [w * room / sum(wanted) for w in wanted]
    if sum(least) >= room:  # words will be broken
        return [w * room / sum(least) for w in least]
    part = (room - sum(least)) / (sum(wanted) - sum(least))
    return [low + part * (high - low) for low, high in zip(least, wanted, strict=True)]


def _height(block: Block, slide: Slide, room: float, table: int) -> int:
    size = body_size(slide)
    match block:
        case Paragraph(text):
            return round(lines(plain(text), size, room) * size * LEADING)
        case Bullets(items):
            tall = sum(lines(plain(item), size, room - boxes.INDENT) * size * LEADING for item in items)
            return round(tall + item_gap(slide) * (len(items) - 1))
        case Table():
            return sum(row_heights(block, room, table))


def _alone(slide: Slide) -> bool:
    return slide.layout == "text" and not any(isinstance(block, Table) for block in slide.blocks)


# ------------------------------------------------------------------------------------------- lengths


def lines(text: str, size: float, room: float, style: str = "plain") -> int:
    """How many lines ``text`` takes at ``size`` pixels in ``room`` pixels, broken after spaces and hyphens."""
    count, used = 1, 0.0
    for word in _words(text):
        if used and used + width(word.rstrip(" "), size, style) > room:
            count, used = count + 1, 0.0
        used += width(word, size, style)
    return count


def width(text: str, size: float, style: str = "plain") -> float:
    """Width in pixels of one line of ``text`` set at ``size`` pixels."""
    characters, advances, em = _metrics(FACES[style][0])
    return sum(advances[characters.get(ord(c), ".notdef")][0] for c in text) * size / em


def _words(text: str) -> list[str]:
    """A text in pieces that a line may break after: words with their space, or up to a hyphen."""
    return re.findall(r"[^ -]*(?:-+| +)|[^ -]+", text)


def _length(text: Text, size: float) -> float:
    return sum(width(span.text, size, span.style if span.style in FACES else "plain") for span in text)


@functools.cache
def _metrics(file: str) -> tuple[dict[int, str], dict[str, tuple[int, int]], int]:
    font = open_font(file)
    return font.getBestCmap(), dict(font["hmtx"].metrics), font["head"].unitsPerEm
