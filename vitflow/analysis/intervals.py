"""How sure a difference is: simultaneous intervals against the baseline.

Dunnett's test (Dunnett, 1955) compares all points of a group with the baseline at once, with pooled variance: it
trusts that all points spread alike. Welch's (1947) compares one point and trusts no such thing. The intervals that are
shown and judged reach as far as either (docs/decisions.md, "One interval from two tests").
Below three seeds a comparison is descriptive and has no interval.
"""

from __future__ import annotations

import functools
import math
from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.stats import chi, norm, t

from vitflow.analysis.records import Interval

ENOUGH_SEEDS = 3


def simultaneous_intervals(
    baseline: Sequence[float], points: Mapping[str, Sequence[float]], confidence: float = 0.95
) -> dict[str, Interval | None]:
    """By point, an interval of mean(point) - mean(baseline) that reaches as far as Dunnett's or Welch's does.

    None for points (or all, if it is the baseline) with fewer than three values, and where nothing has any spread.
    """
    found = dunnett_intervals(baseline, points, confidence)
    return {
        name: interval and outer([interval, welch_interval(baseline, points[name], confidence) or interval])
        for name, interval in found.items()
    }


def dunnett_intervals(
    baseline: Sequence[float], points: Mapping[str, Sequence[float]], confidence: float = 0.95
) -> dict[str, Interval | None]:
    """Dunnett's simultaneous two-sided intervals of mean(point) - mean(baseline), in the unit of the values.

    None for points (or all, if it is the baseline) with fewer than three values; these do not take part.
    """
    enough = {name: values for name, values in points.items() if len(values) >= ENOUGH_SEEDS}
    intervals: dict[str, Interval | None] = dict.fromkeys(points)
    if len(baseline) < ENOUGH_SEEDS or not enough:
        return intervals
    samples = [np.asarray(values, dtype=float) for values in [baseline, *enough.values()]]
    if all(np.ptp(sample) == 0 for sample in samples):
        return intervals  # no spread at all: the test has no scale to judge by
    freedom = sum(map(len, samples)) - len(samples)
    deviation = math.sqrt(sum(((sample - sample.mean()) ** 2).sum() for sample in samples) / freedom)  # pooled
    reach = deviation * dunnett_quantile(len(baseline), tuple(map(len, samples[1:])), confidence)
    for name, sample in zip(enough, samples[1:], strict=True):
        difference, half = sample.mean() - samples[0].mean(), reach * math.sqrt(1 / len(sample) + 1 / len(baseline))
        intervals[name] = (round(float(difference - half), 3), round(float(difference + half), 3))
    return intervals


@functools.cache
def dunnett_quantile(control: int, points: tuple[int, ...], confidence: float) -> float:
    """The two-sided point of Dunnett's distribution for one ``control`` and ``points``, given their numbers of values.

    All differences share the control's error, so that given this error z and the pooled deviation s they are
    independent, and P(all |t| <= q) is an integral over z and s alone (Dunnett, 1955, equation 8). By quadrature it
    takes milliseconds and gives the same bits anywhere; scipy.stats.dunnett integrates over all points at random, which
    takes minutes for the points of a large study.
    """
    freedom = control + sum(points) - len(points) - 1
    z, z_weights = _legendre(-8.5, 8.5)
    low, high = chi.ppf([1e-12, 1 - 1e-12], freedom)
    s, s_weights = _legendre(low, high)
    density = np.outer(z_weights * norm.pdf(z), s_weights * chi.pdf(s, freedom))  # [nodes of z, nodes of s]
    scale = s / math.sqrt(freedom)

    def missing(q: float) -> float:
        inside = np.ones_like(density)
        for size, count in Counter(points).items():
            share = math.sqrt(size / (size + control))  # of the control in this difference's error
            left = math.sqrt(1 - share**2)
            centre, reach = share * z[:, None] / left, q * scale[None, :] / left
            inside *= (norm.cdf(centre + reach) - norm.cdf(centre - reach)) ** count
        return float((inside * density).sum() - confidence)

    return float(brentq(missing, 0.1, 1000.0, xtol=1e-9))


def _legendre(low: float, high: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Nodes and weights of a Gauss-Legendre quadrature over an interval."""
    nodes, weights = np.polynomial.legendre.leggauss(128)
    return (high - low) / 2 * nodes + (high + low) / 2, (high - low) / 2 * weights


def welch_interval(baseline: Sequence[float], values: Sequence[float], confidence: float = 0.95) -> Interval | None:
    """Welch's two-sided interval of mean(values) - mean(baseline), for this comparison alone.

    None below three values on either side, and where neither side has any spread.
    """
    if min(len(baseline), len(values)) < ENOUGH_SEEDS or np.ptp(baseline) == np.ptp(values) == 0:
        return None
    errors = [np.var(side, ddof=1) / len(side) for side in (values, baseline)]  # squared, of each mean
    # Welch and Satterthwaite's degrees of freedom; scipy.stats.ttest_ind warns of a side without spread
    freedom = sum(errors) ** 2 / sum(e**2 / (len(side) - 1) for e, side in zip(errors, (values, baseline), strict=True))
    difference, half = (
        np.mean(values) - np.mean(baseline),
        t.ppf((1 + confidence) / 2, freedom) * math.sqrt(sum(errors)),
    )
    return round(float(difference - half), 3), round(float(difference + half), 3)


def turned(interval: Interval | None) -> Interval | None:
    """The interval of the same difference the other way round."""
    return None if interval is None else (-interval[1], -interval[0])


def outer(intervals: Sequence[Interval | None]) -> Interval | None:
    """The outer ends of several intervals of one difference; None where one of them is."""
    known = [interval for interval in intervals if interval is not None]
    if len(known) < len(intervals):
        return None
    return min(low for low, _ in known), max(high for _, high in known)


def image_interval(right: Sequence[NDArray[np.bool_]], confidence: float = 0.95) -> Interval | None:
    """Interval of the mean accuracy, in percent, over the choice of test images, for the trained seeds as they are.

    Args:
        right: by seed, whether each of N images was told right. The mean over seeds of one image is one observation;
            their mean is normal for N as large as a test set (central limit). None for fewer than 30 images, and
            where all came out alike, of which it knows nothing; an end beyond 0 or 100 cannot be and is cut there.
    """
    if not right or len(right[0]) < 30 or np.ptp(shares := np.mean(right, axis=0)) == 0:  # [N]
        return None
    half = norm.ppf((1 + confidence) / 2) * shares.std(ddof=1) / math.sqrt(len(shares))
    low, high = np.clip([shares.mean() - half, shares.mean() + half], 0, 1)
    return round(100 * float(low), 3), round(100 * float(high), 3)
