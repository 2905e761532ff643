"""How sure a difference is: simultaneous intervals against the baseline.

Dunnett's test (Dunnett, 1955; scipy.stats.dunnett) compares all points of a group with the baseline at once, with
pooled variance: it trusts that all points spread alike. Welch's (1947) compares one point and trusts no such thing.
Below three seeds a comparison is descriptive and has no interval.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.stats import dunnett, norm, ttest_ind

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


def welch_interval(baseline: Sequence[float], values: Sequence[float], confidence: float = 0.95) -> Interval | None:
    """Welch's two-sided interval of mean(values) - mean(baseline), for this comparison alone.

    None below three values on either side, and where neither side has any spread.
    """
    if min(len(baseline), len(values)) < ENOUGH_SEEDS or np.ptp(baseline) == np.ptp(values) == 0:
        return None
    bounds = ttest_ind(values, baseline, equal_var=False).confidence_interval(confidence)
    return round(float(bounds.low), 3), round(float(bounds.high), 3)


def image_interval(right: Sequence[NDArray[np.bool_]], confidence: float = 0.95) -> Interval | None:
    """Interval of the mean accuracy, in percent, over the choice of test images, for the trained seeds as they are.

    Args:
        right: by seed, whether each of N images was told right. The mean over seeds of one image is one observation;
            their mean is normal for N as large as a test set (central limit). None for fewer than 30 images.
    """
    if not right or len(right[0]) < 30:
        return None
    shares = np.mean(right, axis=0)  # [N]
    half = norm.ppf((1 + confidence) / 2) * shares.std(ddof=1) / math.sqrt(len(shares))
    return round(100 * (shares.mean() - half), 3), round(100 * (shares.mean() + half), 3)
