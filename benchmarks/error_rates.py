"""How often a study without any effect is said to have one: by Dunnett's intervals, by Welch's, by their outer ends.

python benchmarks/error_rates.py          a minute; writes results/error-rates.json
"""

from __future__ import annotations

import numpy as np
from rich.progress import track

from vitflow.analysis.intervals import dunnett_intervals, simultaneous_intervals, welch_interval
from vitflow.machine.files import write_json
from vitflow.results.layout import RESULTS

TRIALS, SEEDS, BASELINE_SEEDS = 1500, 3, 6
#: standard deviations of the points, and of the baseline
WORLDS = {
    "ten points, alike": ([1.0] * 10, 1.0),
    "ten points, one four times as wide": ([1.0] * 9 + [4.0], 1.0),
    "ten points, 0.1 to 0.9": (list(np.linspace(0.1, 0.9, 10)), 0.5),
    "ten points, baseline a third": ([1.0] * 10, 1 / 3),
    "forty points, alike": ([1.0] * 40, 1.0),
}


def beside_zero(bounds: tuple[float, float] | None) -> bool:
    return bounds is not None and (bounds[0] > 0 or bounds[1] < 0)


def error_rates(spreads: list[float], base: float, generator: np.random.Generator, name: str) -> dict[str, float]:
    """Shares of null studies in which some point is called different."""
    wrong = {"dunnett": 0, "welch": 0, "both": 0}
    for _ in track(range(TRIALS), description=name):
        control = generator.normal(0, base, BASELINE_SEEDS).tolist()
        points = {str(i): generator.normal(0, spread, SEEDS).tolist() for i, spread in enumerate(spreads)}
        found = {
            "dunnett": dunnett_intervals(control, points),
            "welch": {name: welch_interval(control, values) for name, values in points.items()},
            "both": simultaneous_intervals(control, points),
        }
        for test, intervals in found.items():
            wrong[test] += any(map(beside_zero, intervals.values()))
    return {test: round(count / TRIALS, 4) for test, count in wrong.items()}


if __name__ == "__main__":
    found = {name: error_rates(*world, np.random.default_rng(1), name) for name, world in WORLDS.items()}
    write_json(RESULTS / "error-rates.json", {"trials": TRIALS, "seeds": SEEDS, "worlds": found})
    for name, rates in found.items():
        print(f"{name}: " + ", ".join(f"{test} {100 * rate:.1f} %" for test, rate in rates.items()))
