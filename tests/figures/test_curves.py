"""Learning curves: every seed a thin line, and a mean of those that finished."""

from __future__ import annotations

import numpy as np
from support.figures import Case


def test_mean_curve_leaves_diverged_seeds_out(diverged: Case) -> None:
    loss = diverged.drawing("curves").figure.axes[0]
    thick = [line for line in loss.get_lines() if line.get_linewidth() > 1]
    seeds = [diverged.analysis.curves["baseline"][seed] for seed in range(5)]  # the sixth diverged
    expected = np.mean([s["train_loss"] for s in seeds], axis=0)
    np.testing.assert_allclose(thick[0].get_ydata(), expected)
    assert len([line for line in loss.get_lines() if line.get_linewidth() < 1]) == 12  # six seeds, two splits


def test_a_baseline_that_diverged_has_no_mean_and_says_so(cases: dict[str, Case]) -> None:
    loss, accuracy, all_runs = cases["baseline diverged"].drawing("curves").figure.axes
    assert not [line for axes in (loss, accuracy) for line in axes.get_lines() if line.get_linewidth() > 1]
    assert loss.get_title(loc="left") == "baseline, loss: diverged"
    assert [line for line in all_runs.get_lines() if line.get_linewidth() > 1]  # other runs finished
