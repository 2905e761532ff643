"""One axis of the study: what each value reaches on the test images, and what else it changes."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator

from vitflow.analysis.records import Run
from vitflow.figures.labels import wrap
from vitflow.figures.read import Analysis
from vitflow.figures.style import (
    BESIDE,
    BLACK,
    GREY,
    HALO,
    PALE,
    SMALL,
    Drawing,
    diverged,
    heading,
    looks,
    new_figure,
    seeds,
)
from vitflow.study.fields import within
from vitflow.study.grid import BASELINE

#: least height of the accuracy scale in points, so that noise is not blown up into an effect
LEAST_SPAN = 2.0
#: counts of multiplications within this factor hardly differ
ALIKE = 1.05


class Quantity(NamedTuple):
    """Something that a run costs."""

    words: str
    of: Callable[[Run], float | None]  #: None where it is not measured


MULTIPLICATIONS = Quantity("multiplications per image", lambda run: run.multiplications)
TIME = Quantity("training time (baseline = 1)", lambda run: run.time_ratio)


def draw(analysis: Analysis, index: int) -> Drawing:
    """Test accuracy by value of the ``index``-th axis of the summary, every seed a dot; below it the confound.

    The confound is what a value costs: multiplications per image or, where these hardly change, training time.
    """
    summary = analysis.summary
    axis, runs, look = summary.axes[index], summary.runs, looks(summary)
    names = [place.run for place in axis.values]
    figure = new_figure(BESIDE)
    accuracy, confound = figure.subplots(2, 1, sharex=True, height_ratios=[3, 1])

    for x, name in enumerate(names):
        _seeds(accuracy, x, runs[name], look[name].colour)
    _scale(accuracy, [value for name in names for value in runs[name].test.values])
    for x, name in enumerate(names):
        if runs[name].diverged:
            _mark_diverged(accuracy, x, runs[name])
    _baseline_band(accuracy, runs[BASELINE], summary.equivalence_margin)
    heading(accuracy, "test accuracy (%)")
    # as many as the height allows would change with the layout, which they change
    accuracy.yaxis.set_major_locator(MaxNLocator(6))
    accuracy.grid(axis="y")
    accuracy.tick_params(axis="x", length=0)

    what, numbers = _confound([runs[name] for name in names])
    bars = confound.bar(range(len(names)), numbers, width=0.5, color=[look[name].colour for name in names], alpha=0.75)
    confound.bar_label(bars, [short(number) for number in numbers], padding=2, fontsize=_size(len(names)))
    confound.set_ylim(0, 1.35 * max(numbers))
    heading(confound, what)
    confound.set_yticks([])
    confound.spines["left"].set_visible(False)
    width = max(int(64 / len(names)), 6)  # characters that fit under a bar
    ticks = [f"{wrap(place.value, width, 3)}\nn = {runs[place.run].n}" for place in axis.values]
    confound.set_xticks(range(len(names)), ticks, fontsize=_size(len(names)))
    confound.set_xlim(-0.6, len(names) - 0.4)
    confound.set_xlabel(axis.label)

    listed = ", ".join(_in_words(place.value, runs[place.run], place.run) for place in axis.values)
    caption = f"{axis.label}: every dot a seed, bars the mean. What else changes: {axis.confound}."
    alt = (
        f"Test accuracy by {within(axis.label)}, {seeds(summary, names)}: {listed}. Every dot is a seed, a bar the "
        f"mean, a box plus and minus one standard deviation over seeds (from two seeds on). The grey band is the "
        f"baseline's mean plus and minus {summary.equivalence_margin:g} points, the margin of equivalence. "
        f"Lower panel: {what}: {', '.join(map(short, numbers))}. What else changes: {axis.confound}."
        f"{diverged(summary, names)}"
    )
    return Drawing(figure, caption, alt)


def _seeds(axes: Axes, x: int, run: Run, colour: str) -> None:
    test = run.test
    if test.mean is None:
        return
    if test.sd is not None:
        corner = (x - 0.25, test.mean - test.sd)
        axes.add_patch(Rectangle(corner, 0.5, 2 * test.sd, facecolor=colour, alpha=0.18, linewidth=0))
    axes.plot([x - 0.25, x + 0.25], [test.mean] * 2, color=colour, linewidth=3)
    # side by side, so that equal results do not hide each other
    beside = (np.arange(len(test.values)) - (len(test.values) - 1) / 2) * min(0.09, 0.4 / len(test.values))
    axes.scatter(x + beside, test.values, s=45, color=colour, edgecolor="white", linewidth=0.8, zorder=3)


def _scale(axes: Axes, values: list[float]) -> None:
    """Limits around the values, with room below for words on diverged seeds."""
    low, high = (min(values), max(values)) if values else (0.0, 100.0)
    middle, half = (low + high) / 2, max(high - low, LEAST_SPAN) / 2
    axes.set_ylim(middle - 1.35 * half, middle + 1.2 * half)


def _mark_diverged(axes: Axes, x: int, run: Run) -> None:
    text = f"\N{MULTIPLICATION SIGN} {run.diverged} of {run.diverged + run.n}\ndiverged"
    axes.text(
        x, 0.03, text, transform=axes.get_xaxis_transform(), ha="center", va="bottom", fontsize=SMALL, path_effects=HALO
    )


def _baseline_band(axes: Axes, baseline: Run, margin: float) -> None:
    mean = baseline.test.mean
    if mean is None:
        return
    axes.axhspan(mean - margin, mean + margin, color=PALE, zorder=0)
    axes.axhline(mean, color=GREY, linewidth=1, linestyle=":", zorder=1)
    axes.annotate(
        f"baseline\n± {margin:g}",
        (1.01, mean),
        xycoords=("axes fraction", "data"),
        va="center",
        fontsize=SMALL,
        color=BLACK,
    )


def _confound(runs: list[Run]) -> tuple[str, list[float]]:
    counts, times = [run.multiplications for run in runs], [run.time_ratio for run in runs]
    measured = [time for time in times if time is not None]
    if len(measured) == len(runs) and max(counts) < ALIKE * min(counts):
        return TIME.words, measured
    return MULTIPLICATIONS.words, [float(count) for count in counts]


def short(number: float) -> str:
    """A number in at most four characters and a unit: ``0.94``, ``24``, ``890 k``, ``173 M``, ``1.3 G``."""
    for unit, size in ((" G", 1e9), (" M", 1e6), (" k", 1e3)):
        if number >= size:
            return f"{number / size:.{1 if number < 9.95 * size else 0}f}{unit}"
    return f"{number:.0f}" if number >= 10 else f"{number:.2f}".rstrip("0").rstrip(".")


def _size(columns: int) -> int:
    return 13 if columns <= 6 else 11


def _in_words(value: str, run: Run, name: str) -> str:
    own = " (baseline)" if name == BASELINE else ""
    if not run.n:
        return f"{value}{own} no finished seed"
    spread = "" if run.test.sd is None else f" ± {run.test.sd:.2f}"
    return f"{value}{own} {run.test.mean:.2f}{spread} % (n = {run.n})"
