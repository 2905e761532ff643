"""The sentence that a difference allows, given its intervals and the margin."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.records import a_run, diverged

from vitflow.analysis.claims import Evidence, group_finding, judge, sentence, signed
from vitflow.analysis.claims.effects import beyond
from vitflow.analysis.claims.wording import digits_for
from vitflow.analysis.records import Run


def said(difference: float, interval: tuple[float, float] | None, margin: float = 0.5, **more: object) -> str:
    n = 3 if interval else 2
    return sentence("SwiGLU", Evidence(difference, interval, **({"n": n, "seeds": n} | more)), margin)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("difference", "interval", "expected"),
    [
        # beside zero and reaching beyond the margin
        (1.3, (0.9, 1.7), "SwiGLU gains 1.3 points (0.9 to 1.7)"),
        (-1.3, (-1.7, -0.9), "SwiGLU loses 1.3 points (0.9 to 1.7)"),
        (0.4, (0.2, 0.6), "SwiGLU gains 0.4 points (0.2 to 0.6)"),
        # beside zero, inside the margin
        (0.2, (0.1, 0.3), "SwiGLU gains 0.2 points, below what we call relevant"),
        (-0.2, (-0.3, -0.1), "SwiGLU loses 0.2 points, below what we call relevant"),
        # touching zero, inside the margin
        (0.1, (-0.2, 0.4), "SwiGLU matches the baseline within 0.5 points"),
        # anything else
        (0.2, (-0.6, 1.0), "SwiGLU: no clear change (+0.2, −0.6 to +1.0)"),
        # under three seeds
        (1.3, None, "SwiGLU gains 1.3 points (descriptive)"),
        (-1.3, None, "SwiGLU loses 1.3 points (descriptive)"),
        # rounding may not contradict the claim: more digits, until it does not
        (0.301, (0.022, 0.58), "SwiGLU gains 0.30 points (0.02 to 0.58)"),
        (0.04, (0.012, 0.068), "SwiGLU gains 0.04 points, below what we call relevant"),
        (0.25, (-0.004, 0.504), "SwiGLU: no clear change (+0.250, −0.004 to +0.504)"),
        (0.7, (0.498, 0.902), "SwiGLU gains 0.700 points (0.498 to 0.902)"),
    ],
)
def test_each_sentence(difference: float, interval: tuple[float, float] | None, expected: str) -> None:
    assert said(difference, interval) == expected


def test_the_margin_decides_what_is_relevant() -> None:
    assert said(0.7, (0.6, 0.8)) == "SwiGLU gains 0.7 points (0.6 to 0.8)"
    assert said(0.7, (0.6, 0.8), 1) == "SwiGLU gains 0.7 points, below what we call relevant"
    assert said(0.1, (-0.7, 0.9), 1) == "SwiGLU matches the baseline within 1 points"


@pytest.mark.parametrize("difference", [0.04, -0.04, 0.0])
def test_what_rounds_to_nothing_neither_gains_nor_loses(difference: float) -> None:
    assert said(difference, None) == "SwiGLU differs by less than 0.05 points (descriptive)"


def test_seeds_that_agree_to_the_last_digit_have_no_interval_and_are_not_called_descriptive() -> None:
    assert said(2.0, None, n=3, seeds=3) == "SwiGLU gains 2.0 points (no spread over seeds, so no interval)"


def test_a_run_with_a_diverged_seed_never_gains() -> None:
    assert said(5.0, (4.0, 6.0), diverged=1, seeds=3) == "SwiGLU diverged with 1 of 3 seeds"
    assert said(5.0, None, diverged=2, seeds=3) == "SwiGLU diverged with 2 of 3 seeds"


@pytest.mark.parametrize(
    ("value", "expected"), [(0.24, "+0.2"), (-0.26, "−0.3"), (-0.04, "0.0"), (0.0, "0.0"), (12.0, "+12.0")]
)
def test_points_are_signed_with_a_true_minus_and_zero_has_none(value: float, expected: str) -> None:
    assert signed(value) == expected


@pytest.mark.parametrize("interval", [(0.9, 1.7), (-0.2, 0.4), None])
def test_nothing_is_sure_beside_a_run_of_which_only_the_lucky_seeds_may_be_left(
    interval: tuple[float, float] | None,
) -> None:
    found = Evidence(1.3, interval, 3, seeds=3, control=2)
    assert judge(found, 0.5) == "unclear" and not found.significant and not beyond(found, 0.5)
    numbers = "+1.3" if interval is None else f"+1.3, {signed(interval[0], 1)} to {signed(interval[1], 1)}"
    told = f"SwiGLU: not significant ({numbers}; 2 seeds of what it is compared with diverged)"
    assert sentence("SwiGLU", found, 0.5) == told


# ---------------------------------------------------------------------------------------------- for all of them

POINTS = st.integers(-4000, 4000).map(lambda thousandths: thousandths / 1000)
WIDTHS = st.integers(1, 3000).map(lambda thousandths: thousandths / 1000)
MARGINS = st.sampled_from([0.1, 0.25, 0.5, 1.0])


@st.composite
def evidence(draw: st.DrawFn) -> Evidence:
    points, half = draw(POINTS), draw(WIDTHS)
    interval = (round(points - half, 3), round(points + half, 3))
    diverged, control = draw(st.sampled_from([0, 0, 0, 1])), draw(st.sampled_from([0, 0, 0, 1]))
    return Evidence(points, interval, 3, diverged=diverged, seeds=3, control=control)


@given(evidence(), MARGINS)
def test_no_sentence_contradicts_its_interval_as_it_is_printed(found: Evidence, margin: float) -> None:
    told = sentence("X", found, margin)
    assert found.interval is not None
    low, high = found.interval
    numbers = [float(number.replace("−", "-")) for number in re.findall(r"[−+]?\d+\.\d+", told)]
    assert "−0.0 " not in told and "-" not in told
    if found.diverged:
        assert told == "X diverged with 1 of 3 seeds"
    elif found.control:
        assert told.startswith("X: not significant (") and told.endswith(
            "; 1 seed of what it is compared with diverged)"
        )
    elif claimed := re.fullmatch(r"X (gains|loses) ([\d.]+) points \(([\d.]+) to ([\d.]+)\)", told):
        size, near, far = map(float, claimed.groups()[1:])
        assert 0 < near <= size <= far and far > margin
        assert low > 0 if claimed[1] == "gains" else high < 0
    elif "below what we call relevant" in told:
        assert (low > 0 or high < 0) and -margin <= low and high <= margin and numbers[0] > 0
    elif "matches" in told:
        assert -margin <= low <= 0 <= high <= margin
    else:
        # neither beside zero nor inside the margin, and printed so
        assert low <= 0 <= high and (low < -margin or high > margin)
        assert numbers[1] <= 0 <= numbers[2]
    assert {"gained": "gains", "lost": "loses"}.get(judge(found, margin), "") in told


def keep_their_sides(values: list[float], borders: list[float], digits: int) -> bool:
    return all(
        (value > border) == (round(value, digits) > border) and (value < border) == (round(value, digits) < border)
        for value in values
        for border in borders
    )


@given(st.lists(POINTS, min_size=1, max_size=4), MARGINS)
def test_as_many_digits_as_keep_every_value_on_its_side_and_no_more(values: list[float], margin: float) -> None:
    borders = [0.0, margin, -margin]
    digits = digits_for(values, borders)
    assert keep_their_sides(values, borders, digits)
    assert digits == 1 or not keep_their_sides(values, borders, digits - 1)


@pytest.mark.parametrize(
    ("runs", "said"),
    [
        (
            [a_run(2.0, (1.0, 3.0), label="a"), a_run(-1.0, (-2.0, -0.1), label="b"), a_run(9.0, (-1, 19), label="c")],
            "Techniques: a gains 2.0 points (1.0 to 3.0); b loses 1.0 points (0.1 to 2.0)",
        ),
        ([a_run(9.0, (-1, 19)), a_run(1.0, (-1, 3))], "Techniques: no clear change among 2"),
        ([a_run(0.1)], "Techniques: no clear change (descriptive)"),
        ([a_run(0.1, (-0.2, 0.4))], "Techniques: the change matches the baseline within 0.5 points"),
        (
            [a_run(0.1, (-0.2, 0.4)), a_run(0.3, (0.2, 0.4))],
            "Techniques: all 2 match the baseline within 0.5 points",
        ),
        (
            [a_run(0.1, (-0.2, 0.4)), a_run(9.0, (-1, 19))],
            "Techniques: 1 of 2 match the baseline within 0.5 points, 1 unclear",
        ),
        (
            [a_run(2.0, (1.0, 3.0), label="a"), diverged(3, points=9.0)],
            "Techniques: a gains 2.0 points (1.0 to 3.0); 1 of 2 diverged",
        ),
        ([diverged(1, 2, 3)], "Techniques: 1 of 1 diverged"),
        ([a_run(None)], "Techniques: not finished yet"),
    ],
)
def test_a_group_says_its_best_gain_and_its_worst_loss(runs: list[Run], said: str) -> None:
    assert group_finding("Techniques", runs, 0.5) == said
