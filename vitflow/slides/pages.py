"""Long tables go on over several slides, so that a large study still has a deck."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import replace

from vitflow.slides import boxes
from vitflow.slides.deck import Deck, Slide, Span, Table
from vitflow.slides.fit import row_heights


def paginate(deck: Deck) -> Deck:
    """The deck with every slide that is one table too tall for it dealt out over as many as it needs."""
    slides = itertools.chain.from_iterable(_pages(slide) for slide in deck.slides)
    return replace(deck, slides=tuple(replace(slide, number=k) for k, slide in enumerate(slides, start=1)))


def _pages(slide: Slide) -> Iterator[Slide]:
    match slide.blocks:
        case (Table() as table,) if slide.layout == "text":
            for index, rows in enumerate(_chunks(table)):
                title = slide.title if index == 0 else (*slide.title, Span(", continued"))
                yield replace(slide, title=title, blocks=(replace(table, rows=rows),))
        case _:
            yield slide


def _chunks(table: Table) -> list[tuple[tuple[tuple[Span, ...], ...], ...]]:
    """The rows in parts that fit a slide: of equal length if that does, else each as full as it can be."""
    heights = row_heights(table, boxes.BODY.width, boxes.TABLE_PX)
    head = heights.pop(0) if table.has_header else 0
    room = boxes.BODY.height - head
    starts, used = [0], 0
    for index, height in enumerate(heights):
        if used and used + height > room:
            starts.append(index)
            used = 0
        used += height
    each = math.ceil(len(heights) / len(starts))
    even = range(0, len(heights), max(each, 1))
    if all(sum(heights[k : k + each]) <= room for k in even):
        starts = list(even) or [0]
    return [table.rows[a:b] for a, b in itertools.pairwise([*starts, len(table.rows)])]
