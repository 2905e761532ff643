"""How much room text and figures take, before anything is drawn."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from support.talk import table_slide

from vitflow.slides import boxes, fit
from vitflow.slides.deck import Figure, Paragraph, Span, Table
from vitflow.slides.fonts import width
from vitflow.slides.tables import Setting, lines


def test_columns_fill_the_table_and_hold_their_longest_word() -> None:
    table = table_slide(["a few words of text " * 9, "unbreakable-" * 3]).blocks[0]
    assert isinstance(table, Table)
    widths = Setting(table, 700, 20).columns
    assert sum(widths) == pytest.approx(700)
    assert widths[1] > width("unbreakable-", 20) and widths[0] > width("run", 20)


def test_strong_words_of_a_text_are_measured_as_wide_as_they_are() -> None:
    text = (Span("evidence " * 6, "strong"), Span("and what follows from it"))
    whole = "".join(span.text for span in text)
    room = (width(whole, 20) + sum(width(span.text, 20, span.style) for span in text)) / 2
    assert (lines(whole, 20, room), lines(text, 20, room), lines(whole, 20, room, "strong")) == (1, 2, 2)


def test_text_beside_a_figure_is_as_large_as_it_finds_room() -> None:
    figure = Figure(Path("a"), Path("b"), "alt", "caption", 729.6, 489.6)
    sizes = []
    for words in range(10, 160, 5):
        blocks = (Paragraph((Span("words " * words),)),)
        slide = dataclasses.replace(table_slide([]), figure=figure, blocks=blocks)
        sizes.append(fit.body_size(slide))
        taken = fit.block_height(blocks[0], slide, fit.text_box(slide).width)
        assert taken <= boxes.TEXT_BESIDE.height or not fit.has_room_beside(slide)
    assert sizes == sorted(sizes, reverse=True) and set(sizes) == set(boxes.BESIDE_SIZES)


def test_figures_are_not_stretched_and_make_room_for_text() -> None:
    figure = Figure(Path("a"), Path("b"), "alt", "caption " * 40, 1161.6, 451.2)
    slide = dataclasses.replace(table_slide(["x"]), figure=figure)
    box = fit.figure_box(slide)
    assert box.width / box.height == pytest.approx(figure.width / figure.height, rel=0.01)
    assert box.height < 451 and fit.figure_box(dataclasses.replace(slide, blocks=())).height > box.height
