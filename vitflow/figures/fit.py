"""Does a run underfit or overfit: accuracy on training images, not augmented, beside that on validation images."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.text import Text
from matplotlib.ticker import FixedLocator, MaxNLocator

from vitflow.analysis.records import Run, Summary
from vitflow.figures.labels import Label, place, wrap
from vitflow.figures.looks import highlighted, legend, legend_below, looks
from vitflow.figures.read import Analysis
from vitflow.figures.style import (
    FULL,
    GREY,
    HALO,
    SMALL,
    Drawing,
    diverged,
    heading,
    missing,
    new_figure,
    seeds,
)
from vitflow.study.grid import BASELINE
from vitflow.study.names import counted

#: distances between the two accuracies that may have a line, and lines at most
STEPS, LINES = (1, 2, 5, 10, 20, 50), 4
#: extreme runs that are named, of each kind
EXTREMES = 2


class Point(NamedTuple):
    """Means of a run in percent."""

    train: float
    validation: float

    @property
    def gap(self) -> float:
        """What it knows of its training images alone."""
        return self.train - self.validation


def draw(analysis: Analysis) -> Drawing:
    """Every run by both accuracies; lines of equal distance between them, the first of which is no distance.

    Lower left are runs that underfit, right of the others those that overfit. Runs on fewer training
    images do not set the scale; one that it does not hold is an arrow at its edge.
    """
    summary, look = analysis.summary, looks(analysis.summary)
    points = {name: found for name, run in summary.runs.items() if (found := _point(run))}
    if not points:
        return missing("No run has both a training and a validation accuracy yet.", FULL)
    figure = new_figure(FULL)
    axes = figure.subplots()
    whole = [found for name, found in points.items() if summary.runs[name].kind != "subset"] or list(points.values())
    _scale(axes, whole)
    (left, right), (low, high) = axes.get_xlim(), axes.get_ylim()
    order = sorted(points, key=lambda name: summary.runs[name].kind not in ("cross", "subset", "budget"))
    for name in order:  # what stands on no axis lies below
        run, colour, (x, y) = summary.runs[name], look[name].colour, points[name]
        inside = left <= x <= right and low <= y <= high
        marker, size = (look[name].marker, 9 if colour != GREY else 6) if inside else (">" if x > right else "v", 8)
        if inside:
            axes.scatter(run.clean_train.values, run.validation.values, s=9, color=colour, alpha=0.35, linewidth=0)
        shown = float(np.clip(x, left, right)), float(np.clip(y, low, high))
        axes.plot(*shown, marker, color=colour, markersize=size, mec="white", mew=0.8, clip_on=inside, zorder=3)
    axes.set_xlabel("accuracy on training images, not augmented (%)")
    heading(axes, "validation accuracy (%)")
    legend_below(figure, legend(summary, list(points), "other runs"))
    words = [*_gap_lines(axes, whole), *_corners(axes)]
    named = _named(summary, points)
    labels = [
        Label(*points[name], wrap(summary.runs[name].label, 20), look[name].colour, must=name == BASELINE)
        for name in named
    ]
    place(axes, labels, list(points.values()), around=words)

    (left, right), (low, high) = axes.get_xlim(), axes.get_ylim()
    beyond = sum(not (left <= x <= right and low <= y <= high) for x, y in points.values())
    edge = f" Triangles at the edge: {counted(beyond, 'run')} beyond the scale." if beyond else ""
    told = "; ".join(f"{summary.runs[n].label} {p.train:.1f} and {p.validation:.1f} %" for n, p in points.items())
    of = seeds(summary, list(points))
    caption = f"Markers are means over seeds, dots the seeds ({of}); dashed lines: equal gap.{edge}"
    alt = (
        f"Scatter plot of {len(points)} runs, {of}: accuracy on training images, not augmented (across), and "
        f"on validation images (up), in percent: {told}. Markers are means, dots seeds; dashed lines join equal "
        f"gaps between the two accuracies. There are no bands.{edge}{diverged(summary, list(points))}"
    )
    return Drawing(figure, caption, alt)


def _point(run: Run) -> Point | None:
    train, validation = run.clean_train.mean, run.validation.mean
    return None if train is None or validation is None else Point(train, validation)


def _scale(axes: Axes, points: Sequence[Point]) -> None:
    """Limits with air for labels, to the right above all, where those stand that know their training images."""
    train, validation = [p.train for p in points], [p.validation for p in points]
    across, up = (max(max(values) - min(values), 4.0) for values in (train, validation))
    axes.set_xlim(min(train) - 0.08 * across, max(train) + 0.18 * across)
    axes.set_ylim(min(validation) - 0.15 * up, max(validation) + 0.12 * up)
    ticks = [tick for tick in MaxNLocator(9).tick_values(*axes.get_xlim()) if tick <= 100]
    axes.xaxis.set_major_locator(FixedLocator(ticks))


def _gap_lines(axes: Axes, points: Sequence[Point]) -> list[Text]:
    """Lines of equal distance between the accuracies through the picture, each with its words."""
    (left, right), (low, high) = axes.get_xlim(), axes.get_ylim()
    smallest, largest = max(left - high, 0.0), right - low
    step = next((step for step in STEPS if (largest - smallest) / step <= LINES), STEPS[-1])
    texts: list[Text] = []
    for gap in np.arange(0, largest, step):
        axes.plot([left, right], [left - gap, right - gap], color=GREY, linewidth=0.8, linestyle=(0, (4, 4)), zorder=1)
        at = min(right, high + gap), min(right - gap, high)  # where it leaves the picture
        if at[0] < left + 0.1 * (right - left) or at[1] < low + 0.16 * (high - low):
            continue
        words = "no gap" if gap == 0 else f"gap {gap:g}"
        text = axes.annotate(words, at, (-4, -4), textcoords="offset points", ha="right", va="top", fontsize=SMALL)
        text.set(color=GREY, path_effects=HALO)
        texts.append(text)
    return texts


def _corners(axes: Axes) -> list[Text]:
    texts = []
    for x, ha, words in ((0.02, "left", "underfits"), (0.98, "right", "overfits")):
        text = axes.text(x, 0.03, words, transform=axes.transAxes, ha=ha, color=GREY, fontsize=SMALL, style="italic")
        text.set_path_effects(HALO)
        texts.append(text)
    return texts


def _named(summary: Summary, points: dict[str, Point]) -> list[str]:
    """What is pointed out everywhere, then the extremes: furthest from its training images, least and best fitted."""
    own = [name for name in points if summary.runs[name].kind in ("change", "family")]
    extremes = [
        name
        for key in (lambda n: -points[n].gap, lambda n: points[n].train, lambda n: -points[n].validation)
        for name in sorted(own, key=key)[:EXTREMES]
    ]
    return [name for name in dict.fromkeys([*highlighted(summary), *extremes]) if name in points]
