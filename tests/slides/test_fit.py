"""How much room text and figures take, before anything is drawn."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from support.talk import table_slide

from vitflow.slides import fit
from vitflow.slides.deck import Figure, Table
from vitflow.slides.fonts import width
from vitflow.slides.tables import Setting


def test_columns_fill_the_table_and_hold_their_longest_word() -> None:
    table = table_slide(["a few words of text " * 9, "unbreakable-" * 3]).blocks[0]
    assert isinstance(table, Table)
    widths = Setting(table, 700, 20).columns
    assert sum(widths) == pytest.approx(700)
    assert widths[1] > width("unbreakable-", 20) and widths[0] > width("run", 20)


def test_figures_are_not_stretched_and_make_room_for_text() -> None:
    figure = Figure(Path("a"), Path("b"), "alt", "caption " * 40, 1161.6, 451.2)
    slide = dataclasses.replace(table_slide(["x"]), figure=figure)
    box = fit.figure_box(slide)
    assert box.width / box.height == pytest.approx(figure.width / figure.height, rel=0.01)
    assert box.height < 451 and fit.figure_box(dataclasses.replace(slide, blocks=())).height > box.height
