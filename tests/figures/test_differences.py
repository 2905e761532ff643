"""Forest plots: which rows a picture has, dots that average to the stated difference, intervals as they are."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from matplotlib.colors import to_hex
from support.figures import Case, texts_of

from vitflow.analysis.claims import of_study
from vitflow.analysis.records import Run
from vitflow.figures.differences import draw
from vitflow.figures.draw import names
from vitflow.figures.pages import FIRST, PAGE
from vitflow.figures.style import GREY, styled

SIZES = [5, 30, 90, 300]


def labels(case: Case, stem: str) -> list[str]:
    return [text.get_text() for text in texts_of(case.drawing(stem).figure)]


def changes(case: Case) -> list[Run]:
    return [run for run in case.analysis.summary.runs.values() if run.kind == "change" and run.difference]


def test_dots_average_to_the_stated_difference(diverged: Case) -> None:
    drawing = diverged.drawing("forest-architecture")
    dots = [line.get_xdata() for line in drawing.figure.axes[0].get_lines() if line.get_markersize() == 4.5]
    found = [run.difference.test for run in changes(diverged) if run.difference]
    assert len(dots) == len(found) == 8  # of nine changes one diverged
    for points in found:
        assert np.isclose([np.mean(row) for row in dots], points, atol=1e-3).any()
    shown = labels(diverged, "forest-architecture")
    assert "diverged" in shown and "0, 3 ×" in shown and "2, 1 ×" in shown
    gain = diverged.analysis.summary.runs["patch_size=2"].difference
    assert gain is not None and f"{gain.test:+.1f}" in shown


@pytest.mark.parametrize(
    ("stem", "kind"), [("forest-architecture", "test_interval"), ("differences", "test_interval_overall")]
)
def test_lines_are_simultaneous_over_what_the_picture_was_chosen_from(
    stem: str, kind: str, cases: dict[str, Case]
) -> None:
    case = cases["30 runs"]
    axes = case.drawing(stem).figure.axes[0]
    low, high = axes.get_xlim()
    lines = {tuple(np.round(line.get_xdata(), 3)) for line in axes.get_lines() if line.get_linewidth() == 1.8}
    intervals = {getattr(run.difference, kind) for run in changes(case)}
    inside = {(a, b) for a, b in lines if low < a and b < high}
    assert len(inside) >= 5 and inside <= intervals


@pytest.mark.parametrize("runs", SIZES)
def test_the_studys_picture_has_its_strongest_changes_sure_ones_first(runs: int, cases: dict[str, Case]) -> None:
    case = cases[f"{runs} runs"]
    axes = case.drawing("differences").figure.axes[0]
    means = [line for line in axes.get_lines() if line.get_markersize() in (8.5, 9)]
    families = [run for run in case.analysis.summary.runs.values() if run.kind == "family"]
    significant = sorted(
        (run for run in changes(case) if of_study(run).significant), key=lambda run: -abs(of_study(run).points)
    )
    room = FIRST - min(len(families), 3)
    expected = sorted((of_study(run).points for run in significant[:room]), reverse=True)
    rows = sorted(means, key=lambda line: line.get_ydata()[0])
    found = [float(line.get_xdata()[0]) for line in rows]
    for points, at in zip(expected, found, strict=False):  # arrows stand at the edge
        assert at == points or not axes.get_xlim()[0] < points < axes.get_xlim()[1]
    assert len(rows) == min(len(changes(case)), room) + min(len(families), 3) <= FIRST
    assert to_hex(rows[0].get_color()) != GREY.lower()
    left = [run for run in case.analysis.summary.runs.values() if run.kind == "change"][room:]
    assert any(text.startswith(f"Not shown: {len(left)} more") for text in labels(case, "differences")) == bool(left)


@pytest.mark.parametrize("runs", SIZES)
def test_every_change_of_a_group_has_a_row_in_its_pictures_and_none_is_too_full(
    runs: int, cases: dict[str, Case]
) -> None:
    case = cases[f"{runs} runs"]
    summary = case.analysis.summary
    for group in summary.groups:
        stems = [stem for stem in names(case.study) if stem.startswith(f"forest-{group.group}")]
        places = [p for axis in summary.axes if axis.group == group.group for p in axis.values if p.run != "baseline"]
        full = stems[1:] or stems
        assert (len(stems) > 1) == (len(places) > FIRST)
        found: list[str] = []
        for stem in full:
            rows = labels(case, stem)
            here = [place.value.replace("_", " ") for place in places if place.value.replace("_", " ") in rows]
            assert len(case.drawing(stem).figure.axes) == 1 and case.drawing(stem).alt.count(", n = ") <= PAGE + 1
            found += here
        assert {place.value.replace("_", " ") for place in places} <= set(found)


def test_what_is_not_sure_is_grey_and_told_so(cases: dict[str, Case]) -> None:
    case = cases["90 runs"]
    axes = case.drawing("forest-training+1").figure.axes[0]
    means = {
        round(float(line.get_xdata()[0]), 4): to_hex(line.get_color())
        for line in axes.get_lines()
        if line.get_markersize() == 8.5
    }
    runs = case.analysis.summary.runs
    for name, grey in (("random_erasing=0.25", True), ("mixing=cutmix", False)):
        difference = runs[name].difference
        assert difference is not None and (means[round(difference.test, 4)] == GREY.lower()) == grey
    assert "Grey: not significant. " in labels(case, "forest-training+1")


@pytest.mark.parametrize("case", ["long names", "digits"])
def test_under_three_seeds_there_is_no_interval_to_draw(case: str, cases: dict[str, Case]) -> None:
    drawing = cases[case].drawing("differences")
    assert not [line for a in drawing.figure.axes for line in a.get_lines() if line.get_linewidth() == 1.8]
    assert "no intervals: under three seeds" in drawing.caption


def test_without_spread_over_seeds_there_is_no_interval_and_the_caption_says_why(cases: dict[str, Case]) -> None:
    case = cases["5 runs"]
    runs = dict(case.analysis.summary.runs)
    for name, run in runs.items():
        if run.difference:
            flat = run.difference.model_copy(update={"n": 3, "test_interval": None, "test_interval_overall": None})
            runs[name] = run.model_copy(update={"difference": flat})

    def caption(**others: Run) -> str:
        summary = case.analysis.summary.model_copy(update={"runs": runs | others})
        with styled():
            return draw(replace(case.analysis, summary=summary)).caption

    assert ", no intervals: no spread over seeds; n" in caption()
    name, run = next((name, run) for name, run in runs.items() if run.difference)
    assert run.difference is not None
    few = run.model_copy(update={"difference": run.difference.model_copy(update={"n": 2})})
    assert ", no intervals: under three seeds or no spread over seeds; n" in caption(**{name: few})


def test_far_runs_are_arrows_inside_the_scale_with_their_number(cases: dict[str, Case]) -> None:
    case = cases["90 runs"]
    axes = case.drawing("differences").figure.axes[0]
    arrows = [line for line in axes.get_lines() if line.get_marker() == ">"]
    low, high = axes.get_xlim()
    assert len(arrows) == 3 and all(low < line.get_xdata()[0] < high for line in arrows)  # three ResNets
    assert {
        f"{run.difference.test:+.1f}"
        for run in case.analysis.summary.runs.values()
        if run.kind == "family" and run.difference
    } <= set(labels(case, "differences"))


@pytest.mark.parametrize(
    ("case", "stem", "said"),
    [
        ("baseline alone", "differences", "Nothing to compare: no run changes the baseline here."),
        ("baseline diverged", "differences", "Nothing to compare: every seed of the baseline diverged."),
        ("baseline diverged", "forest-architecture", "Nothing to compare: every seed of the baseline diverged."),
    ],
)
def test_nothing_to_compare_is_said(case: str, stem: str, said: str, cases: dict[str, Case]) -> None:
    drawing = cases[case].drawing(stem)
    assert drawing.caption == said and " ".join(labels(cases[case], stem)).replace("\n", " ") == said
