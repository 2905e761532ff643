"""Simultaneous intervals: against Dunnett's own example, scipy and Student's t."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from vitflow.analysis.intervals import simultaneous_intervals

#: breaking strength of cotton fibres, standard and three chemical treatments (Dunnett, 1955, section 3)
STANDARD = [55.0, 47.0, 48.0]
TREATMENTS = {"one": [55.0, 64.0, 64.0], "two": [55.0, 49.0, 52.0], "three": [50.0, 44.0, 41.0]}


def test_intervals_of_dunnetts_own_example() -> None:
    # s^2 = 19 with 8 degrees of freedom; the two-sided 5 % point for three treatments is 2.88 (Dunnett, 1964, table II)
    half = 2.88 * math.sqrt(19) * math.sqrt(2 / 3)
    intervals = simultaneous_intervals(STANDARD, TREATMENTS)
    for name, difference in {"one": 11, "two": 2, "three": -5}.items():
        interval = intervals[name]
        assert interval is not None
        assert interval == pytest.approx((difference - half, difference + half), abs=0.03)


def test_intervals_agree_with_scipy() -> None:
    generator = np.random.default_rng(1)
    baseline, a, b = (generator.normal(mean, 0.3, n) for mean, n in ((80, 6), (81, 3), (80, 4)))
    expected = stats.dunnett(a, b, control=baseline, rng=np.random.default_rng(0)).confidence_interval(0.95)
    found = simultaneous_intervals(list(baseline), {"a": list(a), "b": list(b)})
    for name, low, high in zip("ab", expected.low, expected.high, strict=True):
        assert found[name] == pytest.approx((low, high), abs=6e-4)  # three decimals are kept


def test_one_comparison_is_students_t() -> None:
    baseline, point = [80.1, 80.4, 79.9, 80.3], [81.0, 80.8, 81.3]
    expected = stats.ttest_ind(point, baseline).confidence_interval(0.95)  # pooled variance
    found = simultaneous_intervals(baseline, {"p": point})["p"]
    assert found == pytest.approx((expected.low, expected.high), abs=6e-4)


def test_more_comparisons_widen_every_interval() -> None:
    # of the same pooled variance: a simultaneous interval is wider than one for this point alone
    pooled = math.sqrt(19 * (1 / 3 + 1 / 3))
    interval = simultaneous_intervals(STANDARD, TREATMENTS)["two"]
    assert interval is not None
    assert (interval[1] - interval[0]) / 2 > 1.1 * pooled * stats.t.ppf(0.975, 8)


def test_equal_values_give_equal_bits() -> None:
    assert simultaneous_intervals(STANDARD, TREATMENTS) == simultaneous_intervals(STANDARD, TREATMENTS)


def test_below_three_seeds_there_is_no_interval() -> None:
    found = simultaneous_intervals(STANDARD, {"two seeds": [50.0, 51.0], "none": [], "one": TREATMENTS["one"]})
    assert found["two seeds"] is None and found["none"] is None
    assert found["one"] == simultaneous_intervals(STANDARD, {"one": TREATMENTS["one"]})["one"]  # not taken into account
    assert simultaneous_intervals(STANDARD[:2], TREATMENTS) == dict.fromkeys(TREATMENTS)
    assert simultaneous_intervals(STANDARD, {}) == {}


def test_without_any_spread_there_is_no_interval() -> None:
    assert simultaneous_intervals([90.0] * 3, {"a": [91.0] * 3}) == {"a": None}
