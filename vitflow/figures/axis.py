"""One axis of the study: what each value reaches on the test images, and what else it changes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from vitflow.analysis.claims import signed
from vitflow.analysis.records import Interval, Run
from vitflow.figures.labels import wrap
from vitflow.figures.looks import looks
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
    missing,
    new_figure,
    seeds,
)
from vitflow.study.fields import within
from vitflow.study.grid import BASELINE

#: least height of the accuracy scale in points, so that noise is not blown up into an effect
LEAST_SPAN = 2.0
#: with more values, seeds are told in the caption alone, and costs of the ends and the baseline
ROOMY = 8


@dataclass(frozen=True)
class Quantity:
    """Something that a run costs."""

    words: str
    of: Callable[[Run], float | None]  #: None where it is not measured
    alike: float  #: numbers within this factor hardly differ


MULTIPLICATIONS = Quantity("multiplications per image", lambda run: float(run.multiplications), 1.05)
TIME = Quantity("training time (baseline = 1)", lambda run: run.relative_time, 1.15)


def differ(numbers: Sequence[float], quantity: Quantity) -> bool:
    """Whether costs differ so much that a picture of them says anything."""
    return bool(numbers) and max(numbers) >= quantity.alike * min(numbers)


def draw(analysis: Analysis, index: int) -> Drawing:
    """Test accuracy by value of the ``index``-th axis of the summary, every seed a dot; below it what a value costs.

    That is multiplications per image or, where these hardly differ, training time; nothing where neither does.
    """
    summary = analysis.summary
    axis, runs, look = summary.axes[index], summary.runs, looks(summary)
    names = [place.run for place in axis.values]
    if not any(runs[name].n for name in names):
        return missing(f"{axis.label}: no value has a finished seed.", BESIDE)
    cost = _cost([runs[name] for name in names])
    figure = new_figure(BESIDE)
    panels = figure.subplots(2 if cost else 1, 1, sharex=True, height_ratios=[3, 1] if cost else None, squeeze=False)
    accuracy, lowest = panels[0, 0], panels[-1, 0]

    for x, name in enumerate(names):
        _seeds(accuracy, x, runs[name], runs[BASELINE], look[name].colour)
    _scale(accuracy, [runs[name] for name in names], runs[BASELINE])
    for x, name in enumerate(names):
        if runs[name].diverged:
            _mark_diverged(accuracy, x, runs[name], brief=len(names) > ROOMY)
    _baseline_band(accuracy, runs[BASELINE], summary.equivalence_margin)
    heading(accuracy, "test accuracy (%)")
    # as many as the height allows would change with the layout, which they change
    accuracy.yaxis.set_major_locator(MaxNLocator(6))
    accuracy.grid(axis="y")
    accuracy.tick_params(axis="x", length=0)
    if cost:
        _bars(lowest, cost, names, [look[name].colour for name in names])
    width = max(int(64 / len(names)), 6)  # characters that fit under a bar
    ticks = [
        f"{wrap(place.value, width, 3)}\n{_against(runs[place.run], place.run, len(names))}" for place in axis.values
    ]
    lowest.set_xticks(range(len(names)), ticks, fontsize=_size(len(names)))
    lowest.set_xlim(-0.6, len(names) - 0.4)
    lowest.set_xlabel(axis.label)

    listed = ", ".join(_in_words(place.value, runs[place.run], place.run) for place in axis.values)
    intervals = any(_interval(runs[name]) for name in names)
    lines = ", lines simultaneous 95 % intervals of the difference from the baseline" if intervals else ""
    alike = "" if cost else _alike([runs[name] for name in names], summary.measured_on)
    clock = f" Time: measured on {summary.measured_on}." if cost and cost[0] is TIME else ""
    lost = (
        " \N{MULTIPLICATION SIGN}: diverged seeds."
        if len(names) > ROOMY and any(runs[name].diverged for name in names)
        else ""
    )
    costs = f"Lower panel: {cost[0].words}: {', '.join(map(short, cost[1]))}." if cost else alike.strip()
    caption = (
        f"Dots are seeds ({seeds(summary, names)}), bars their mean{lines}.{alike}{clock}{lost} "
        f"What else changes: {axis.confound}."
    )
    alt = (
        f"Test accuracy by {within(axis.label)}, {seeds(summary, names)}: {listed}. Every dot is a seed, a bar the "
        f"mean{lines}. The grey band is the baseline's mean plus and minus {summary.equivalence_margin:g} points, the "
        f"margin of equivalence. {costs}{clock} What else changes: {axis.confound}.{diverged(summary, names)}"
    )
    return Drawing(figure, caption, alt)


def _cost(runs: Sequence[Run]) -> tuple[Quantity, list[float]] | None:
    """Kind and numbers of what the values of an axis cost; None where they cost the same, as far as is known."""
    for quantity in (MULTIPLICATIONS, TIME) if _as_long(runs) else (MULTIPLICATIONS,):
        numbers = [quantity.of(run) for run in runs]
        known = [number for number in numbers if number is not None]
        if len(known) == len(runs) and differ(known, quantity):
            return quantity, known
    return None


def _as_long(runs: Sequence[Run]) -> bool:
    """Whether all see as many images in training: costs are those of one image."""
    return all(run.kind not in ("budget", "subset") for run in runs)


def _alike(runs: Sequence[Run], measured_on: str) -> str:
    """A sentence, after a space, on costs that are not shown; '' where those of one image tell nothing of the whole."""
    if not _as_long(runs):
        return ""
    timed = [run.relative_time is not None for run in runs]
    time = f", training time within {TIME.alike - 1:.0%} on {measured_on}"
    if not all(timed):
        time = f"; training time was not measured{' for all' if any(timed) else ''}"
    return f" Costs alike: multiplications within {MULTIPLICATIONS.alike - 1:.0%}{time}."


def _seeds(axes: Axes, x: int, run: Run, baseline: Run, colour: str) -> None:
    if run.test.mean is None:
        return
    if (ends := _interval(run)) and baseline.test.mean is not None:
        low, high = (baseline.test.mean + end for end in ends)
        axes.vlines(x, low, high, color=colour, linewidth=2, zorder=2)
    axes.plot([x - 0.25, x + 0.25], [run.test.mean] * 2, color=colour, linewidth=3)
    # side by side, so that equal results do not hide each other
    beside = (np.arange(run.n) - (run.n - 1) / 2) * min(0.09, 0.4 / run.n)
    axes.scatter(x + beside, run.test.values, s=45, color=colour, edgecolor="white", linewidth=0.8, zorder=3)


def _interval(run: Run) -> Interval | None:
    return run.difference.test_interval if run.difference else None


def _scale(axes: Axes, runs: Sequence[Run], baseline: Run) -> None:
    """Limits around seeds and intervals, with room below for words on diverged seeds."""
    values = [value for run in runs for value in run.test.values]
    values += [(baseline.test.mean or 0) + end for run in runs for end in _interval(run) or ()]
    middle, half = (min(values) + max(values)) / 2, max(max(values) - min(values), LEAST_SPAN) / 2
    lost = any(run.diverged for run in runs)
    axes.set_ylim(middle - (1.45 if lost else 1.15) * half, middle + 1.15 * half)


def _mark_diverged(axes: Axes, x: int, run: Run, *, brief: bool) -> None:
    text = f"\N{MULTIPLICATION SIGN} {run.diverged}" + ("" if brief else f" of {run.diverged + run.n}\ndiverged")
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


def _bars(axes: Axes, cost: tuple[Quantity, list[float]], names: Sequence[str], colours: Sequence[str]) -> None:
    quantity, numbers = cost
    bars = axes.bar(range(len(numbers)), numbers, width=0.5, color=colours, alpha=0.75)
    named = [len(names) <= ROOMY or k in (0, len(names) - 1) or name == BASELINE for k, name in enumerate(names)]
    told = [short(number) if shown else "" for number, shown in zip(numbers, named, strict=True)]
    axes.bar_label(bars, told, padding=2, fontsize=_size(len(numbers)))
    axes.set_ylim(0, 1.35 * max(numbers))
    heading(axes, quantity.words)
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)


def short(number: float) -> str:
    """A number in at most four characters and a unit: ``0.94``, ``24``, ``890 k``, ``173 M``, ``1.3 G``."""
    for unit, size in ((" G", 1e9), (" M", 1e6), (" k", 1e3)):
        if number >= size:
            return f"{number / size:.{1 if number < 9.95 * size else 0}f}{unit}"
    return f"{number:.0f}" if number >= 10 else f"{number:.2f}".rstrip("0").rstrip(".")


def _size(columns: int) -> int:
    return 13 if columns <= 6 else 11


def _against(run: Run, name: str, columns: int) -> str:
    """Below a value: its difference from the baseline, and its seeds where there is room."""
    points = signed(run.difference.test) if run.difference else "\N{EN DASH}"
    if columns > ROOMY:
        return "0" if name == BASELINE else points
    return f"{'baseline' if name == BASELINE else points}\nn = {run.n}"


def _in_words(value: str, run: Run, name: str) -> str:
    own = " (baseline)" if name == BASELINE else ""
    if not run.n:
        return f"{value}{own} no finished seed"
    points = f", {signed(run.difference.test)} points" if run.difference else ""
    return f"{value}{own} {run.test.mean:.2f} %{points} (n = {run.n})"
