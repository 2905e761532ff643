"""Learning curves on training and validation images: the baseline, what differs most, and all others behind them."""

from __future__ import annotations

import numpy as np
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from vitflow.analysis.records import Summary
from vitflow.figures.labels import Label, end_labels, wrap
from vitflow.figures.looks import looks, telling
from vitflow.figures.read import Analysis
from vitflow.figures.style import BLACK, FULL, GREY, Drawing, diverged, heading, missing, new_figure, seeds
from vitflow.study.grid import BASELINE
from vitflow.study.names import counted

#: what is drawn, each in a panel of its own; accuracies share a scale, so that the gap between them can be read
PANELS = (
    ("train_loss", "training loss"),
    ("validation_loss", "validation loss"),
    ("train_accuracy", "training accuracy (%)"),
    ("validation_accuracy", "validation accuracy (%)"),
)
Means = dict[str, NDArray[np.float64]]


def draw(analysis: Analysis) -> Drawing:
    """Loss and accuracy on training and on validation images by epoch.

    Lines are means over the seeds that finished, thin ones the baseline's seeds. Runs for other epochs than the
    baseline's are left out.
    """
    summary, look = analysis.summary, looks(analysis.summary)
    epochs = summary.epochs
    means = _means(analysis)
    if not means:
        return missing("No run has finished, so there is no learning curve to show.", FULL)
    named = [name for name in telling(summary) if name in means]
    others = [name for name in means if name not in named]
    figure = new_figure(FULL)
    panels = figure.subplots(1, len(PANELS), sharex=True)
    panels[3].sharey(panels[2])  # losses are not alike: labels are smoothed in training alone
    panels[3].tick_params(labelleft=False)
    for axes, (column, words) in zip(panels, PANELS, strict=True):
        for name in others:  # hundreds of lines would make the SVG slow: they become pixels
            values = means[name][column]
            axes.plot(means[name]["epoch"], values, color=GREY, alpha=0.25, linewidth=0.8, rasterized=True)
        for seed in analysis.curves.get(BASELINE, {}).values():
            axes.plot(seed["epoch"], seed[column], color=BLACK, alpha=0.3, linewidth=0.6)
        for name in reversed(named):  # the baseline on top
            values = means[name][column]
            marker = "o" if len(values) < 4 else ""  # one or two points do not make a visible line
            axes.plot(means[name]["epoch"], values, color=look[name].colour, marker=marker)
        heading(axes, words)
        axes.title.set_fontsize(13)
        axes.set_xlabel("epoch")
        axes.xaxis.set_major_locator(MaxNLocator(nbins=4, steps=[1, 2, 5, 10], integer=True))
        axes.grid(axis="y")
        if not any(np.isfinite(means[name][column]).any() for name in means):
            axes.text(0.5, 0.5, "no validation images", transform=axes.transAxes, ha="center", color=GREY)
    labels = [Label(0, _end(means[name]), wrap(summary.runs[name].label, 18, 3), look[name].colour) for name in named]
    if others:
        labels.append(
            Label(0, min([label.y for label in labels], default=0.0), counted(len(others), "other run"), GREY)
        )
    end_labels(panels[-1], labels)

    apart = sum(1 for name, run in summary.runs.items() if run.n and name not in means)
    left = f" Left out: {counted(apart, 'run')} for other epochs." if apart else ""
    caption = (
        f"Means over finished seeds ({seeds(summary, named)}); thin black: the baseline's seeds. Training images as "
        f"augmented{_smoothed(summary)}.{left}"
    )
    finals = ", ".join(f"{summary.runs[name].label} {summary.runs[name].validation.mean or 0:.1f} %" for name in named)
    alt = (
        f"Four panels by epoch, to {epochs}: loss and accuracy on training images, as augmented, and on "
        f"validation images, of {', '.join(summary.runs[name].label for name in named)} and, in grey, of {len(others)} "
        f"other runs, {seeds(summary)} each. Lines are means over finished seeds, thin black lines the baseline's "
        f"seeds; there are no bands. Final validation accuracy: {finals}.{left}{diverged(summary)}"
    )
    return Drawing(figure, caption, alt)


def _means(analysis: Analysis) -> dict[str, Means]:
    """By run, the mean of every column over the seeds that finished; of runs for the baseline's epochs alone."""
    epochs = analysis.summary.epochs
    found = {}
    for name, series in analysis.curves.items():
        # seeds that did not diverge reach the last epoch
        finished = [columns for columns in series.values() if columns["epoch"][-1] == epochs]
        if finished and analysis.summary.runs[name].n:
            found[name] = {key: np.mean([columns[key] for columns in finished], axis=0) for key in finished[0]}
    return found


def _smoothed(summary: Summary) -> str:
    """What else the training loss has."""
    smoothing = float(str(summary.training.get("label_smoothing") or 0))
    return f", with labels smoothed by {smoothing:g}" if smoothing else ""


def _end(means: Means) -> float:
    """Where a label stands: at the last validation accuracy, or what there is instead without validation images."""
    last = float(means["validation_accuracy"][-1])
    return last if np.isfinite(last) else float(means["train_accuracy"][-1])
