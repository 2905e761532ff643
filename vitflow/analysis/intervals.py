"""How sure a difference is: simultaneous intervals against the baseline.

Dunnett's test (Dunnett, 1955; scipy.stats.dunnett) compares all points of a group with the baseline at once,
with pooled variance. Below three seeds a comparison is descriptive and has no interval.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from scipy.stats import dunnett, ttest_ind

from vitflow.analysis.records import Interval

ENOUGH_SEEDS = 3


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
