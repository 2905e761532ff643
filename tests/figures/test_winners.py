"""The finalists: fresh seeds beside the baseline's, and what each part of the best combination is worth."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from matplotlib.axes import Axes
from support.figures import Case, texts_of
from support.records import contrast, winners

from vitflow.analysis.records import Winners
from vitflow.figures import style
from vitflow.figures.style import Drawing
from vitflow.figures.winners import draw

NONE = "No finalists on fresh seeds: this study chooses none, or they are not trained yet."


def drawn(case: Case, found: Winners | None) -> Drawing:
    with style.styled():
        return draw(dataclasses.replace(case.analysis, winners=found))


def means(axes: Axes) -> list[float]:
    return [float(line.get_xdata()[0]) for line in axes.get_lines() if line.get_markersize() == 8.5]


def test_finalists_stand_above_the_baseline_and_parts_at_what_is_lost_without_them(diverged: Case) -> None:
    drawing = drawn(diverged, winners())
    left, right = drawing.figure.axes
    assert means(left) == [0.0, 3.0, 4.0]  # the baseline, patch size 2, both
    assert means(right) == [3.0, 1.0]
    lines = [tuple(line.get_xdata()) for line in right.get_lines() if line.get_linewidth() == 1.8]
    assert lines == [(2.0, 4.0), (-0.1, 2.0)], "intervals turn round with their sign"
    dots = [line.get_xdata() for line in left.get_lines() if line.get_markersize() == 4.5]
    assert [float(np.mean(row)) for row in dots] == [0.0, 3.0, 4.0]


@pytest.mark.parametrize("runs", [30, 90, 300])
def test_every_finalist_and_every_part_of_a_study_has_a_row(runs: int, cases: dict[str, Case]) -> None:
    case = cases[f"{runs} runs"]
    found = case.analysis.winners
    assert found is not None
    chosen = found.selection
    left, right = case.drawing("winners").figure.axes
    roles = {"baseline", chosen.best, chosen.best_architecture, *chosen.singles, chosen.all_images} - {None}
    assert len(means(left)) == len(roles) and len(means(right)) == len(found.against_best) >= 2
    assert means(right) == [-c.points for c in sorted(found.against_best.values(), key=lambda c: c.points)]


def test_a_best_that_is_not_taken_apart_leaves_the_whole_width_to_the_finalists(diverged: Case) -> None:
    found = winners()
    alone = found.model_copy(update={"against_best": {}})
    drawing = drawn(diverged, alone)
    assert len(drawing.figure.axes) == 1
    assert any("is not taken apart" in text.get_text() for text in texts_of(drawing.figure))


def test_one_change_alone_is_not_said_to_be_left_whole(diverged: Case) -> None:
    found = winners()
    chosen = found.selection.model_copy(update={"architecture": found.selection.architecture[:1], "techniques": ()})
    drawing = drawn(diverged, found.model_copy(update={"against_best": {}, "selection": chosen}))
    assert not any("taken apart" in text.get_text() for text in texts_of(drawing.figure))


def test_a_gain_that_is_not_sure_is_grey(diverged: Case) -> None:
    found = winners(against_baseline={"patch_size=2": contrast(0.4, (-0.1, 0.9)), "best": contrast(4.0, (3.0, 5.0))})
    left = drawn(diverged, found).figure.axes[0]
    colours = [line.get_color() for line in left.get_lines() if line.get_markersize() == 8.5]
    assert [colour == style.GREY for colour in colours] == [False, True, False]


@pytest.mark.parametrize("case", ["baseline alone", "5 runs"])
def test_a_study_without_finalists_says_so(case: str, cases: dict[str, Case]) -> None:
    assert cases[case].drawing("winners").caption == NONE


def test_a_long_label_gives_way_to_the_number_of_changes_and_not_of_fields(diverged: Case) -> None:
    found = winners()
    long = found.runs["best"].model_copy(update={"label": "learning rate 0.002, optimizer muon, patch size 2"})
    drawing = drawn(diverged, found.model_copy(update={"runs": found.runs | {"best": long}}))
    assert "best: 2 changes" in {text.get_text().replace("\n", " ") for text in texts_of(drawing.figure)}
