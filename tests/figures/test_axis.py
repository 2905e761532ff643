"""The figure of an axis: seeds, means and intervals above, what a value costs below, if it differs."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from matplotlib.collections import LineCollection, PathCollection
from support.figures import Case

from vitflow.analysis.records import Axis, Run
from vitflow.figures import axis, style
from vitflow.figures.style import Drawing


def of(case: Case, name: str) -> Axis:
    return next(found for found in case.analysis.summary.axes if found.axis == name)


def with_runs(case: Case, name: str, change: dict[str, dict[str, object]]) -> Drawing:
    """The axis of that name with fields of some runs changed; ``""`` changes all of them."""
    summary = case.analysis.summary
    runs: dict[str, Run] = {
        run: found.model_copy(update=change.get("", {}) | change.get(run, {})) for run, found in summary.runs.items()
    }
    changed = dataclasses.replace(case.analysis, summary=summary.model_copy(update={"runs": runs}))
    with style.styled():
        return axis.draw(changed, summary.axes.index(of(case, name)))


def test_dots_are_the_seeds_bars_their_mean_and_lines_the_interval_of_the_difference(diverged: Case) -> None:
    runs, places = diverged.analysis.summary.runs, of(diverged, "patch_size").values
    upper, lower = diverged.drawing("axis-architecture-patch_size").figure.axes
    tests = [runs[place.run].test for place in places]
    dots = [c for c in upper.collections if isinstance(c, PathCollection)]
    assert [len(c.get_offsets()) for c in dots] == [
        3,
        5,
        2,
    ]  # one seed of the baseline and one of patch size 8 diverged
    for found, test in zip(dots, tests, strict=True):
        np.testing.assert_allclose(np.sort(np.asarray(found.get_offsets())[:, 1]), np.sort(test.values))
    bars = [line.get_ydata() for line in upper.get_lines() if line.get_linewidth() == 3]
    np.testing.assert_allclose([bar[0] for bar in bars], [np.mean(test.values) for test in tests], atol=1e-4)
    lines = [c.get_segments()[0][:, 1] for c in upper.collections if isinstance(c, LineCollection)]
    difference = runs["patch_size=2"].difference
    assert difference is not None and difference.test_interval is not None
    assert len(lines) == 1, "patch size 8 has two seeds, so no interval"
    np.testing.assert_allclose(lines[0] - np.mean(tests[1].values), difference.test_interval, atol=1e-3)
    counts = [runs[place.run].multiplications for place in places]
    assert [patch.get_height() for patch in lower.patches] == counts
    assert lower.get_ylim()[0] == 0
    labels = [label.get_text().split("\n")[-1] for label in lower.get_xticklabels()]
    assert labels == ["n = 3", "n = 5", "n = 2"]


def test_one_seed_has_no_interval(cases: dict[str, Case]) -> None:
    upper = cases["one seed"].drawing("axis-architecture-patch_size").figure.axes[0]
    assert not [c for c in upper.collections if isinstance(c, LineCollection)]
    assert [len(c.get_offsets()) for c in upper.collections] == [1, 1, 1]


def test_diverged_run_is_marked_and_not_drawn(diverged: Case) -> None:
    upper = diverged.drawing("axis-architecture-heads").figure.axes[0]
    assert len([c for c in upper.collections if isinstance(c, PathCollection)]) == 3  # of four values
    marks = {round(t.get_position()[0]): t.get_text() for t in upper.texts if "diverged" in t.get_text()}
    assert marks == {2: "× 1 of 6\ndiverged", 3: "× 3 of 3\ndiverged"}


def test_times_are_shown_where_multiplications_hardly_differ_the_baselines_being_exactly_1(diverged: Case) -> None:
    names = [place.run for place in of(diverged, "heads").values]
    change: dict[str, dict[str, object]] = {"baseline": {"time_ratio": 0.97}, "heads=1": {"time_ratio": 2.0}}
    lower = with_runs(diverged, "heads", change).figure.axes[1]
    heights = dict(zip(names, [patch.get_height() for patch in lower.patches], strict=True))
    assert (heights["baseline"], heights["heads=1"]) == (1.0, 2.0)
    drawing, device = with_runs(diverged, "heads", change), diverged.analysis.summary.measured_on
    assert device and all(f" Time: measured on {device}." in text for text in (drawing.caption, drawing.alt))


@pytest.mark.parametrize(
    ("times", "said"),
    [
        ({"": {"time_ratio": None}}, "; training time was not measured."),
        ({"": {"time_ratio": 1.05}}, ", training time within 15% on {device}."),
        (
            {"heads=1": {"time_ratio": 1.37}, "heads=3": {"time_ratio": None}},
            "; training time was not measured for all.",
        ),
    ],
)
def test_where_costs_are_alike_or_unknown_there_is_no_panel_of_them_and_the_caption_says_so(
    times: dict[str, dict[str, object]], said: str, diverged: Case
) -> None:
    drawing = with_runs(diverged, "heads", times)
    assert len(drawing.figure.axes) == 1
    words = f"Costs alike: multiplications within 5%{said.format(device=diverged.analysis.summary.measured_on)}"
    assert all(words in text for text in (drawing.caption, drawing.alt))


@pytest.mark.parametrize("kind", ["budget", "subset"])
def test_what_trains_longer_or_on_fewer_images_costs_not_alike_though_a_step_does(kind: str, diverged: Case) -> None:
    for time in (1.05, 1.5):
        drawing = with_runs(diverged, "heads", {"": {"time_ratio": time}, "heads=1": {"kind": kind}})
        assert not any(words in drawing.caption + drawing.alt for words in ("Costs alike", "training time"))


def test_an_axis_of_which_nothing_has_finished_says_so(diverged: Case) -> None:
    nothing = diverged.analysis.summary.runs["heads=96"].test
    drawing = with_runs(diverged, "heads", {"": {"n": 0, "test": nothing}})
    assert not drawing.figure.axes and drawing.caption == "Heads: no value has a finished seed."


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
