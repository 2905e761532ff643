"""The sentence that a difference allows, given its interval and the margin."""

from __future__ import annotations

import pytest

from vitflow.analysis.claims import sentence, signed


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
        (0.3, (0.1, 0.5), "SwiGLU gains 0.3 points, below what we call relevant"),
        # touching zero, inside the margin: only this permits "equal"
        (0.1, (-0.1, 0.3), "SwiGLU matches the baseline within 0.5 points"),
        (0.0, (-0.5, 0.5), "SwiGLU matches the baseline within 0.5 points"),
        (0.2, (0.0, 0.4), "SwiGLU matches the baseline within 0.5 points"),
        (-0.2, (-0.4, 0.0), "SwiGLU matches the baseline within 0.5 points"),
        # otherwise
        (0.2, (-0.6, 1.0), "SwiGLU: no clear change (+0.2, −0.6 to +1.0)"),
        (-0.2, (-0.6, 0.2), "SwiGLU: no clear change (−0.2, −0.6 to +0.2)"),
        (0.3, (0.0, 0.6), "SwiGLU: no clear change (+0.3, +0.0 to +0.6)"),
        # under three seeds
        (1.3, None, "SwiGLU gains 1.3 points (descriptive)"),
        (-1.3, None, "SwiGLU loses 1.3 points (descriptive)"),
    ],
)
def test_each_sentence(difference: float, interval: tuple[float, float] | None, expected: str) -> None:
    assert sentence("SwiGLU", difference, interval, 0.5) == expected


def test_the_margin_decides_what_is_relevant() -> None:
    assert sentence("X", 0.7, (0.6, 0.8), 0.5) == "X gains 0.7 points (0.6 to 0.8)"
    assert sentence("X", 0.7, (0.6, 0.8), 1) == "X gains 0.7 points, below what we call relevant"
    assert sentence("X", 0.1, (-0.7, 0.9), 1) == "X matches the baseline within 1 points"


@pytest.mark.parametrize("difference", [0.04, -0.04, 0.0])
def test_what_rounds_to_nothing_neither_gains_nor_loses(difference: float) -> None:
    assert sentence("X", difference, None, 0.5) == "X differs by less than 0.05 points (descriptive)"


@pytest.mark.parametrize(
    ("value", "said"), [(0.24, "+0.2"), (-0.26, "−0.3"), (-0.04, "0.0"), (0.0, "0.0"), (12.0, "+12.0")]
)
def test_points_are_signed_with_a_true_minus_and_zero_has_none(value: float, said: str) -> None:
    assert signed(value) == said
