"""All runs against the baseline on one scale: a forest plot of differences in test accuracy."""

from __future__ import annotations

import math

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from vitflow.analysis.records import Interval, Run, Summary
from vitflow.figures.labels import wrap
from vitflow.figures.read import Analysis
from vitflow.figures.style import BODY, FULL, GREY, PALE, SMALL, Drawing, Look, diverged, looks, new_figure, seeds
from vitflow.study.grid import BASELINE

#: columns, and the most rows for which they are enough
COLUMNS = ((1, 11), (2, 26))
#: characters of a label in one line, by the number of columns
WIDTHS = {1: 44, 2: 28, 3: 21}
#: beyond this many times the 85 % quantile of all differences, a run is an arrow at the edge
FAR = 1.6


def draw(analysis: Analysis) -> Drawing:
    """One row a run: each seed a dot, the mean difference a bar, the margin of equivalence a grey band.

    A seed is drawn as its distance from the baseline's mean over the seeds the run is paired with, so that
    dots average to the stated difference.
    """
    summary = analysis.summary
    runs, look, margin = summary.runs, looks(summary), summary.equivalence_margin
    names = _in_order(summary)
    low, high = _limits(runs, margin)
    columns = next((c for c, rows in COLUMNS if len(names) <= rows), 3)
    rows = math.ceil(len(names) / columns)
    figure = new_figure(FULL)
    panels = figure.subplots(1, columns, squeeze=False)[0]
    row_height = 72 * 0.8 * FULL[1] / max(rows, 7)  # points
    size = min(BODY - 1 if columns < 3 else SMALL, 0.78 * row_height)
    label_lines = 2 if 0.78 * row_height >= 2 * size else 1

    for number, axes in enumerate(panels):
        part = names[number * rows : (number + 1) * rows]
        axes.set_xlim(low, high)
        axes.set_ylim(max(rows, 7) - 0.5, -0.5)
        axes.axvspan(-margin, margin, color=PALE, zorder=0)
        axes.axvline(0, color=GREY, linewidth=1, zorder=1)
        for y, name in enumerate(part):
            _row(axes, y, name, runs[name], look[name])
            words = _in_words(name, runs[name])
            axes.text(1.04, y, words, transform=axes.get_yaxis_transform(), va="center_baseline", fontsize=size)
        labels = [wrap(runs[name].label, WIDTHS[columns], label_lines) for name in part]
        axes.set_yticks(range(len(part)), labels, fontsize=size, linespacing=0.95)
        axes.xaxis.set_major_locator(MaxNLocator(nbins=9 // columns, steps=[1, 2, 3, 4, 5, 10]))
        axes.tick_params(axis="y", length=0)
        axes.spines["left"].set_visible(False)
        axes.grid(axis="x")
    figure.supxlabel("test accuracy minus baseline, in points; at the right its mean (seeds)", fontsize=BODY)

    told = [f"{runs[name].label} {_in_words(name, runs[name])}" for name in names if name != BASELINE]
    lines = " lines simultaneous 95 % intervals," if any(map(_interval, runs.values())) else ""
    caption = f"Test accuracy minus baseline: every dot a seed, bars the mean,{lines} {seeds(summary)}."
    alt = (
        f"Forest plot of {len(names)} runs, {seeds(summary)}. Test accuracy minus the baseline in percentage points, "
        f"number of seeds in brackets: {'; '.join(told)}. Every dot is a seed, a bar the mean over seeds; the "
        f"grey band is plus and minus {margin:g} points, the margin of equivalence, not an interval. Lines, where a "
        f"run has three seeds, are simultaneous 95 percent intervals (Dunnett). An arrow at the "
        f"edge is a run beyond the scale."
        f"{diverged(summary)}"
    )
    return Drawing(figure, caption, alt)


def _row(axes: Axes, y: int, name: str, run: Run, look: Look) -> None:
    points = _points(name, run)
    if points is None:
        return
    mean, dots = points
    low, high = axes.get_xlim()
    if not low < mean < high:
        air = 0.03 * (high - low)
        edge, arrow = (low + air, "<") if mean < low else (high - air, ">")
        axes.plot(edge, y, arrow, markersize=9, color=look.colour)
        return
    if interval := _interval(run):
        axes.plot(np.clip(interval, low, high), [y, y], color=look.colour, linewidth=1.8, solid_capstyle="butt")
    axes.plot(dots, [y] * len(dots), "o", markersize=6, color=look.colour, alpha=0.6, markeredgewidth=0)
    axes.plot([mean] * 2, [y - 0.32, y + 0.32], color=look.colour, linewidth=3, solid_capstyle="butt")


def _interval(run: Run) -> Interval | None:
    """The simultaneous 95 % interval of a run's difference; None under three seeds."""
    return run.difference.test_interval if run.difference else None


def _points(name: str, run: Run) -> tuple[float, list[float]] | None:
    """Mean difference of a run, and that of each seed; None without a finished seed to compare."""
    if run.test.mean is None or (run.difference is None and name != BASELINE):
        return None
    difference = run.difference.test if run.difference else 0.0
    compared_with = run.test.mean - difference
    return difference, [value - compared_with for value in run.test.values]


def _limits(runs: dict[str, Run], margin: float) -> tuple[float, float]:
    """A scale for most runs: the few that lie far out (:data:`FAR`) would shrink all others to a line."""
    points = {name: found for name, run in runs.items() if (found := _points(name, run))}
    far = FAR * float(np.quantile([abs(mean) for mean, _ in points.values()] or [0.0], 0.85))
    near = [name for name, (mean, _) in points.items() if abs(mean) <= far]
    shown = [dot for name in near for dot in points[name][1]]
    ends = [end for name in near for end in _interval(runs[name]) or () if abs(end) <= 2 * far]
    low, high = min([*shown, *ends, -2 * margin]), max([*shown, *ends, 2 * margin])
    air = 0.08 * (high - low)
    return low - air, high + air


def _in_words(name: str, run: Run) -> str:
    """``+1.3 (3)``; ``-0.2 (2, 1 x)`` with one diverged seed; 0 for the baseline; a dash where nothing compares."""
    points = _points(name, run)
    if not run.n:
        return "diverged"
    signed = f"{points[0]:+z.1f}".replace("-", "\N{MINUS SIGN}") if points else "\N{EN DASH}"
    mean = "0" if name == BASELINE else signed
    lost = f", {run.diverged} \N{MULTIPLICATION SIGN}" if run.diverged else ""
    return f"{mean} ({run.n}{lost})"


def _in_order(summary: Summary) -> list[str]:
    """Baseline, the axes as the study has them, references, then the rest; every run once."""
    placed = [place.run for axis in summary.axes for place in axis.values]
    return list(dict.fromkeys([BASELINE, *placed, *summary.references, *summary.runs]))
