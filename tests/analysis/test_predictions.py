"""What came of predicted ranges: which were met, which missed, what stays open, and what is asked of the worst."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.records import a_run, an_axis, diverged

from vitflow.analysis.claims import outcomes, predictions, predictions_title
from vitflow.analysis.claims.predictions import Prediction, worst_miss
from vitflow.analysis.records import Interval, Run
from vitflow.analysis.techniques import Expected, Technique, Techniques


def expecting(**ranges: Expected) -> Techniques:
    """That much of the values of the axis L."""
    return Techniques({"l": Technique(label="L", prediction="p", expected=ranges)})


def judged(run: Run, expected: Expected) -> Prediction:
    (found,) = predictions([an_axis("L", "a")], {"a": run}, expecting(a=expected))
    return found


@pytest.mark.parametrize(
    ("mean", "bounds", "outcome"),
    [
        (2.5, (2.1, 2.9), "in range"),
        (2.5, (-1.0, 6.0), "in range"),
        (2.0, (1.0, 3.0), "in range"),
        (3.5, (2.9, 4.1), "open"),
        (1.0, (0.0, 2.0), "open"),
        (3.5, (3.1, 3.9), "missed"),
        (-2.5, (-3.0, -1.9), "missed"),
        (2.5, None, "open"),
        (9.0, None, "open"),
    ],
)
def test_a_range_is_met_missed_or_stays_open(mean: float, bounds: Interval | None, outcome: str) -> None:
    assert judged(a_run(mean, bounds), (2.0, 3.0)).outcome == outcome


def test_where_a_seed_diverged_nothing_is_decided() -> None:
    assert judged(diverged(7, points=9.0, interval=(8.0, 10.0)), (2.0, 3.0)).outcome == "open"


@given(st.floats(-20, 20), st.floats(0.1, 5), st.floats(-20, 20), st.floats(0.1, 9))
def test_what_missed_is_further_from_the_range_than_its_interval_is_wide(
    mean: float, half: float, least: float, width: float
) -> None:
    found = judged(a_run(mean, (mean - half, mean + half)), (least, least + width))
    assert (found.distance == 0) == (found.outcome == "in range")
    assert (found.distance > half) == (found.outcome == "missed")


RUNS = {
    "baseline": a_run(None),
    "a": a_run(2.5, (2.0, 3.0), label="L a"),
    "b": a_run(2.5, (2.0, 3.0), label="L b"),
    "c": a_run(-1.96, (-2.1, -1.8), label="L c"),
    "d": a_run(0.5, (-4.0, 5.0), label="L d"),
}
RANGES: dict[str, Any] = {"a": (2.0, 3.0), "b": (5.0, 6.0), "c": (-4.0, -2.2), "d": (1.0, 2.0), "e_e": (0.0, 1.0)}


def test_outcomes_are_told_by_value_and_what_was_not_run_too() -> None:
    axis, techniques = an_axis("L", *RUNS), expecting(**RANGES)
    found = predictions([axis], RUNS, techniques)
    assert outcomes(axis, found, techniques) == "in range at a; missed at b and c; open at d; not run: e e"
    assert outcomes(axis, [], expecting()) == ""
    assert predictions_title(found) == "1 of 4 predictions in range, 2 missed"
    assert predictions_title(found[:1]).startswith("1 of 1 prediction in range")
    assert predictions_title([]) == "predicted and observed"


def test_a_value_that_another_group_has_is_not_called_not_run() -> None:
    here, there = an_axis("L", "baseline", "a"), an_axis("L", "baseline", "b").model_copy(update={"group": "other"})
    techniques = expecting(a=(2.0, 3.0), b=(5.0, 6.0))
    found = predictions([here, there], RUNS, techniques)
    assert [outcomes(axis, found, techniques) for axis in (here, there)] == ["in range at a", "missed at b"]


def test_the_worst_miss_is_asked_about_with_numbers_that_show_it() -> None:
    found = predictions([an_axis("L", *RUNS)], RUNS, expecting(**RANGES))
    assert worst_miss(found) == "Test why 2 predictions missed, first: L b, +2.5; predicted +5.0 to +6.0."
    close = predictions([an_axis("L", "c")], RUNS, expecting(c=(-4.0, -2.0)))
    assert worst_miss([one._replace(outcome="missed") for one in close]) == (
        "Test why the prediction missed: L c, \N{MINUS SIGN}1.96; predicted \N{MINUS SIGN}4.00 to \N{MINUS SIGN}2.00."
    )
    assert worst_miss(found[:1]) == ""
