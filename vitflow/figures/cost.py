"""What accuracy costs: exact counts of multiplications and parameters, never a clock that others shared."""

from __future__ import annotations

import math
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from vitflow.figures.axis import short
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
from vitflow.grid import BASELINE

#: with more runs than this, a legend of axes names those whose label finds no room
LABELLED = 16
#: a run whose counts are within this factor of the baseline's costs the same
SAME = 1.05


def draw(analysis: Analysis) -> Drawing:
    """Test accuracy against multiplications per image and against parameters, both on log scales.

    Values of one axis are joined in their order; vertical lines are one standard deviation over seeds. Runs
    at the baseline's cost (a change of recipe, or of heads) say nothing here and are grey dashes.
    """
    summary, runs = analysis.summary, analysis.summary["runs"]
    look, pointed_out = looks(summary), highlighted(summary)
    finished = [name for name in runs if runs[name]["n"]]
    alike = [name for name in finished if name not in pointed_out and _same_cost(runs[name], runs[BASELINE])]
    shown = [name for name in finished if name not in alike]
    lines = {
        index: [runs[place["run"]] for place in axis["values"] if place["run"] in shown]
        for index, axis in enumerate(summary["axes"])
        if any(place["run"] in shown and place["run"] != BASELINE for place in axis["values"])
    }
    crowded = len(shown) > LABELLED
    figure = new_figure(FULL)
    panels = figure.subplots(1, 2, sharey=True)
    quantities = ("multiplications", "parameters")
    for axes, quantity in zip(panels, quantities, strict=True):
        for index, line in lines.items():
            colour = axis_look(index).colour
            axes.plot(*_points(line, quantity), color=colour, linewidth=1, alpha=0.6, zorder=1)
        axes.plot(*_points([runs[name] for name in alike], quantity), "_", color=GREY, markersize=12, zorder=2)
        for name in shown:
            axes.errorbar(
                runs[name][quantity],
                runs[name]["test"]["mean"],
                yerr=runs[name]["test"]["sd"] or 0,
                fmt=look[name].marker,
                color=look[name].colour,
                markersize=9,
                markeredgecolor="white",
                elinewidth=1.2,
                zorder=3,
            )
        _log_scale(axes, [runs[name][quantity] for name in finished])
        axes.set_xlabel("multiplications per image" if quantity == "multiplications" else quantity)
        axes.grid()
    heading(panels[0], "test accuracy (%)")
    panels[0].margins(y=0.12)
    if crowded:
        _legend_of_axes(figure, summary, list(lines))

    named = [name for name in pointed_out if name in shown]
    order = [*named, *(name for name in shown if name not in named)]
    for axes, quantity in zip(panels, quantities, strict=True):
        labels = [
            Label(
                runs[name][quantity],
                runs[name]["test"]["mean"],
                wrap(runs[name]["label"], 22),
                look[name].colour,
                must=name in named or not crowded,
            )
            for name in order
        ]
        place(axes, labels, list(zip(*_points([runs[name] for name in finished], quantity), strict=True)))

    spread = "vertical lines are plus and minus one standard deviation over seeds"
    dashes = f" Grey dashes: {len(alike)} runs at the baseline's cost." if alike else ""
    caption = f"Accuracy against cost; {seeds(summary)}; {spread} (from two seeds on).{dashes}"
    listed = "; ".join(
        f"{runs[name]['label']} {short(runs[name]['multiplications'])} multiplications, "
        f"{short(runs[name]['parameters'])} parameters, {runs[name]['test']['mean']:.1f} % (n = {runs[name]['n']})"
        for name in shown
    )
    alt = (
        f"Test accuracy of {len(finished)} runs, {seeds(summary, finished)}, against multiplications per image and "
        f"against parameters, on log scales: {listed}. Markers are means, {spread} (from two seeds on); thin lines "
        f"join the values of one axis.{dashes}{diverged(summary)}"
    )
    return Drawing(figure, caption, alt)


def _same_cost(run: dict[str, Any], baseline: dict[str, Any]) -> bool:
    return all(1 / SAME < run[count] / baseline[count] < SAME for count in ("multiplications", "parameters"))


def _points(runs: list[dict[str, Any]], quantity: str) -> tuple[list[float], list[float]]:
    return [run[quantity] for run in runs], [run["test"]["mean"] for run in runs]


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


def _legend_of_axes(figure: Figure, summary: dict[str, Any], indices: list[int]) -> None:
    entries = [
        Line2D(
            [],
            [],
            color=axis_look(index).colour,
            marker=axis_look(index).marker,
            linewidth=1,
            markersize=8,
            label=wrap(summary["axes"][index]["label"], 18),
        )
        for index in indices
    ]
    figure.legend(handles=entries, loc="outside right center", fontsize=SMALL, frameon=False)
