"""What may be said: simultaneous intervals against the baseline, and the sentence each allows.

Dunnett's test (Dunnett, 1955; scipy.stats.dunnett) compares all points of a group with the baseline at once,
with pooled variance. Below three seeds a comparison is descriptive and has no interval.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from scipy.stats import dunnett, ttest_ind

ENOUGH_SEEDS = 3
Interval = tuple[float, float]


def simultaneous_intervals(
    baseline: Sequence[float], points: Mapping[str, Sequence[float]], confidence: float = 0.95
) -> dict[str, Interval | None]:
    """Simultaneous two-sided intervals of mean(point) - mean(baseline), in the unit of the values.

    None for points (or all, if it is the baseline) with fewer than three values; these do not take part.
    """
    enough = {name: values for name, values in points.items() if len(values) >= ENOUGH_SEEDS}
    intervals: dict[str, Interval | None] = dict.fromkeys(points)
    if len(baseline) < ENOUGH_SEEDS or not enough:
        return intervals
    samples = [np.asarray(values, dtype=float) for values in enough.values()]
    if all(np.ptp(sample) == 0 for sample in [*samples, np.asarray(baseline, dtype=float)]):
        return intervals  # no spread at all: the test has no scale to judge by
    control = np.asarray(baseline, dtype=float)
    if len(samples) == 1:  # then Dunnett's test is Student's, which scipy knows in closed form
        bounds = ttest_ind(samples[0], control).confidence_interval(confidence)
    else:  # quasi-Monte-Carlo integration: seeded, so that the same values give the same bits
        bounds = dunnett(*samples, control=control, rng=np.random.default_rng(0)).confidence_interval(confidence)
    for name, low, high in zip(enough, np.atleast_1d(bounds.low), np.atleast_1d(bounds.high), strict=True):
        intervals[name] = (round(float(low), 3), round(float(high), 3))
    return intervals


def sentence(subject: str, difference: float, interval: Interval | None, margin: float) -> str:
    """The claim that a difference in percentage points supports, given its simultaneous interval and the margin.

    Without an interval (under three seeds) the difference is described, and called descriptive.
    """
    verb = "gains" if difference > 0 else "loses"
    size = f"{abs(difference):.1f} points"
    if interval is None:
        if size == "0.0 points":
            return f"{subject} differs by less than 0.05 points (descriptive)"
        return f"{subject} {verb} {size} (descriptive)"
    low, high = interval
    if low > 0 or high < 0:
        near, far = sorted((abs(low), abs(high)))
        if far > margin:
            return f"{subject} {verb} {size} ({near:.1f} to {far:.1f})"
        return f"{subject} {verb} {size}, below what we call relevant"
    if -margin <= low and high <= margin:
        return f"{subject} matches the baseline within {margin:g} points"
    numbers = f"{difference:+.1f}, {low:+.1f} to {high:+.1f}".replace("-", "\N{MINUS SIGN}")
    return f"{subject}: no clear change ({numbers})"
