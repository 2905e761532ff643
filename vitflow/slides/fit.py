"""How much room text and figures take, known before anything is drawn: sizes and heights."""

from __future__ import annotations

import math

from vitflow.slides import boxes
from vitflow.slides.boxes import Box
from vitflow.slides.deck import Block, Bullets, Numbers, Paragraph, Slide, Table, Text, plain
from vitflow.slides.tables import Setting, lines

#: line heights as a multiple of the size, as in deck.css
LEADING, TITLE_LEADING, CAPTION_LEADING, NUMBER_LEADING = 1.36, 1.2, 1.32, 1.1
#: a figure gives way to the text below it down to this part of its own size
SMALLEST_FIGURE = 0.7
#: pixels between a figure, its caption, and text below
CAPTION_GAP, BELOW_FIGURE = 8, 6


def title_box(slide: Slide) -> Box:
    """Where a slide's title stands: as narrow as its lines allow, so that they are of about equal length."""
    box = {"opening": boxes.OPENING_TITLE, "statement": boxes.STATEMENT_TITLE}.get(slide.layout, boxes.TITLE)
    size = title_size(slide)
    count = _title_lines(slide.heading, size, box.width)
    room = box.width
    while room > box.width // 2 and _title_lines(slide.heading, size, room - 10) == count:
        room -= 10
    return box._replace(width=room if count > 1 else box.width)


def title_size(slide: Slide) -> int:
    """Pixels of a slide's title: the largest at which it fits its box in two lines (three or four large ones)."""
    box, sizes, most = {
        "opening": (boxes.OPENING_TITLE, boxes.OPENING_SIZES, 4),
        "statement": (boxes.STATEMENT_TITLE, boxes.STATEMENT_SIZES, 3),
    }.get(slide.layout, (boxes.TITLE, boxes.TITLE_SIZES, 2))
    fitting = (
        size
        for size in sizes
        if (count := _title_lines(slide.heading, size, box.width)) <= most
        and count * size * TITLE_LEADING <= box.height
    )
    return next(fitting, sizes[-1])


def text_box(slide: Slide) -> Box:
    """Where a slide's paragraphs, bullets and tables stand."""
    if slide.layout == "text":
        return boxes.TEXT if _alone(slide) else boxes.BODY
    if slide.layout == "full":
        top = figure_box(slide).bottom + CAPTION_GAP + caption_height(slide) + BELOW_FIGURE
        return Box(boxes.BODY.x, top, boxes.BODY.width, boxes.BODY.bottom - top)
    if slide.layout == "beside":
        return boxes.TEXT_BESIDE
    title, size = title_box(slide), title_size(slide)
    gap, width = (
        (boxes.BELOW_OPENING, boxes.OPENING_TITLE.width)
        if slide.layout == "opening"
        else (boxes.BELOW_STATEMENT, boxes.TEXT.width)
    )
    top = title.y + round(_title_lines(slide.heading, size, title.width) * size * TITLE_LEADING) + gap
    return Box(title.x, top, width, boxes.BODY.bottom - top)


def body_size(slide: Slide) -> int:
    """Pixels of paragraphs and bullets: larger where nothing else is on the slide, beside a figure as room allows."""
    if slide.layout == "beside":
        fitting = (size for size in boxes.BESIDE_SIZES if _beside(slide, size) <= boxes.TEXT_BESIDE.height)
        return next(fitting, boxes.BESIDE_SIZES[-1])
    return boxes.ALONE_PX if _alone(slide) else boxes.BODY_PX


def has_room_beside(slide: Slide) -> bool:
    """Whether a slide's text fits beside its figure at the smallest size."""
    return _beside(slide, boxes.BESIDE_SIZES[-1]) <= boxes.TEXT_BESIDE.height


def item_gap(slide: Slide) -> int:
    """Pixels between bullets."""
    return boxes.ALONE_GAP if _alone(slide) else boxes.ITEM_GAP


def is_note(block: Block, slide: Slide) -> bool:
    """Whether a paragraph explains the table that it stands with."""
    with_table = any(isinstance(other, Table) for other in slide.blocks)
    return with_table and isinstance(block, Paragraph) and not block.is_panel


