"""Tables set as by hand: numbers on their point, words whole, columns no wider than the eye can follow."""

from __future__ import annotations

import dataclasses

import pytest
from support.talk import cell, table_slide

from vitflow.slides import boxes, fit, tables
from vitflow.slides.deck import Slide, Span, Table
from vitflow.slides.fonts import width
from vitflow.slides.tables import Setting

SIZE = 20
DIGIT = 0.6 * SIZE  #: every digit of IBM Plex Sans is 0.6 of its size wide


def column(*texts: str, right: bool = True) -> Table:
    return Table((cell("run"), cell("what")), tuple((cell("r"), cell(text)) for text in texts), (False, right))


def paddings(table: Table) -> list[float]:
    return [row[1] for row in Setting(table, 700, SIZE).paddings[1:]]


def test_digits_are_as_wide_as_each_other() -> None:
    assert [width(digit, SIZE) for digit in "0123456789"] == pytest.approx([DIGIT] * 10)


def test_numbers_stand_on_their_decimal_points() -> None:
    point = width(".", SIZE)
    assert paddings(column("8.04", "32.3", "139")) == pytest.approx([0, DIGIT, 2 * DIGIT + point])
    # what follows, an uncertainty or a sign, moves with its number
    assert paddings(column("0.95×", "1×")) == pytest.approx([0, 2 * DIGIT + point])
    assert paddings(column("−3.1", "+12.25")) == pytest.approx([DIGIT, 0])
    # the dash of a missing number stands where whole numbers end
    assert paddings(column("3.5", "–")) == pytest.approx([0, DIGIT + point])


def test_words_and_numbers_of_unlike_units_stay_flush() -> None:
    assert paddings(column("460 k", "2.80 M", "139 M")) == [0, 0, 0]
    assert paddings(column("8.04", "139", right=False)) == [0, 0]
    assert paddings(column("none", "diverged")) == [0, 0]


def test_padded_cells_still_fit_their_column() -> None:
    setting = Setting(column("1,234", "0.125"), 300, SIZE)
    assert setting.columns[1] >= width("1,234", SIZE, "strong") + width(".125", SIZE)
    assert setting.keeps_words


def test_short_tables_are_not_spread_over_the_slide() -> None:
    setting = Setting(column("1", "2"), 1162, SIZE)
    natural = sum(width(w, s, "strong") for w, s in (("run", SIZE * tables.HEAD), ("what", SIZE * tables.HEAD)))
    assert sum(setting.columns) <= tables.GROWTH * (natural + tables.RIGHT * SIZE + 2 * tables.SLACK) + 1


def test_names_of_rows_leave_the_room_to_what_they_name() -> None:
    rows = ((cell("predicted for another study"), cell("a sentence of many words " * 9)),)
    widths = Setting(Table((cell(""), cell("")), rows, (False, False)), 1000, SIZE).columns
    assert widths[0] <= tables.NAMES * 1000 + 1 and sum(widths) == pytest.approx(1000)


def slide_of(table: Table, **changes: object) -> Slide:
    return dataclasses.replace(table_slide([]), blocks=(table,), **changes)  # type: ignore[arg-type]


def test_few_rows_are_set_large_many_small() -> None:
    few, many = (slide_of(column(*["1.0"] * n)) for n in (3, 14))
    assert fit.table_size(few) == boxes.TABLE_SIZES[0] > fit.table_size(many) >= boxes.TABLE_SIZES[-1]


def test_a_table_of_numbers_is_set_smaller_where_that_keeps_rows_on_one_line() -> None:
    words = tuple(cell(text) for text in ("ResNet-18 of half the width", *["43.0 ± 0.8"] * 6))
    table = Table(words, (words,), (False, *[True] * 6))
    numeric, prose = table, dataclasses.replace(table, right=(False,) * 7)
    assert fit.table_size(slide_of(numeric)) < fit.table_size(slide_of(prose))
    assert Setting(numeric, boxes.BODY.width, fit.table_size(slide_of(numeric))).has_short_rows


def test_no_word_is_broken_while_a_smaller_size_would_hold_it() -> None:
    words = tuple(cell("unbreakably" + "broken") for _ in range(5))
    size = fit.table_size(slide_of(Table(words, (words,), (False,) * 5)))
    assert size < boxes.TABLE_SIZES[0]
    assert Setting(Table(words, (words,), (False,) * 5), boxes.BODY.width, size).keeps_words


def test_the_chosen_row_has_a_strong_name_and_a_strong_number() -> None:
    strong, plain = (Span("a", "strong"),), (Span("a"),)
    table = column("1")
    assert table.is_chosen((strong, strong)) and table.is_chosen((strong, plain, strong))
    assert not table.is_chosen((strong, plain)) and not table.is_chosen((plain, strong))
    assert not dataclasses.replace(table, header=(cell(""), cell(""))).is_chosen((strong, strong))
