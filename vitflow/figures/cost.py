"""What accuracy costs: multiplications, which are exact, and time, measured alone beside the baseline's."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from vitflow.analysis.records import Confirmed, Run, Statistics, Summary, Winners
from vitflow.figures.axis import MULTIPLICATIONS, TIME, Quantity, differ, short
from vitflow.figures.labels import Label, place, wrap
from vitflow.figures.looks import Look, families, highlighted, legend, legend_below, looks
from vitflow.figures.read import Analysis
from vitflow.figures.style import FULL, GREY, Drawing, diverged, heading, missing, new_figure, seeds
from vitflow.study.grid import BASELINE, BEST
from vitflow.study.names import counted

#: what is trained on the same images for as many epochs
COMPARED = ("baseline", "change", "cross", "family")


def draw(analysis: Analysis) -> Drawing:
    """Test accuracy against multiplications per image and, where times differ, against training time, on log scales.

    A line joins the ViTs that no other beats at the same cost or a lower one (Pareto front). These, the baseline, the
    best and other families are named; vertical lines at them are one deviation over seeds. The best combination,
    whose time is not measured and whose seeds are others, stands in the first panel, apart from that line.
    """
    summary, look, best = analysis.summary, looks(analysis.summary), _best(analysis.winners)
    runs = {name: run for name, run in summary.runs.items() if run.n and run.kind in COMPARED}
    if not runs:
        return missing("No run has finished, so there is no accuracy to set against a cost.", FULL)
    timed = [time for run in runs.values() if (time := run.relative_time) is not None]
    quantities = [MULTIPLICATIONS, *([TIME] if differ(timed, TIME) else [])]
    fronts = {quantity: _front(runs, quantity) for quantity in quantities}
    figure = new_figure(FULL)
    panels = figure.subplots(1, len(quantities), sharey=True, squeeze=False)[0]
    named = [name for name in [*highlighted(summary), *families(summary)[:3]] if name in runs]
    for axes, quantity in zip(panels, quantities, strict=True):
        _points(axes, runs, look, quantity, {*named, *fronts[quantity]})
        axes.step(*_columns(runs, fronts[quantity], quantity), where="post", color=GREY, linewidth=1.2, zorder=1)
        beside = [float(best.multiplications)] if best and quantity is MULTIPLICATIONS else []
        _log_scale(axes, [cost for name in runs if (cost := quantity.of(runs[name])) is not None] + beside)
        axes.set_xlabel(quantity.words)
        axes.grid()
    if best:
        _point(panels[0], best.multiplications, best.test, look[BEST], named=True)
    heading(panels[0], "test accuracy (%)")
    panels[0].margins(y=0.12)
    legend_below(figure, legend(summary, list(runs), "two changes"))
    for axes, quantity in zip(panels, quantities, strict=True):
        names = list(dict.fromkeys([*named, *fronts[quantity][::-1]]))
        _labels(axes, runs, look, quantity, names, fronts[quantity], best if quantity is MULTIPLICATIONS else None)

    clock = _clock(summary, timed, shown=TIME in quantities, untimed=len(runs) - len(timed))
    apart = sum(run.kind not in COMPARED for run in summary.runs.values())
    left = f" Left out: {counted(apart, 'run')} on fewer images or for other epochs." if apart else ""
    of = seeds(summary, list(runs))
    same = f"multiplications within {MULTIPLICATIONS.alike - 1:.0%}, times within {TIME.alike - 1:.0%}"
    line = f"the line joins runs that none beats at the same cost ({same}) or less"
    star = " Star: the best combination, on fresh seeds." if best else ""
    caption = f"Accuracy against cost, {of}; {line}.{star}{clock}{left}"
    listed = "; ".join(
        f"{run.label} {short(run.multiplications)} multiplications, time {_time(run)}, {run.test.mean:.1f} % "
        f"(n = {run.n})"
        for run in runs.values()
    )
    alt = (
        f"Test accuracy of {len(runs)} runs, {of}, against multiplications per image"
        f"{' and against training time' if len(quantities) > 1 else ''}, on log scales: {listed}. Markers are means, "
        f"vertical lines at the named ones plus and minus one standard deviation over seeds (from two seeds on). A "
        f"stepped line joins the ViTs that none beats at the same cost or less: "
        f"{', '.join(runs[name].label for name in fronts[MULTIPLICATIONS])}."
        + (f"{star[:-1]}, {short(best.multiplications)} multiplications, {best.test.mean:.1f} %." if best else "")
        + f"{clock}{left}{diverged(summary)}"
    )
    return Drawing(figure, caption, alt)


def _front(runs: Mapping[str, Run], quantity: Quantity) -> list[str]:
    """ViTs that none beats which costs as much, nearly, or less: cheapest first; none with a diverged seed."""
    known = {
        name: (cost, run.test.mean or 0.0)
        for name, run in runs.items()
        if not run.diverged and run.kind != "family" and (cost := quantity.of(run)) is not None
    }
    found = [
        name
        for name, (cost, accuracy) in known.items()
        if not any(other > accuracy and at < quantity.alike * cost for at, other in known.values())
    ]
    return sorted(found, key=known.__getitem__)


def _points(axes: Axes, runs: Mapping[str, Run], look: Mapping[str, Look], quantity: Quantity, named: set[str]) -> None:
    for name, run in sorted(runs.items(), key=lambda item: (item[0] in named, item[1].kind != "cross")):
        if (cost := quantity.of(run)) is None or run.test.mean is None:
            continue
        _point(axes, cost, run.test, look[name], named=name in named)


def _point(axes: Axes, cost: float, test: Statistics, look: Look, *, named: bool) -> None:
    axes.errorbar(
        cost,
        test.mean or 0.0,
        yerr=(test.sd or 0) if named else 0,
        fmt=look.marker,
        color=look.colour,
        markersize=(13 if look.marker == "*" else 9) if named else 6,
        alpha=1 if named else 0.5,
        markeredgecolor="white",
        markeredgewidth=0.8,
        elinewidth=1.2,
        zorder=3 if named else 2,
    )


def _best(winners: Winners | None) -> Confirmed | None:
    """The best combination, if there is one beside the baseline and a seed of it finished."""
    if winners is None or winners.selection.best == BASELINE:
        return None
    return winners.best if winners.best.n else None


def _labels(
    axes: Axes,
    runs: Mapping[str, Run],
    look: Mapping[str, Look],
    quantity: Quantity,
    names: Sequence[str],
    front: Sequence[str],
    best: Confirmed | None,
) -> None:
    """The baseline, the first family and the best are named at any price, others where there is room."""
    labels = [
        Label(cost, run.test.mean, wrap(run.label, 22), look[name].colour, must=k < 3)
        for k, (name, run) in enumerate((name, runs[name]) for name in names)
        if (cost := quantity.of(run)) is not None and run.test.mean is not None
    ]
    points = list(zip(*_columns(runs, list(runs), quantity), strict=True))
    if best:
        star = (float(best.multiplications), best.test.mean or 0.0)
        labels.insert(0, Label(*star, "best combination", look[BEST].colour))
        points.append(star)
    steps = list(zip(*_columns(runs, front, quantity), strict=True))
    line = [(x, y) for (at, y), (to, _) in pairwise(steps) for x in np.geomspace(at, to, 24)]
    place(axes, labels, points + line)


def _columns(runs: Mapping[str, Run], names: Sequence[str], quantity: Quantity) -> tuple[list[float], list[float]]:
    """Costs and mean test accuracies of the runs for which both are known."""
    pairs = [(quantity.of(runs[name]), runs[name].test.mean) for name in names]
    known = [(cost, accuracy) for cost, accuracy in pairs if cost is not None and accuracy is not None]
    return [cost for cost, _ in known], [accuracy for _, accuracy in known]


def _clock(summary: Summary, timed: Sequence[float], *, shown: bool, untimed: int) -> str:
    if not timed:
        return " Training time is not measured."
    if not shown and untimed:
        return " Training time is not shown: it was not measured for all."
    if not shown:
        return f" Training time is not shown: all are within {TIME.alike - 1:.0%} of each other."
    absent = f" Not on the right, since not measured: {counted(untimed, 'run')}." if untimed else ""
    return f" Time: measured on {summary.measured_on} with nothing else running, by turns with the baseline.{absent}"


def _time(run: Run) -> str:
    return "not measured" if run.relative_time is None else f"{run.relative_time:.2f} times the baseline's"


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
