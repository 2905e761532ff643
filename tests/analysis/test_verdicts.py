"""What the talk concludes: effects, how many of each, verdicts on predictions."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.records import a_run, an_axis, diverged

from vitflow.analysis.claims import Change, Effect, changes, counted_effects, effect, verdict, verdicts_title
from vitflow.analysis.records import Interval, Run


@pytest.mark.parametrize(
    ("mean", "bounds", "said"),
    [
        (1.3, (0.9, 1.7), "gained"),
        (1.3, (-0.2, 2.8), "unclear"),
        (0.2, (0.1, 0.3), "same"),
        (-1.3, (-1.7, -0.9), "lost"),
        (0.1, (-0.3, 0.4), "same"),
        (0.6, None, "gained"),
        (-0.6, None, "lost"),
        (0.4, None, "unclear"),
        (-0.2, (-0.3, -0.1), "same"),
        (-0.4, None, "unclear"),
        # touching zero or the margin is not beyond it
        (1.0, (0.0, 1.5), "unclear"),
        (0.3, (0.1, 0.5), "same"),
        (-1.0, (-1.5, 0.0), "unclear"),
        (-0.3, (-0.5, -0.1), "same"),
        (-0.6, (-1.7, 0.5), "unclear"),
    ],
)
def test_an_effect_is_judged_by_its_interval_and_the_margin(mean: float, bounds: Interval | None, said: str) -> None:
    assert effect(a_run(mean, bounds), 0.5) == said


def test_a_run_with_a_diverged_seed_is_unstable_whatever_the_others_reach() -> None:
    assert effect(diverged(7, points=9.0, interval=(8.0, 10.0)), 0.5) == "unstable"


def test_an_effect_among_all_changes_rests_on_the_interval_over_all_of_them() -> None:
    run = a_run(1.0, (0.5, 1.5))
    assert run.difference is not None
    wider = run.difference.model_copy(update={"test_interval_overall": (-0.2, 2.2)})
    assert effect(run.model_copy(update={"difference": wider}), 0.5) == "unclear"


def test_changes_leave_out_the_baseline_and_what_diverged() -> None:
    runs = {"baseline": a_run(None), "a": a_run(-3.0), "b": a_run(2.0), "gone": a_run(None)}
    axis = an_axis("L", *runs)
    assert changes(axis, runs) == [Change("b", runs["b"], 2.0), Change("a", runs["a"], -3.0)]
    assert changes(an_axis("L"), runs) == []


@pytest.mark.parametrize(
    ("effects", "said"),
    [
        (["gained", "lost", "unclear", "lost"], "What worked: 1 of 4 changes gained; what did not: 2 lost"),
        (["gained"], "What worked: 1 of 1 change gained; what did not: 0 lost"),
        ([], "What stays open: nothing was changed"),
    ],
)
def test_the_verdicts_are_counted(effects: list[Effect], said: str) -> None:
    assert verdicts_title(effects, "nothing was changed") == said


def test_an_interval_that_reaches_inside_the_margin_is_not_beyond_it() -> None:
    runs = [a_run(0.3, (0.02, 0.58)), a_run(2.0, (1.0, 3.0)), a_run(-1.0, (-1.6, -0.4)), a_run(0.0, (-1.0, 1.0))]
    expected = (
        "Of 4 changes, 2 gained (1 by more than 0.5 points) and 1 lost (0 by more than 0.5 points), beyond noise."
    )
    assert counted_effects(runs, 0.5) == expected
    doubted = a_run(1.0, (0.463, 1.537))
    assert counted_effects([doubted], 0.5).startswith("Of 1 change, 1 gained (0 by more than 0.5 points)")
    described = "Of 1 change, 1 gained (1 by more than 0.5 points) and 0 lost, by their means alone (descriptive)."
    assert counted_effects([a_run(2.0)], 0.5) == described


BOUNDS = st.tuples(st.integers(-3000, 3000), st.integers(1, 2000)).map(
    lambda b: ((b[0] - b[1]) / 1000, (b[0] + b[1]) / 1000)
)
RUNS = st.builds(
    lambda bounds, lost: (
        diverged(3, points=sum(bounds) / 2, interval=bounds) if lost else a_run(sum(bounds) / 2, bounds)
    ),
    BOUNDS,
    st.integers(0, 9).map(lambda k: k == 0),
)


@given(st.lists(RUNS, min_size=1, max_size=8), st.sampled_from([0.25, 0.5, 1.0]))
def test_what_is_said_of_several_runs_holds_of_every_interval(runs: list[Run], margin: float) -> None:
    told = counted_effects(runs, margin)
    counts: dict[str, list[int]] = {"gained": [0, 0], "lost": [0, 0]}
    for run in runs:
        assert run.difference is not None and run.difference.test_interval_overall is not None
        low, high = run.difference.test_interval_overall
        for sign, name in ((1, "gained"), (-1, "lost")):
            near, far = sorted((sign * low, sign * high))
            significant = near > 0 and far > margin and not run.diverged
            counts[name][0] += significant
            counts[name][1] += significant and near > margin
    for name, (all_of_them, relevant) in counts.items():
        claimed = re.search(rf"(\d+) {name}(?: \((\d+) by more)?", told)
        assert claimed is not None
        assert int(claimed[1]) == all_of_them and int(claimed[2] or 0) == relevant


def runs_of(*points: tuple[float, Interval | None]) -> dict[str, Run]:
    return {str(k): a_run(mean, interval) for k, (mean, interval) in enumerate(points)}


SURE_GAIN, UNCLEAR, SURE_LOSS = (2.0, (1.0, 3.0)), (1.0, (-1.0, 3.0)), (-2.0, (-3.0, -1.0))


@pytest.mark.parametrize(
    ("points", "said"),
    [
        ([SURE_GAIN, UNCLEAR, SURE_LOSS], "gain at 0, loss at 2"),
        ([SURE_LOSS, SURE_GAIN], "gain at 1, loss at 0"),
        ([UNCLEAR, SURE_LOSS], "loss at 1"),
        ([UNCLEAR], "no clear change"),
        ([(0.1, (-0.2, 0.4))], "no relevant change"),
        ([SURE_LOSS, (-1.0, (-1.5, -0.6))], "loss at every value"),
        # what is significant goes before what is larger
        ([(2.0, (-1.0, 5.0)), (1.9, (1.0, 2.8))], "gain at 1"),
        ([(2.0, None)], "gain at 0 (descriptive)"),
    ],
)
def test_a_verdict_follows_from_the_effects_of_an_axis(points: list[Any], said: str) -> None:
    runs = runs_of(*points)
    assert verdict(an_axis("A", *runs), runs, 0.5) == said


DIVERGED = diverged(5, points=1.0)


@pytest.mark.parametrize(
    ("steady", "lost", "said"),
    [
        (a_run(0.1, (-0.2, 0.4)), diverged(1, 2, 3), "no relevant change; 0.04 diverged"),
        (a_run(0.1, (-0.2, 0.4)), DIVERGED, "no relevant change; 0.04 diverged"),
        (a_run(-4.0, (-4.2, -3.8)), diverged(1, 2, 3), "loss at 0.002; 0.04 diverged"),
        (a_run(3.0, (2.8, 3.2)), DIVERGED, "gain at 0.002; 0.04 diverged"),
        (a_run(1.0, (-1.0, 3.0)), DIVERGED, "no clear change; 0.04 diverged"),
        (a_run(3.0), DIVERGED, "gain at 0.002 (descriptive); 0.04 diverged"),
        (a_run(None), DIVERGED, "0.04 diverged"),
        (DIVERGED, DIVERGED, "diverged"),
    ],
)
def test_a_verdict_judges_the_steady_values_and_names_what_diverged(steady: Run, lost: Run, said: str) -> None:
    runs = {"0.002": steady, "0.04": lost, "baseline": a_run(None)}
    assert verdict(an_axis("A", "0.002", "0.01", "0.04", runs=("0.002", "baseline", "0.04")), runs, 0.5) == said


def test_a_verdict_is_descriptive_only_where_a_value_that_it_names_has_no_interval() -> None:
    runs = {"a": a_run(3.0, (2.8, 3.2)), "b": a_run(1.0), "c": a_run(-2.0, (-2.2, -1.8))}
    assert verdict(an_axis("A", *runs), runs, 0.5) == "gain at a, loss at c"
    assert verdict(an_axis("A", "b", "c"), runs | {"b": a_run(0.1)}, 0.5) == "loss at c"
    assert verdict(an_axis("A", "b", "c"), runs | {"b": a_run(-1.0)}, 0.5) == "loss at every value (descriptive)"


def test_a_verdict_says_every_value_only_where_every_value_was_compared() -> None:
    runs = {"a": a_run(-2.0, (-2.2, -1.8)), "b": a_run(None)}
    assert verdict(an_axis("A", "a", "b"), runs, 0.5) == "loss at a"
    assert verdict(an_axis("A", "a"), runs, 0.5) == "loss at a"


def test_an_axis_without_a_finished_value_has_no_verdict() -> None:
    assert verdict(an_axis("A", "x"), {"x": a_run(None)}, 0.5) == "not finished"
    assert verdict(an_axis("A", "x"), {"x": diverged(1, 2, 3)}, 0.5) == "diverged"
    assert verdict(an_axis("A", "x"), {"x": diverged(1, points=9.0, interval=(8.0, 10.0))}, 0.5) == "diverged"
