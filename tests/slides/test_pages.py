"""Long tables go on over several slides."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from support.talk import cell, table_slide

from vitflow.slides import boxes, fit
from vitflow.slides.deck import Deck, Figure, Paragraph, Span, Table, plain
from vitflow.slides.pages import paginate
from vitflow.slides.tables import Setting


@pytest.mark.parametrize(
    "rows", [[], ["short"] * 5, ["short"] * 41, ["a long row " * 60] * 7, ["x", "long " * 200] * 6]
)
def test_long_tables_go_on_with_every_row_once(rows: list[str]) -> None:
    deck = paginate(Deck("T", "", "2025-01-01", "F", "t", (table_slide(rows),)))
    tables = [block for slide in deck.slides for block in slide.blocks if isinstance(block, Table)]
    assert [plain(row[0]) for table in tables for row in table.rows] == [str(k) for k in range(len(rows))]
    assert all(sum(Setting(t, boxes.BODY.width, boxes.TABLE_SIZES[-1]).rows) <= boxes.BODY.height for t in tables)
    assert [slide.number for slide in deck.slides] == list(range(1, len(tables) + 1))
    assert all(plain(slide.title).endswith(", continued") for slide in deck.slides[1:])


@pytest.mark.parametrize(("words", "pages"), [(20, 1), (60, 2), (400, 2)])
def test_text_that_finds_no_room_beside_a_figure_in_backup_goes_on_without_it(words: int, pages: int) -> None:
    figure = Figure(Path("a"), Path("b"), "alt", "caption", 729.6, 489.6)
    texts = tuple(Paragraph((Span("Why:", "strong"), Span(f" {k} " + "word " * words))) for k in range(3))
    slide = dataclasses.replace(table_slide([]), figure=figure, blocks=texts, part="backup")
    deck = paginate(Deck("T", "", "2025-01-01", "F", "t", (slide,)))
    assert [block for part in deck.slides for block in part.blocks] == list(texts)
    assert [part.figure for part in deck.slides] == [figure, None, None][:pages]
    assert fit.has_room_beside(deck.slides[0]) or len(deck.slides[0].blocks) == 1
    talk = paginate(dataclasses.replace(deck, slides=(dataclasses.replace(slide, part="talk"),)))
    assert len(talk.slides) == 1, "a slide of the talk has a time, so it must be shortened by hand"


@pytest.mark.parametrize(("first", "then"), [((18, 16), (33, 27)), ((60, 38), (21, 8)), ((23, 5), (58, 49))])
def test_a_part_of_a_table_has_columns_of_its_own_and_fits_all_the_same(
    first: tuple[int, int], then: tuple[int, int]
) -> None:
    # what takes one line where other rows make its column wide may take two in a part without them
    titles = ("run", "seeds", "gradient spikes", "loss spikes", "largest gradient norm", "largest attention logit")
    lengths = [first if k < 17 else then for k in range(35)]
    labels = [f"{k} " + "w " * (a // 2) for k, (a, _) in enumerate(lengths)]
    rows = [(x, "3", "0.7", "0.3", "1.6", "word " * (b // 5)) for x, (_, b) in zip(labels, lengths, strict=True)]
    table = Table(tuple(map(cell, titles)), tuple(tuple(map(cell, row)) for row in rows), (False,) * 6)
    deck = paginate(Deck("T", "", "2025-01-01", "F", "t", (dataclasses.replace(table_slide([]), blocks=(table,)),)))
    tables = [block for slide in deck.slides for block in slide.blocks if isinstance(block, Table)]
    assert [plain(row[0]) for table in tables for row in table.rows] == labels
    assert all(sum(Setting(t, boxes.BODY.width, boxes.TABLE_SIZES[-1]).rows) <= boxes.BODY.height for t in tables)
