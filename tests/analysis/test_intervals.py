"""Simultaneous intervals: against Dunnett's own example, scipy and Student's t."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from vitflow.analysis.intervals import (
    dunnett_intervals,
    dunnett_quantile,
    image_interval,
    simultaneous_intervals,
    welch_interval,
)

#: breaking strength of cotton fibres, standard and three chemical treatments (Dunnett, 1955, section 3)
STANDARD = [55.0, 47.0, 48.0]
TREATMENTS = {"one": [55.0, 64.0, 64.0], "two": [55.0, 49.0, 52.0], "three": [50.0, 44.0, 41.0]}


def test_intervals_of_dunnetts_own_example() -> None:
    # s^2 = 19 with 8 degrees of freedom; the two-sided 5 % point for three treatments is 2.88 (Dunnett, 1964, table II)
    half = 2.88 * math.sqrt(19) * math.sqrt(2 / 3)
    intervals = dunnett_intervals(STANDARD, TREATMENTS)
    for name, difference in {"one": 11, "two": 2, "three": -5}.items():
        interval = intervals[name]
        assert interval is not None
        assert interval == pytest.approx((difference - half, difference + half), abs=0.03)


def test_intervals_agree_with_scipy() -> None:
    generator = np.random.default_rng(1)
    baseline, a, b = (generator.normal(mean, 0.3, n) for mean, n in ((80, 6), (81, 3), (80, 4)))
    expected = stats.dunnett(a, b, control=baseline, rng=np.random.default_rng(0)).confidence_interval(0.95)
    found = dunnett_intervals(list(baseline), {"a": list(a), "b": list(b)})
    for name, low, high in zip("ab", expected.low, expected.high, strict=True):
        assert found[name] == pytest.approx((low, high), abs=2e-3)  # scipy integrates at random


def test_one_comparison_is_students_t() -> None:
    baseline, point = [80.1, 80.4, 79.9, 80.3], [81.0, 80.8, 81.3]
    expected = stats.ttest_ind(point, baseline).confidence_interval(0.95)  # pooled variance
    found = dunnett_intervals(baseline, {"p": point})["p"]
    assert found == pytest.approx((expected.low, expected.high), abs=6e-4)


def test_more_comparisons_widen_every_interval() -> None:
    # of the same pooled variance: a simultaneous interval is wider than one for this point alone
    pooled = math.sqrt(19 * (1 / 3 + 1 / 3))
    interval = dunnett_intervals(STANDARD, TREATMENTS)["two"]
    assert interval is not None
    assert (interval[1] - interval[0]) / 2 > 1.1 * pooled * stats.t.ppf(0.975, 8)


def test_equal_values_give_equal_bits() -> None:
    assert dunnett_intervals(STANDARD, TREATMENTS) == dunnett_intervals(STANDARD, TREATMENTS)


def test_below_three_seeds_there_is_no_interval() -> None:
    found = simultaneous_intervals(STANDARD, {"two seeds": [50.0, 51.0], "none": [], "one": TREATMENTS["one"]})
    assert found["two seeds"] is None and found["none"] is None
    assert found["one"] == simultaneous_intervals(STANDARD, {"one": TREATMENTS["one"]})["one"]  # not taken into account
    assert simultaneous_intervals(STANDARD[:2], TREATMENTS) == dict.fromkeys(TREATMENTS)
    assert simultaneous_intervals(STANDARD, {}) == {}


def test_without_any_spread_there_is_no_interval() -> None:
    assert simultaneous_intervals([90.0] * 3, {"a": [91.0] * 3}) == {"a": None}


@pytest.mark.parametrize(
    ("points", "size", "expected"),
    # two-sided 5 % points for samples of one size (Dunnett, 1964, table II): (treatments, values of each) -> point
    [(1, 6, 2.23), (2, 3, 2.86), (3, 3, 2.88), (4, 5, 2.65)],
)
def test_quantiles_are_those_of_dunnetts_table(points: int, size: int, expected: float) -> None:
    assert dunnett_quantile(size, (size,) * points, 0.95) == pytest.approx(expected, abs=0.012)


def test_quantiles_for_unequal_numbers_of_seeds_hold_in_simulation() -> None:
    generator, control, points = np.random.default_rng(0), 6, (3, 3, 3, 4, 5)
    trials = 40_000
    base, others = generator.normal(size=(trials, control)), [generator.normal(size=(trials, n)) for n in points]
    samples = [base, *others]
    squares = sum(((x - x.mean(1, keepdims=True)) ** 2).sum(1) for x in samples)
    deviation = np.sqrt(squares / (sum(points) + control - len(samples)))
    t = [
        (x.mean(1) - base.mean(1)) / deviation / math.sqrt(1 / n + 1 / control)
        for x, n in zip(others, points, strict=True)
    ]
    outside = np.abs(t).max(0) > dunnett_quantile(control, points, 0.95)
    assert outside.mean() == pytest.approx(0.05, abs=4 * math.sqrt(0.05 * 0.95 / trials))


def test_three_hundred_points_have_intervals_as_well() -> None:
    generator = np.random.default_rng(0)
    points = {str(i): generator.normal(80, 0.3, 3).tolist() for i in range(300)}
    found = simultaneous_intervals(generator.normal(80, 0.3, 6).tolist(), points)
    assert all(interval is not None and interval[0] < interval[1] for interval in found.values())


# ----------------------------------------------------------------------------------------- Welch, images


def test_welchs_interval_is_scipys_and_needs_three_seeds_and_some_spread() -> None:
    ours, theirs = [81.0, 80.8, 81.6], [80.1, 80.4, 79.9, 80.3]
    expected = stats.ttest_ind(ours, theirs, equal_var=False).confidence_interval(0.95)
    assert welch_interval(theirs, ours) == pytest.approx((expected.low, expected.high), abs=6e-4)
    assert welch_interval(theirs, ours[:2]) is welch_interval(theirs[:2], ours) is None
    assert welch_interval([80.0] * 3, [81.0] * 3) is None
    assert welch_interval([80.0] * 3, ours) is not None


def test_where_spreads_differ_welch_keeps_what_dunnett_breaks() -> None:
    # ten points without any effect, one of which spreads four times as wide: Dunnett alone errs in a fifth of studies
    generator, trials = np.random.default_rng(3), 300
    alone = together = 0
    for _ in range(trials):
        base = generator.normal(0, 1, 6).tolist()
        points = {str(i): generator.normal(0, 4 if i == 0 else 1, 3).tolist() for i in range(10)}
        alone += any(map(beside, dunnett_intervals(base, points).values()))
        together += any(map(beside, simultaneous_intervals(base, points).values()))
    assert alone / trials > 0.15
    assert together / trials < 0.10


def beside(bounds: tuple[float, float] | None) -> bool:
    return bounds is not None and (bounds[0] > 0 or bounds[1] < 0)


def test_an_interval_reaches_as_far_as_dunnetts_and_welchs() -> None:
    baseline, points = [80.0, 80.2, 79.9, 80.3], {"calm": [81.0, 81.1, 81.05], "wild": [79.0, 83.0, 81.0]}
    dunnett, found = dunnett_intervals(baseline, points), simultaneous_intervals(baseline, points)
    further = set()
    for name, values in points.items():
        welch = welch_interval(baseline, values)
        assert dunnett[name] and welch and found[name]
        assert found[name] == (min(dunnett[name][0], welch[0]), max(dunnett[name][1], welch[1]))
        further.add("Welch" if welch[0] < dunnett[name][0] else "Dunnett")
    assert further == {"Welch", "Dunnett"}
    # where a side has no spread of its own, the others' is what there is
    flat = {"flat": [81.0] * 3, "wild": points["wild"]}
    assert simultaneous_intervals([80.0] * 3, flat)["flat"] == dunnett_intervals([80.0] * 3, flat)["flat"] is not None


def test_the_interval_over_images_is_that_of_a_mean_of_shares() -> None:
    generator = np.random.default_rng(0)
    right = [generator.random(2000) < 0.8 for _ in range(2)]
    shares = np.mean(right, axis=0)
    bounds = stats.norm.interval(0.95, shares.mean(), stats.sem(shares))
    assert image_interval(right) == pytest.approx([100 * bound for bound in bounds], abs=6e-4)
    one = [np.arange(1000) < 800]  # of one seed it is Wald's, for a share of 0.8
    half = 1.96 * math.sqrt(0.8 * 0.2 / 1000)
    assert image_interval(one) == pytest.approx([80 - 100 * half, 80 + 100 * half], abs=0.01)
    few_wrong, few_right = [np.arange(30) > 0], [np.arange(30) < 1]
    assert image_interval(few_wrong) == pytest.approx([90.133, 100], abs=1e-3), "not 103.2"
    assert image_interval(few_right) == pytest.approx([0, 9.867], abs=1e-3)
    alike = np.ones(30, dtype=bool)
    assert image_interval([]) is image_interval([alike[1:]]) is image_interval([alike, alike]) is None
