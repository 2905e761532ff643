"""How numbers are said in the talk."""

from __future__ import annotations

from support.records import NOTHING, a_run, around

from vitflow.analysis.records import Statistics
from vitflow.slides import filters

DASH, MINUS = "\N{EN DASH}", "\N{MINUS SIGN}"


def test_numbers_are_spelled_as_a_reader_expects() -> None:
    assert [filters.signed(v) for v in (0.24, -0.26, -0.04, None)] == ["+0.2", f"{MINUS}0.3", "0.0", DASH]
    assert [filters.amount(v) for v in (12, 999_600, 2_712_000, 174e6, 1.298e9)] == [
        "12",
        "1.00 M",
        "2.71 M",
        "174 M",
        "1.30 G",
    ]
    assert [filters.times(v) for v in (0.256, 1, 12.3, None)] == ["0.26×", "1.00×", "12.30×", DASH]
    assert filters.stat(Statistics(mean=84.26, sd=0.151, values=())) == "84.3&nbsp;±&nbsp;0.2"
    alone = [Statistics(mean=m, sd=None, values=()) for m in (84.26, None)]
    assert [filters.stat(statistics) for statistics in alone] == ["84.3", DASH]
    assert [filters.counted(n, "seed") for n in (1, 3)] == ["1 seed", "3 seeds"]


def test_an_interval_is_said_in_brackets() -> None:
    assert filters.interval(a_run(1.3, (0.9, 1.7))) == "&nbsp;(+0.9 to +1.7)"
    assert filters.interval(a_run(-1.3, (-1.7, 0.04))) == f"&nbsp;({MINUS}1.70 to +0.04)"
    assert filters.interval(a_run(1.3)) == filters.interval(a_run(None)) == ""


def test_digits_are_as_many_as_asked_for() -> None:
    assert [filters.number(v) for v in (84.26, -0.35, None)] == ["84.3", f"{MINUS}0.3", DASH]
    assert [filters.number(84.267, digits) for digits in (0, 2)] == ["84", "84.27"]
    assert [filters.signed(v, 2) for v in (0.244, -0.004)] == ["+0.24", "0.00"]
    assert filters.stat(around(84.0), 2) == "84.00&nbsp;±&nbsp;0.25"
    assert filters.stat(NOTHING, 2) == DASH


def test_three_digits_hold_very_small_and_very_large_numbers() -> None:
    assert [filters.three(v) for v in (0.8764, 1.6e11, -2.5, 12, 128, None)] == [
        "0.876",
        "1.60e+11",
        f"{MINUS}2.50",
        "12.0",
        "128",
        DASH,
    ]
    assert [filters.amount(v) for v in (999.4, 999_400, 9_996_000, 99_960_000, 999_600_000)] == [
        "999.4",
        "999 k",
        "10.0 M",
        "100 M",
        "1.00 G",
    ]


def test_millions_have_three_digits_and_leave_their_unit_to_the_header() -> None:
    assert [filters.millions(v) for v in (460_000, 2_712_000, 32_300_000, 139e6, 1.298e9)] == [
        "0.46",
        "2.71",
        "32.3",
        "139",
        "1,298",
    ]


def test_thousands_are_set_apart() -> None:
    assert filters.thousands(45_000) == "45,000" and filters.thousands(999) == "999"
    assert filters.counted(45_000, "image") == "45,000 images" and filters.counted(0, "seed") == "0 seeds"


def test_the_template_calls_each_by_its_own_name() -> None:
    assert all(function.__name__ == name for name, function in filters.FILTERS.items())
    words = "number signed stat amount millions times thousands counted interval beginning"
    assert sorted(filters.FILTERS) == sorted(words.split())
