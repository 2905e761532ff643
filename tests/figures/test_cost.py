"""Accuracy against cost: points stand at exact counts and measured times, a line joins what none beats."""

from __future__ import annotations

import dataclasses

import pytest
from matplotlib.text import Annotation
from support.figures import Case

from vitflow.analysis.records import Run
from vitflow.figures import cost, looks, style
from vitflow.figures.style import Drawing

SIZES = ["5 runs", "30 runs", "90 runs", "300 runs"]


def timed(case: Case, time: float | None, baseline: float | None = None) -> Drawing:
    summary = case.analysis.summary
    runs = {name: run.model_copy(update={"time_ratio": time}) for name, run in summary.runs.items()}
    if baseline is not None:
        runs["baseline"] = runs["baseline"].model_copy(update={"time_ratio": baseline})
    return drawn(case, runs)


def drawn(case: Case, runs: dict[str, Run]) -> Drawing:
    summary = case.analysis.summary.model_copy(update={"runs": runs})
    with style.styled():
        return cost.draw(dataclasses.replace(case.analysis, summary=summary))


def test_points_stand_at_counts_and_measured_times(diverged: Case) -> None:
    panels = diverged.drawing("accuracy-cost").figure.axes
    for axes, count in zip(panels, ("multiplications", "time_ratio"), strict=True):
        points = {(x, y) for line in axes.get_lines() for x, y in zip(*line.get_data(), strict=True)}
        assert axes.get_xscale() == "log"
        for name, run in diverged.analysis.summary.runs.items():
            at = 1.0 if name == "baseline" and count == "time_ratio" else getattr(run, count)
            assert ((at, run.test.mean) in points) == (run.n > 0), name


def test_the_baselines_time_is_1_whatever_the_clock_says(diverged: Case) -> None:
    drawing = timed(diverged, 1.5, 1.04)
    assert "time 1.00 times the baseline's" in drawing.alt and "1.04" not in drawing.alt


def test_where_not_all_are_timed_the_caption_does_not_call_them_alike(diverged: Case) -> None:
    drawing = timed(diverged, None, 1.0)
    assert len(drawing.figure.axes) == 1
    assert "Training time is not shown: it was not measured for all." in drawing.caption


def test_a_run_without_a_measured_time_is_said_to_be_absent_from_the_panel_of_times(diverged: Case) -> None:
    summary = diverged.analysis.summary
    assert "not measured" not in diverged.drawing("accuracy-cost").caption
    name = next(name for name, run in summary.runs.items() if run.kind == "change" and run.n)
    runs = summary.runs | {name: summary.runs[name].model_copy(update={"time_ratio": None})}
    drawing = drawn(diverged, runs)
    assert "Not on the right, since not measured: 1 run." in drawing.caption
    times = {x for line in drawing.figure.axes[1].get_lines() for x in line.get_xdata()}
    assert summary.runs[name].time_ratio not in times


@pytest.mark.parametrize(("time", "said"), [(None, "time is not measured"), (1.0, "all are within 15%")])
def test_times_that_say_nothing_have_no_panel_and_the_caption_says_why(
    time: float | None, said: str, diverged: Case
) -> None:
    drawing = timed(diverged, time)
    assert len(drawing.figure.axes) == 1 and said in drawing.caption


@pytest.mark.parametrize("size", SIZES)
def test_the_line_joins_every_vit_that_none_beats_at_its_cost_or_less(size: str, cases: dict[str, Case]) -> None:
    case = cases[size]
    runs = {
        name: (run.multiplications, run.test.mean or 0.0)
        for name, run in case.analysis.summary.runs.items()
        if run.n and not run.diverged and run.kind in ("baseline", "change", "cross")
    }
    (line,) = [
        line for line in case.drawing("accuracy-cost").figure.axes[0].get_lines() if line.get_drawstyle() != "default"
    ]
    joined = set(zip(*line.get_data(), strict=True))
    for at, accuracy in runs.values():
        beaten = any(other > accuracy and count < 1.05 * at for count, other in runs.values())
        assert ((at, accuracy) in joined) != beaten
    assert list(line.get_xdata()) == sorted(line.get_xdata()) and list(line.get_ydata()) == sorted(line.get_ydata())


@pytest.mark.parametrize("size", SIZES)
def test_labels_name_the_front_the_baseline_the_best_and_other_families_alone(
    size: str, cases: dict[str, Case]
) -> None:
    case = cases[size]
    summary = case.analysis.summary
    axes = case.drawing("accuracy-cost").figure.axes[0]
    (line,) = [line for line in axes.get_lines() if line.get_drawstyle() != "default"]
    may = {summary.runs[name].test.mean for name in looks.highlighted(summary)} | set(line.get_ydata())
    if found := case.analysis.winners:
        may.add(found.runs[found.selection.best].test.mean)
    named = [text.xy[1] for text in axes.texts if isinstance(text, Annotation)]
    assert summary.runs["baseline"].test.mean in named and set(named) <= may


def test_the_best_combination_is_a_star_at_its_count_and_not_where_its_time_would_be(cases: dict[str, Case]) -> None:
    case = cases["30 runs"]
    found = case.analysis.winners
    assert found is not None
    best = found.runs[found.selection.best]
    stars = [
        [(line.get_xdata()[0], line.get_ydata()[0]) for line in axes.get_lines() if line.get_marker() == "*"]
        for axes in case.drawing("accuracy-cost").figure.axes
    ]
    assert stars == [[(best.multiplications, best.test.mean)], []]
    with style.styled():
        without = cost.draw(dataclasses.replace(case.analysis, winners=None))
    assert "Star" in case.drawing("accuracy-cost").caption and "Star" not in without.caption
