"""The forest plot: every run in one row, dots that average to the stated difference, intervals as they are."""

from __future__ import annotations

import numpy as np
import pytest
from support.figures import Case, texts_of


def test_dots_of_differences_average_to_the_stated_difference(diverged: Case) -> None:
    drawing = diverged.drawing("differences")
    runs = diverged.analysis.summary.runs
    points = [line for a in drawing.figure.axes for line in a.get_lines() if line.get_marker() == "o"]
    for name, run in runs.items():
        if run.difference:
            means = [np.mean(line.get_xdata()) for line in points if len(line.get_xdata()) == run.n]
            assert np.isclose(means, run.difference.test, atol=1e-4).any(), name
    shown = {t.get_text() for t in texts_of(drawing.figure)}
    assert "diverged" in shown and "0 (5, 1 ×)" in shown
    gain = runs["patch_size=2"].difference
    assert gain is not None and f"{gain.test:+.1f} (3)" in shown


def test_lines_are_the_intervals_of_runs_with_three_seeds(diverged: Case) -> None:
    drawing = diverged.drawing("differences")
    lines = {
        tuple(np.round(line.get_xdata(), 3))
        for axes in drawing.figure.axes
        for line in axes.get_lines()
        if line.get_linewidth() == 1.8
    }
    runs = diverged.analysis.summary.runs.values()
    intervals = {run.difference.test_interval for run in runs if run.difference and run.difference.test_interval}
    low, high = drawing.figure.axes[0].get_xlim()
    inside = {(a, b) for a, b in intervals if low < a and b < high}
    assert len(inside) >= 5 and inside <= lines and len(lines) <= len(intervals)
    assert "lines simultaneous 95 % intervals," in drawing.caption


@pytest.mark.parametrize("case", ["long names", "baseline alone"])
def test_under_three_seeds_there_is_no_interval_to_draw(case: str, cases: dict[str, Case]) -> None:
    drawing = cases[case].drawing("differences")
    assert not [line for a in drawing.figure.axes for line in a.get_lines() if line.get_linewidth() == 1.8]
    assert "intervals" not in drawing.caption


def test_every_run_has_one_row_of_differences(cases: dict[str, Case]) -> None:
    panels = cases["forty runs"].drawing("differences").figure.axes
    rows = [t.get_text() for axes in panels for t in axes.get_yticklabels()]
    labels = [run.label for run in cases["forty runs"].analysis.summary.runs.values()]
    assert len(rows) == len(labels) == 43
    cut = [row for row in rows if row not in labels]
    assert cut == ["augmentation none,…", "augmentation crop,…"]  # no room for their second line
    assert len({axes.get_xlim() for axes in panels}) == 1


def test_far_runs_are_arrows_inside_the_scale(cases: dict[str, Case]) -> None:
    panels = cases["forty runs"].drawing("differences").figure.axes
    arrows = [(axes, line) for axes in panels for line in axes.get_lines() if line.get_marker() in ("<", ">")]
    # twice no augmentation, three ResNets
    assert [line.get_marker() for _, line in arrows] == ["<", "<", ">", ">", ">"]
    for axes, line in arrows:
        low, high = axes.get_xlim()
        assert low < line.get_xdata()[0] < high
