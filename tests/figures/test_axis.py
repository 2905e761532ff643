"""The figure of an axis: seeds, means and deviations above, what a value costs below."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from matplotlib.patches import Rectangle
from support.figures import Case

from vitflow.analysis.records import Axis
from vitflow.figures import axis, cost, style


def of(case: Case, name: str) -> Axis:
    return next(found for found in case.analysis.summary.axes if found.axis == name)


def test_axis_dots_are_the_seeds_bars_their_mean_boxes_their_deviation(diverged: Case) -> None:
    runs, places = diverged.analysis.summary.runs, of(diverged, "patch_size").values
    upper, lower = diverged.drawing("axis-architecture-patch_size").figure.axes
    tests = [runs[place.run].test for place in places]
    dots = [np.sort(np.asarray(c.get_offsets())[:, 1]) for c in upper.collections]
    assert [len(d) for d in dots] == [3, 5, 2]  # one seed of the baseline and one of patch size 8 diverged
    for found, test in zip(dots, tests, strict=True):
        np.testing.assert_allclose(found, np.sort(test.values))
    bars = [line.get_ydata() for line in upper.get_lines() if line.get_linewidth() == 3]
    np.testing.assert_allclose([b[0] for b in bars], [np.mean(t.values) for t in tests], atol=1e-4)
    boxes = [p for p in upper.patches if isinstance(p, Rectangle) and p.get_width() == 0.5]
    spans = [(b.get_y(), b.get_height()) for b in boxes]
    expected = [(np.mean(v) - np.std(v, ddof=1), 2 * np.std(v, ddof=1)) for v in (t.values for t in tests)]
    np.testing.assert_allclose(spans, expected, atol=2e-4)
    counts = [runs[place.run].multiplications for place in places]
    assert [p.get_height() for p in lower.patches] == counts
    assert lower.get_ylim()[0] == 0
    labels = [t.get_text() for t in lower.get_xticklabels()]
    assert labels == ["2\nn = 3", "4\nn = 5", "8\nn = 2"]


def test_axis_of_one_seed_has_no_deviation(cases: dict[str, Case]) -> None:
    upper = cases["one seed"].drawing("axis-architecture-patch_size").figure.axes[0]
    assert not [p for p in upper.patches if isinstance(p, Rectangle) and p.get_width() == 0.5]
    assert [len(c.get_offsets()) for c in upper.collections] == [1, 1, 1]


def test_diverged_run_is_marked_and_not_drawn(diverged: Case) -> None:
    runs, places = diverged.analysis.summary.runs, of(diverged, "heads").values
    upper, lower = diverged.drawing("axis-architecture-heads").figure.axes
    assert len(upper.collections) == 3  # of four values
    marks = {round(t.get_position()[0]): t.get_text() for t in upper.texts if "diverged" in t.get_text()}
    assert marks == {2: "× 1 of 6\ndiverged", 3: "× 3 of 3\ndiverged"}
    times = [runs[place.run].time_ratio for place in places]
    assert [p.get_height() for p in lower.patches] == times, "multiplications do not change"


def test_an_axis_whose_times_are_not_measured_shows_multiplications(diverged: Case) -> None:
    summary = diverged.analysis.summary
    index = summary.axes.index(of(diverged, "heads"))
    counts = [summary.runs[place.run].multiplications for place in summary.axes[index].values]
    runs = {name: run.model_copy(update={"time_ratio": None}) for name, run in summary.runs.items()}
    unmeasured = dataclasses.replace(
        diverged.analysis, summary=summary.model_copy(update={"runs": runs, "measured_on": ""})
    )
    with style.styled():
        _, lower = axis.draw(unmeasured, index).figure.axes
        exact, timed = cost.draw(unmeasured).figure.axes
    assert [p.get_height() for p in lower.patches] == counts
    assert len(exact.containers) > 5 and not timed.containers


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (0.5, "0.5"),
        (1, "1"),
        (1.257, "1.26"),
        (24, "24"),
        (890e3, "890 k"),
        (1.3e9, "1.3 G"),
    ],
)
def test_numbers_under_bars_are_short(number: float, said: str) -> None:
    assert axis.short(number) == said
