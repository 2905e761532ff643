"""What accuracy costs: multiplications, which are exact, and time, measured alone beside the baseline's."""

from __future__ import annotations

import math

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from vitflow.analysis.records import Run, Summary
from vitflow.figures.axis import ALIKE, MULTIPLICATIONS, TIME, Quantity, short
from vitflow.figures.labels import Label, place, wrap
from vitflow.figures.read import Analysis
from vitflow.figures.style import (
    FULL,
    GREY,
    SMALL,
    Drawing,
    axis_look,
    diverged,
    heading,
    highlighted,
    looks,
    new_figure,
    seeds,
)
from vitflow.study.grid import BASELINE

#: with more runs than this, a legend of axes names those whose label finds no room
LABELLED = 16
#: a run whose cost is within these factors of the baseline's costs the same
SAME = ((MULTIPLICATIONS, ALIKE), (TIME, 1.15))


def draw(analysis: Analysis) -> Drawing:
    """Test accuracy against multiplications per image and against training time, both on log scales.

    Values of one axis are joined in their order; vertical lines are one standard deviation over seeds. Runs
    at the baseline's cost (most changes of recipe) say nothing here and are grey dashes. Runs whose time is not
    measured are missing from its panel.
    """
    summary, runs = analysis.summary, analysis.summary.runs
    look, pointed_out = looks(summary), highlighted(summary)
    finished = [name for name in runs if runs[name].n]
    alike = [name for name in finished if name not in pointed_out and _same_cost(runs[name], runs[BASELINE])]
    shown = [name for name in finished if name not in alike]
    lines = {
        index: [runs[place.run] for place in axis.values if place.run in shown]
        for index, axis in enumerate(summary.axes)
        if any(place.run in shown and place.run != BASELINE for place in axis.values)
    }
    crowded = len(shown) > LABELLED
    figure = new_figure(FULL)
    panels = figure.subplots(1, 2, sharey=True)
    for axes, quantity in zip(panels, (MULTIPLICATIONS, TIME), strict=True):
        for index, line in lines.items():
            colour = axis_look(index).colour
            axes.plot(*_columns(_pairs(line, quantity)), color=colour, linewidth=1, alpha=0.6, zorder=1)
        axes.plot(*_columns(_pairs([runs[name] for name in alike], quantity)), "_", color=GREY, markersize=12, zorder=2)
        for name in shown:
            for cost, accuracy in _pairs([runs[name]], quantity):
                axes.errorbar(
                    cost,
                    accuracy,
                    yerr=runs[name].test.sd or 0,
                    fmt=look[name].marker,
                    color=look[name].colour,
                    markersize=9,
                    markeredgecolor="white",
                    elinewidth=1.2,
                    zorder=3,
                )
        _log_scale(axes, [cost for cost, _ in _pairs([runs[name] for name in finished], quantity)])
        axes.set_xlabel(quantity.words)
        axes.grid()
    heading(panels[0], "test accuracy (%)")
    panels[0].margins(y=0.12)
    if crowded:
        _legend_of_axes(figure, summary, list(lines))

    named = [name for name in pointed_out if name in shown]
    order = [*named, *(name for name in shown if name not in named)]
    for axes, quantity in zip(panels, (MULTIPLICATIONS, TIME), strict=True):
        labels = [
            Label(
                cost,
                accuracy,
                wrap(runs[name].label, 22),
                look[name].colour,
                must=name in named or not crowded,
            )
            for name in order
            for cost, accuracy in _pairs([runs[name]], quantity)
        ]
        place(axes, labels, _pairs([runs[name] for name in finished], quantity))

    spread = "vertical lines are plus and minus one standard deviation over seeds"
    dashes = f" Grey dashes: {len(alike)} runs at the baseline's cost." if alike else ""
    where = summary.measured_on
    clock = f" Time: measured alone on {where}, by turns with the baseline." if where else ""
    caption = f"Accuracy against cost; {seeds(summary)}; {spread} (from two seeds on).{dashes}{clock}"
    listed = "; ".join(
        f"{runs[name].label} {short(runs[name].multiplications)} multiplications, "
        f"time {_times(runs[name])}, {runs[name].test.mean:.1f} % (n = {runs[name].n})"
        for name in shown
    )
    alt = (
        f"Test accuracy of {len(finished)} runs, {seeds(summary, finished)}, against multiplications per image and "
        f"against training time, on log scales: {listed}. Markers are means, {spread} (from two seeds on); thin lines "
        f"join the values of one axis.{dashes}{clock}{diverged(summary)}"
    )
    return Drawing(figure, caption, alt)


def _same_cost(run: Run, baseline: Run) -> bool:
    def ratio(quantity: Quantity) -> float:
        ours, theirs = quantity.of(run), quantity.of(baseline)
        return 1.0 if ours is None or theirs is None else ours / theirs

    return all(1 / factor < ratio(quantity) < factor for quantity, factor in SAME)


def _pairs(runs: list[Run], quantity: Quantity) -> list[tuple[float, float]]:
    """(cost, mean test accuracy) of the runs for which both are known."""
    pairs = [(quantity.of(run), run.test.mean) for run in runs]
    return [(cost, accuracy) for cost, accuracy in pairs if cost is not None and accuracy is not None]


def _columns(pairs: list[tuple[float, float]]) -> tuple[list[float], list[float]]:
    return [cost for cost, _ in pairs], [accuracy for _, accuracy in pairs]


def _times(run: Run) -> str:
    return "not measured" if run.time_ratio is None else f"{run.time_ratio:.2f} times the baseline's"


def _log_scale(axes: Axes, numbers: list[float]) -> None:
    low, high = (min(numbers), max(numbers)) if numbers else (1.0, 10.0)
    axes.set_xscale("log")
    # air on each side, where labels find room
    factor = max((high / low) ** 0.15, 1.5 if high > 3 * low else 3)
    axes.set_xlim(low / factor, high * factor)
    few = math.log10(high / low) < 1.5
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if few else (1,)))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: short(value).replace(".0", "")))


def _legend_of_axes(figure: Figure, summary: Summary, indices: list[int]) -> None:
    entries = [
        Line2D(
            [],
            [],
            color=axis_look(index).colour,
            marker=axis_look(index).marker,
            linewidth=1,
            markersize=8,
            label=wrap(summary.axes[index].label, 18),
        )
        for index in indices
    ]
    figure.legend(handles=entries, loc="outside right center", fontsize=SMALL, frameon=False)
