"""Learning curves: does the baseline converge, and how do the other runs learn beside it?"""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from vitflow.figures.labels import Label, end_labels, wrap
from vitflow.figures.read import Analysis
from vitflow.figures.style import FULL, GREY, SMALL, Drawing, diverged, heading, highlighted, looks, new_figure, seeds
from vitflow.study.grid import BASELINE

Series = dict[int, dict[str, NDArray[np.float64]]]


def draw(analysis: Analysis) -> Drawing:
    """Loss and accuracy of the baseline, and validation accuracy of all runs, by epoch.

    Thin lines are seeds, thick ones the mean of the seeds that reached the last epoch.
    """
    summary, runs = analysis.summary, analysis.summary.runs
    look, named = looks(summary), highlighted(summary)
    figure = new_figure(FULL)
    loss, accuracy, all_runs = figure.subplots(1, 3)

    for axes, quantity in ((loss, "loss"), (accuracy, "accuracy")):
        labels = []
        for split, dashes in (("train", "--"), ("validation", "-")):
            end = _lines(axes, analysis, BASELINE, f"{split}_{quantity}", dashes)
            labels += [Label(*end, split, look[BASELINE].colour)] if end else []
        unit = " (%)" if quantity == "accuracy" else ""
        heading(axes, f"baseline, {quantity}{unit}" if labels else f"baseline, {quantity}{unit}: diverged")
        end_labels(axes, labels)

    others = [name for name in analysis.curves if name not in named]
    for name in others:
        for columns in analysis.curves[name].values():
            all_runs.plot(columns["epoch"], columns["validation_accuracy"], color=GREY, alpha=0.3, linewidth=0.8)
    ends = {
        name: _lines(all_runs, analysis, name, "validation_accuracy")
        for name in reversed(named)  # the baseline on top
        if name in analysis.curves
    }
    heading(all_runs, "validation accuracy (%)")
    if others:
        note = f"grey: {len(others)} other run{'s' if len(others) > 1 else ''}"
        all_runs.text(0.98, 0.03, note, transform=all_runs.transAxes, ha="right", color=GREY, fontsize=SMALL)
    end_labels(
        all_runs, [Label(*end, wrap(runs[name].label, 14), look[name].colour) for name, end in ends.items() if end]
    )
    for axes in (loss, accuracy, all_runs):
        axes.set_xlabel("epoch")
        axes.xaxis.set_major_locator(MaxNLocator(nbins=4, steps=[1, 2, 5, 10], integer=True))
        axes.grid(axis="y")

    last = _last_epoch(analysis.curves.get(BASELINE, {}))
    caption = f"Learning curves; thin lines are seeds, thick lines their mean (baseline: {seeds(summary, [BASELINE])})."
    alt = (
        f"Three panels over {last} epochs. Loss and accuracy of the baseline on training images (augmented, dashed) "
        f"and validation images (solid), {seeds(summary, [BASELINE])}; validation accuracy of "
        f"{', '.join(runs[name].label for name in named)} and, in grey, of {len(others)} other runs, "
        f"{seeds(summary)} each. Thin lines are seeds, thick lines the mean of finished seeds; there are no bands."
        f"{_finals(analysis, named)}{diverged(summary)}"
    )
    return Drawing(figure, caption, alt)


def _lines(axes: Axes, analysis: Analysis, name: str, column: str, dashes: str = "-") -> tuple[float, float] | None:
    """Draw the seeds of a run and their mean; return the mean's last point, None where there is no mean."""
    colour = looks(analysis.summary)[name].colour
    series = analysis.curves.get(name, {})
    for columns in series.values():
        axes.plot(columns["epoch"], columns[column], color=colour, linestyle=dashes, alpha=0.35, linewidth=0.8)
    # seeds that did not diverge reach the last epoch
    last = _last_epoch(series)
    finished = [columns for columns in series.values() if columns["epoch"][-1] == last]
    if not analysis.summary.runs[name].n:
        return None
    epochs = finished[0]["epoch"]
    mean = np.mean([columns[column] for columns in finished], axis=0)
    if not np.isfinite(mean[-1]):  # there are no validation images
        return None
    marker = "o" if len(epochs) < 4 else ""  # one or two points do not make a visible line
    axes.plot(epochs, mean, color=colour, linestyle=dashes, marker=marker)
    return float(epochs[-1]), float(mean[-1])


def _last_epoch(series: Series) -> int:
    return int(max((columns["epoch"][-1] for columns in series.values()), default=0))


def _finals(analysis: Analysis, named: list[str]) -> str:
    runs = analysis.summary.runs
    finals = [f"{runs[n].label} {runs[n].validation.mean:.1f} %" for n in named if runs[n].n]
    return f" Final validation accuracy: {', '.join(finals)}." if finals else ""
