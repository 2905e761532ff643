"""Accuracy against cost: points stand at exact counts and measured times."""

from __future__ import annotations

from support.figures import Case


def test_cost_points_stand_at_counts_and_measured_times(diverged: Case) -> None:
    panels = diverged.drawing("accuracy-cost").figure.axes
    for axes, count in zip(panels, ("multiplications", "time_ratio"), strict=True):
        points = {(x, y) for line in axes.get_lines() for x, y in zip(*line.get_data(), strict=True)}
        assert axes.get_xscale() == "log"
        for name, run in diverged.analysis.summary.runs.items():
            assert ((getattr(run, count), run.test.mean) in points) == (run.n > 0), name
