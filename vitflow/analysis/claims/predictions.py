"""Whether what was predicted came: the range that was written down against the interval that was measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

from vitflow.analysis.claims.effects import Change, changes, of_group
from vitflow.analysis.claims.wording import digits_for, joined, signed
from vitflow.analysis.records import Axis, Run
from vitflow.analysis.techniques import Expected, Techniques
from vitflow.study.fields import spoken
from vitflow.study.names import counted

#: ``in range``: the mean is; ``missed``: all of the interval is outside; ``open``: the mean is outside, not all of that
Outcome = Literal["in range", "missed", "open"]
OUTCOMES: tuple[Outcome, ...] = ("in range", "missed", "open")


class Prediction(NamedTuple):
    """A range that was predicted for one value of an axis, and what came."""

    axis: Axis
    change: Change
    expected: Expected
    outcome: Outcome

    @property
    def distance(self) -> float:
        """Points from the measured mean to the range; 0 within it."""
        least, most = self.expected
        return max(least - self.change.points, self.change.points - most, 0.0)


def predictions(axes: Sequence[Axis], runs: Mapping[str, Run], techniques: Techniques) -> list[Prediction]:
    """Every range that was predicted for a value that can be compared, axis by axis, largest gain first."""
    found = []
    for axis in axes:
        ranges = techniques.of(axis.axis).expected
        for change in changes(axis, runs):
            if expected := ranges.get(change.value):
                found.append(Prediction(axis, change, expected, _outcome(change, expected)))
    return found


def _outcome(change: Change, expected: Expected) -> Outcome:
    """Open where there is no interval, or a seed of either side diverged: then nothing is decided."""
    evidence, (least, most) = of_group(change.run), expected
    if evidence.diverged or evidence.control or evidence.interval is None:
        return "open"
    low, high = evidence.interval
    if high < least or low > most:
        return "missed"
    return "in range" if least <= evidence.points <= most else "open"


def outcomes(axis: Axis, found: Sequence[Prediction], techniques: Techniques) -> str:
    """``in range at 8; missed at 2 and 16; not run: 32``, of all that was ``found``; '' without a range."""
    values = {
        outcome: [p.change.value for p in found if p.axis == axis and p.outcome == outcome] for outcome in OUTCOMES
    }
    said = [f"{outcome} at {joined(map(spoken, here))}" for outcome, here in values.items() if here]
    run = {p.change.value for p in found if p.axis.axis == axis.axis}  # an axis may stand in several groups
    if left := [value for value in techniques.of(axis.axis).expected if value not in run]:
        said.append(f"not run: {joined(map(spoken, left))}")
    return "; ".join(said)


def predictions_title(found: Sequence[Prediction]) -> str:
    """Of the table of predictions, how many came true."""
    if not found:
        return "predicted and observed"
    number = {outcome: sum(one.outcome == outcome for one in found) for outcome in OUTCOMES}
    return f"{number['in range']} of {counted(len(found), 'prediction')} in range, {number['missed']} missed"


def worst_miss(found: Sequence[Prediction]) -> str:
    """What to ask of the prediction that missed by most; '' where none did."""
    missed = [one for one in found if one.outcome == "missed"]
    if not missed:
        return ""
    worst = max(missed, key=lambda one: one.distance)
    of = "the prediction missed" if len(missed) == 1 else f"{len(missed)} predictions missed, first"
    digits = digits_for((worst.change.points,), worst.expected)
    came, least, most = (signed(points, digits) for points in (worst.change.points, *worst.expected))
    return f"Test why {of}: {worst.change.run.label}, {came}; predicted {least} to {most}."