def table_size(slide: Slide) -> int:
    """Pixels of the text in tables: the largest at which the slide holds them and no word is broken.

    A table of numbers is a step or two smaller where that keeps its rows on one line.
    """
    room = boxes.BODY.width
    tables = [block for block in slide.blocks if isinstance(block, Table)]
    fitting = []
    for size in boxes.TABLE_SIZES:
        heights = [_height(block, slide, room, size, body_size(slide)) for block in slide.blocks]
        height = sum(heights) + boxes.GAP * (len(heights) - 1)
        if height <= boxes.BODY.height and all(Setting(table, room, size).keeps_words for table in tables):
            fitting.append(size)
    numeric = [table for table in tables if any(table.right)]
    whole = (s for s in fitting if s >= boxes.LEAST_WHOLE and all(Setting(t, room, s).has_short_rows for t in numeric))
    return next(whole, next(iter(fitting), boxes.TABLE_SIZES[-1]))


def figure_box(slide: Slide) -> Box:
    """Where a slide's figure stands: its own size, smaller if caption and text need the room, never stretched."""
    assert slide.figure is not None
    box = boxes.FIGURE_BESIDE if slide.layout == "beside" else boxes.FIGURE_FULL
    below = CAPTION_GAP + caption_height(slide)
    if slide.layout == "full" and slide.blocks:
        below += BELOW_FIGURE + sum(block_height(block, slide, box.width) for block in slide.blocks)
    room = max(min(box.height, boxes.BODY.bottom - box.y - below), SMALLEST_FIGURE * box.height)
    scale = min(1.0, box.width / slide.figure.width, room / slide.figure.height)
    width, height = round(slide.figure.width * scale), round(slide.figure.height * scale)
    return Box(box.x + (box.width - width) // 2, box.y, width, height)


def caption_height(slide: Slide) -> int:
    """Pixels that a figure's caption takes."""
    assert slide.figure is not None
    room = boxes.FIGURE_BESIDE.width if slide.layout == "beside" else boxes.FIGURE_FULL.width
    return round(lines(slide.figure.caption, boxes.CAPTION_PX, room) * boxes.CAPTION_PX * CAPTION_LEADING)


def block_height(block: Block, slide: Slide, room: float) -> int:
    """Pixels that a block of a slide takes in ``room`` pixels."""
    return _height(block, slide, room, table_size(slide), body_size(slide))


def _beside(slide: Slide, body: int) -> int:
    """Pixels that all text beside a figure takes at a size."""
    room, table = boxes.TEXT_BESIDE.width, boxes.TABLE_SIZES[-1]
    return sum(_height(block, slide, room, table, body) + boxes.GAP for block in slide.blocks) - boxes.GAP


def _height(block: Block, slide: Slide, room: float, table: int, body: int) -> int:
    size = boxes.NOTE_PX if is_note(block, slide) else body
    match block:
        case Paragraph(text):
            pad = 2 * boxes.PANEL_PAD if block.is_panel else 0
            return math.ceil(lines(text, size, room - pad) * size * LEADING) + pad
        case Bullets(items):
            tall = sum(lines(item, size, room - boxes.INDENT) * size * LEADING for item in items)
            return math.ceil(tall + item_gap(slide) * (len(items) - 1))
        case Table():
            return sum(Setting(block, room, table).rows)
        case Numbers(values, counted):
            column = room / len(values) - boxes.GAP
            number = max(lines(plain(text), boxes.NUMBER_PX, column, "strong") for text in values)
            words = max(lines(plain(text), boxes.COUNTED_PX, column) for text in counted)
            return math.ceil(number * boxes.NUMBER_PX * NUMBER_LEADING + words * boxes.COUNTED_PX * LEADING)


def _title_lines(text: Text, size: int, room: float) -> int:
    return lines(plain(text), size, room, "strong")


def _alone(slide: Slide) -> bool:
    return slide.layout in ("text", "statement") and not any(isinstance(b, Table | Numbers) for b in slide.blocks)
