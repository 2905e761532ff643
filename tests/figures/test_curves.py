"""Learning curves: loss and accuracy on training and validation images, means of the seeds that finished."""

from __future__ import annotations

import numpy as np
import pytest
from support.figures import Case

from vitflow.figures.curves import PANELS


def test_mean_curves_leave_diverged_seeds_out(diverged: Case) -> None:
    panels = diverged.drawing("curves").figure.axes
    seeds = [diverged.analysis.curves["baseline"][seed] for seed in range(5)]  # the sixth diverged
    for axes, (column, _) in zip(panels, PANELS, strict=True):
        black = [line for line in axes.get_lines() if line.get_color() == "#000000"]
        thick = [line for line in black if line.get_linewidth() > 1]
        np.testing.assert_allclose(thick[0].get_ydata(), np.mean([seed[column] for seed in seeds], axis=0))
        assert len(thick) == 1 and len(black) == 7  # six seeds


def test_accuracies_share_a_scale_and_losses_which_are_not_alike_do_not(diverged: Case) -> None:
    drawing = diverged.drawing("curves")
    one, two, three, four = drawing.figure.axes
    assert three.get_ylim() == four.get_ylim() and one.get_ylim() != two.get_ylim()
    assert "as augmented, with labels smoothed by 0.1" in drawing.caption


@pytest.mark.parametrize("runs", [5, 30, 90, 300])
def test_few_curves_are_coloured_and_labelled_the_others_grey(runs: int, cases: dict[str, Case]) -> None:
    case = cases[f"{runs} runs"]
    axes = case.drawing("curves").figure.axes[-1]
    coloured = {line.get_color() for line in axes.get_lines() if line.get_linewidth() > 1}
    thick = [line for line in axes.get_lines() if line.get_linewidth() > 1]
    assert len(coloured) == len(thick) <= 8, "each its own colour"
    grey = [line for line in axes.get_lines() if line.get_rasterized()]
    epochs = case.analysis.summary.training["epochs"]
    series = case.analysis.curves.values()
    as_long = [run for run in series if epochs in [seed["epoch"][-1] for seed in run.values()]]
    assert len(grey) + len(thick) == len(as_long)


def test_a_baseline_that_diverged_has_no_mean(cases: dict[str, Case]) -> None:
    axes = cases["baseline diverged"].drawing("curves").figure.axes[-1]
    thick = [line.get_color() for line in axes.get_lines() if line.get_linewidth() > 1]
    assert thick and "#000000" not in thick
    assert "baseline" not in [text.get_text() for text in axes.texts]
