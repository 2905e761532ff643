"""Medians of contestants that take turns, so that what else the machine does concerns all alike."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

#: where results are kept
RESULTS = Path("results/benchmarks")

#: does a fixed piece of work and returns images per second
Contestant = Callable[[], float]


def compete(contestants: dict[str, Contestant], rounds: int, say: Callable[[str], None]) -> dict[str, dict[str, Any]]:
    """Rates and ratios, after one round that is not counted; the first contestant is the one the ratios are of.

    Each round lets every contestant work once, in an order that rotates. ``ratio`` is the median over rounds of the
    first one's rate over this one's in the same round, ``ratios`` its smallest and largest.
    """
    names = list(contestants)
    rates: dict[str, list[float]] = {name: [] for name in names}
    for turn in range(rounds + 1):
        for name in names[turn % len(names) :] + names[: turn % len(names)]:
            rate = contestants[name]()
            if turn:
                rates[name].append(rate)
        say(f"round {turn} of {rounds}" if turn else "warmed up")
    ours = rates[names[0]]
    found = {}
    for name in names:
        ratios = [mine / theirs for mine, theirs in zip(ours, rates[name], strict=True)]
        found[name] = {
            "images_per_second": round(median(rates[name]), 1),
            "slowest": round(min(rates[name]), 1),
            "fastest": round(max(rates[name]), 1),
            "ratio": round(median(ratios), 3),
            "ratios": [round(min(ratios), 3), round(max(ratios), 3)],
        }
    return found


def named_after(device: str) -> str:
    """The name of a device's file: ``amd-epyc.json``."""
    return f"{re.sub('[^a-z0-9]+', '-', device.lower()).strip('-')}.json"
