"""What is too long for a slide goes on over further ones, so that a large study still has a deck."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import replace

from vitflow.slides import boxes
from vitflow.slides.deck import Deck, Slide, Span, Table, Text
from vitflow.slides.fit import has_room_beside
from vitflow.slides.tables import Setting

CONTINUED = Span(", continued")
Rows = tuple[tuple[Text, ...], ...]


def paginate(deck: Deck) -> Deck:
    """The deck with every slide that is one table too tall for it dealt out over as many as it needs.

    Backup slides whose text finds no room beside their figure go on without it.
    """
    slides = itertools.chain.from_iterable(_pages(slide) for slide in deck.slides)
    return replace(deck, slides=tuple(replace(slide, number=k) for k, slide in enumerate(slides, start=1)))


def _pages(slide: Slide) -> Iterator[Slide]:
    match slide.blocks:
        case (Table() as table,) if slide.layout == "text":
            for index, rows in enumerate(_chunks(table)):
                title = slide.title if index == 0 else (*slide.title, CONTINUED)
                yield replace(slide, title=title, blocks=(replace(table, rows=rows),))
        case blocks if slide.part == "backup" and slide.layout == "beside":
            kept = len(blocks)
            while kept > 1 and not has_room_beside(replace(slide, blocks=blocks[:kept])):
                kept -= 1
            yield replace(slide, blocks=blocks[:kept])
            if rest := blocks[kept:]:
                yield replace(slide, title=(*slide.title, CONTINUED), blocks=rest, figure=None)
        case _:
            yield slide


def _chunks(table: Table) -> list[Rows]:
    """The rows in parts that fit a slide: of equal length if that does, else each as full as it can be.

    Columns are as wide as a part wants them, so a row may be taller in its part than in the whole table.
    """
    full: list[Rows] = [()]
    for row in table.rows:
        if full[-1] and not _fits(table, (*full[-1], row)):
            full.append(())
        full[-1] += (row,)
    each = max(math.ceil(len(table.rows) / len(full)), 1)
    even = [table.rows[k : k + each] for k in range(0, len(table.rows), each)]
    return even if even and all(_fits(table, part) for part in even) else full


def _fits(table: Table, rows: Rows) -> bool:
    setting = Setting(replace(table, rows=rows), boxes.BODY.width, boxes.TABLE_SIZES[-1])
    return sum(setting.rows) <= boxes.BODY.height
