"""What a difference shows: the verdict on every run that is compared with the baseline."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple

from vitflow.analysis.intervals import ENOUGH_SEEDS
from vitflow.analysis.records import Axis, Interval, Run

#: ``same``: inside the margin, whatever the sign; ``unstable``: at least one seed diverged, so that it is never a gain
Effect = Literal["gained", "lost", "same", "unclear", "unstable"]


class Evidence(NamedTuple):
    """All that a claim on one difference may rest on, in percentage points."""

    points: float
    interval: Interval | None = None  #: simultaneous
    n: int = 0  #: the smaller number of seeds
    diverged: int = 0  #: seeds
    seeds: int = 0  #: those included
    control: int = 0  #: seeds of what it is compared with that diverged: those left may be the lucky ones

    @property
    def significant(self) -> bool:
        """Whether no seed of either side diverged and the interval lies on one side of 0."""
        return not self.diverged and not self.control and self.interval is not None and _side(self.interval) != 0


def of_group(run: Run) -> Evidence:
    """The evidence on a run for claims that were picked within its group."""
    assert run.difference is not None
    return _evidence(run, run.difference.test_interval)


def of_study(run: Run) -> Evidence:
    """The evidence on a run for claims that were picked from all changes of the study."""
    assert run.difference is not None
    return _evidence(run, run.difference.test_interval_overall)


def judge(evidence: Evidence, margin: float) -> Effect:
    """What the evidence shows against ``margin`` points; by the mean alone where there is no interval."""
    if evidence.diverged:
        return "unstable"
    if evidence.control:
        return "unclear"
    if evidence.interval is None:
        return "gained" if evidence.points > margin else "lost" if evidence.points < -margin else "unclear"
    low, high = evidence.interval
    if -margin <= low and high <= margin:
        return "same"
    return "gained" if low > 0 else "lost" if high < 0 else "unclear"


def effect(run: Run, margin: float) -> Effect:
    """What a run shows among all changes of the study."""
    return judge(of_study(run), margin)


def beyond(evidence: Evidence, margin: float) -> bool:
    """Whether the interval lies beyond the margin as a whole."""
    low, high = evidence.interval or (evidence.points, evidence.points)
    return not evidence.diverged and not evidence.control and (low > margin or high < -margin)


class Change(NamedTuple):
    """One value of an axis, compared with the baseline."""

    value: str
    run: Run
    points: float  #: of test accuracy


def changes(axis: Axis, runs: Mapping[str, Run]) -> list[Change]:
    """The values of an axis that can be compared with the baseline, largest gain first."""
    found = [(place.value, runs[place.run]) for place in axis.values]
    known = [Change(value, run, run.difference.test) for value, run in found if run.difference is not None]
    return sorted(known, key=lambda change: -change.points)


def has_no_spread(evidence: Evidence) -> bool:
    """Whether there are seeds enough for an interval, but all of them agree to the last digit."""
    return evidence.interval is None and evidence.n >= ENOUGH_SEEDS


def _evidence(run: Run, interval: Interval | None) -> Evidence:
    assert run.difference is not None
    found = run.difference
    return Evidence(found.test, interval, found.n, run.diverged, len(run.seeds), found.control_diverged)


def _side(interval: Interval) -> int:
    """1 or -1 where all of it lies on that side of 0, else 0."""
    low, high = interval
    return 1 if low > 0 else -1 if high < 0 else 0
