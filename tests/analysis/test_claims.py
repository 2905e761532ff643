"""What the talk concludes: effects, verdicts on predictions, and the titles that it adds."""

from __future__ import annotations

from typing import Any

import pytest
from support.records import NOTHING, a_run, a_winner, an_axis, around

from vitflow.analysis.claims import (
    Change,
    Effect,
    changes,
    components_title,
    effect,
    verdict,
    verdicts_title,
    winner_title,
)
from vitflow.analysis.records import Interval, Run


@pytest.mark.parametrize(
    ("mean", "bounds", "said"),
    [
        (1.3, (0.9, 1.7), "gained"),
        (1.3, (-0.2, 2.8), "unclear"),
        (0.2, (0.1, 0.3), "unclear"),
        (-1.3, (-1.7, -0.9), "lost"),
        (0.1, (-0.3, 0.4), "unclear"),
        (0.6, None, "gained"),
        (-0.6, None, "lost"),
        (0.4, None, "unclear"),
        (-0.2, (-0.3, -0.1), "unclear"),
        (-0.4, None, "unclear"),
        # touching zero or the margin is not beyond it
        (1.0, (0.0, 1.5), "unclear"),
        (0.3, (0.1, 0.5), "unclear"),
        (-1.0, (-1.5, 0.0), "unclear"),
        (-0.3, (-0.5, -0.1), "unclear"),
        (-0.6, (-1.7, 0.5), "unclear"),
    ],
)
def test_an_effect_is_judged_by_its_interval_and_the_margin(mean: float, bounds: Interval | None, said: str) -> None:
    assert effect(a_run(mean, bounds), 0.5) == said


def test_changes_leave_out_the_baseline_and_what_diverged() -> None:
    runs = {"baseline": a_run(None), "a": a_run(-3.0), "b": a_run(2.0), "gone": a_run(None)}
    axis = an_axis("L", *runs)
    assert changes(axis, runs) == [Change("b", runs["b"], 2.0), Change("a", runs["a"], -3.0)]
    assert changes(an_axis("L"), runs) == []


@pytest.mark.parametrize(
    ("points", "said"),
    [
        ({"a": {"2": 3.04, "8": -3.0}, "b": {"x": 1.0}}, "a moves accuracy most (2: +3.0 points)"),
        ({"a": {"2": 3.0, "8": 1.0}, "b": {"x": -7.26}}, "b moves accuracy most (x: −7.3 points)"),
        ({"a": {"2": None}, "b": {"x": 0.5}}, "b moves accuracy most (x: +0.5 points)"),
    ],
)
def test_the_component_that_moved_accuracy_most_is_the_title(points: dict[str, Any], said: str) -> None:
    runs = {f"{label}={value}": a_run(p) for label, values in points.items() for value, p in values.items()}
    axes = [
        an_axis(label.upper(), *values, runs=tuple(f"{label}={value}" for value in values))
        for label, values in points.items()
    ]
    assert components_title(axes, runs) == f"Of the other components, {said}"


def test_components_without_a_finished_value_have_no_such_title() -> None:
    assert components_title([], {}) == "The other components have not finished"
    assert components_title([an_axis("A", "x")], {"x": a_run(None)}) == "The other components have not finished"


@pytest.mark.parametrize(
    ("winner", "said"),
    [
        (a_winner(), "reaches 87.0 ± 0.2 % on 2 fresh seeds"),
        (a_winner(n=1, test=around(87.04)), "reaches 87.0 ± 0.2 % on 1 fresh seed"),
        (a_winner(n=1, test=around(87.04).model_copy(update={"sd": None})), "reaches 87.0 % on 1 fresh seed"),
        (a_winner(n=0, test=NOTHING), "diverged on every fresh seed"),
    ],
)
def test_the_winner_is_told_by_its_fresh_seeds(winner: Any, said: str) -> None:
    assert winner_title(winner) == f"The chosen combination {said}"


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


def runs_of(*points: tuple[float, Interval | None]) -> dict[str, Run]:
    return {str(k): a_run(mean, interval) for k, (mean, interval) in enumerate(points)}


SURE_GAIN, UNCLEAR, SURE_LOSS = (2.0, (1.0, 3.0)), (1.0, (-1.0, 3.0)), (-2.0, (-3.0, -1.0))


@pytest.mark.parametrize(
    ("points", "said"),
    [
        ([SURE_GAIN, UNCLEAR, SURE_LOSS], "gain at 0"),
        ([SURE_LOSS, SURE_GAIN], "gain at 1"),
        ([UNCLEAR, SURE_LOSS], "no clear gain"),
        ([UNCLEAR], "no clear gain"),
        ([SURE_LOSS, (-1.0, (-1.5, -0.6))], "loss at every value"),
        # the largest gain decides, and it is not sure
        ([(2.0, (-1.0, 5.0)), (1.9, (1.0, 2.8))], "no clear gain"),
    ],
)
def test_a_verdict_follows_from_the_effects_of_an_axis(points: list[Any], said: str) -> None:
    runs = runs_of(*points)
    assert verdict(an_axis("A", *runs), runs, 0.5, descriptive=False) == said
    assert verdict(an_axis("A", *runs), runs, 0.5, descriptive=True) == f"{said} (descriptive)"


def test_an_axis_without_a_finished_value_has_no_verdict() -> None:
    assert verdict(an_axis("A", "x"), {"x": a_run(None)}, 0.5, descriptive=True) == "not finished"
