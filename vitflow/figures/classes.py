"""Class by class: what one model gets right and another does not."""

from __future__ import annotations

from matplotlib.axes import Axes

from vitflow.analysis.records import ClassAccuracy, Confused
from vitflow.figures.labels import shorten, taken_for, wrap
from vitflow.figures.looks import looks
from vitflow.figures.read import Analysis
from vitflow.figures.style import FULL, GREY, SMALL, Drawing, heading, missing, new_figure
from vitflow.study.names import counted

MOST = 12  #: classes that have room, those that differ most


def draw(analysis: Analysis) -> Drawing:
    """Accuracy of each class under two models; beside, the confusions that differ most."""
    data, look = analysis.inspection, looks(analysis.summary)
    contrast = data.contrast
    if contrast is None:
        return missing("No two models to compare class by class")
    runs = [data.runs[contrast.one], data.runs[contrast.other]]
    styles = [look[contrast.one], look[contrast.other]]
    classes = sorted(contrast.classes, key=_apart, reverse=True)[:MOST]
    figure = new_figure(FULL)
    left, right = figure.subplots(1, 2, width_ratios=[1.15, 1])
    _dumbbells(left, [(shorten(c.name, 14), c.one.mean or 0, c.other.mean or 0) for c in classes], styles)
    heading(left, "right, % of the class")
    _dumbbells(right, [(_names(c), c.one, c.other) for c in contrast.confused], styles)
    heading(right, "taken for another, % of the class")
    right.set_xlim(0, None)
    lines = left.get_lines()
    figure.legend(lines, [wrap(run.label, 40, 1) for run in runs], loc="outside lower left", ncols=2, frameon=False)

    seeds = " and ".join(f"{run.label} n = {counted(run.n, 'seed')}" for run in runs)
    told = ", ".join(f"{c.name} {c.one.mean or 0:.1f} and {c.other.mean or 0:.1f} %" for c in classes)
    pairs = ", ".join(f"{c.actual} taken for {c.predicted} {c.one:.1f} and {c.other:.1f} %" for c in contrast.confused)
    few = (
        ""
        if len(classes) == len(contrast.classes)
        else f" The {MOST} classes that differ most, of {len(contrast.classes)}."
    )
    caption = f"Class by class on {data.split} images, means over seeds: {seeds}.{few}"
    alt = (
        f"Pairs of dots on {data.split} images, {seeds}. Right of the class: {told}.{few} Confusions that differ most: "
        f"{pairs}. There are no bands."
    )
    return Drawing(figure, caption, alt)


def _dumbbells(axes: Axes, rows: list[tuple[str, float, float]], styles: list) -> None:  # type: ignore[type-arg]
    heights = range(len(rows))
    axes.hlines(heights, [a for _, a, _ in rows], [b for _, _, b in rows], color=GREY, linewidth=2, alpha=0.6)
    for values, style in zip(zip(*[(a, b) for _, a, b in rows], strict=True), styles, strict=True):
        axes.plot(
            values,
            heights,
            color=style.colour,
            marker=style.marker,
            linestyle="",
            markersize=9,
            clip_on=False,
            zorder=3,
        )
    axes.set_yticks(heights, [name for name, _, _ in rows], fontsize=SMALL)
    axes.set_ylim(max(len(rows), 4) - 0.5, -0.5)
    axes.grid(axis="x")
    axes.spines["left"].set_visible(False)
    axes.tick_params(axis="y", length=0, pad=10)


def _apart(found: ClassAccuracy) -> float:
    return abs((found.other.mean or 0) - (found.one.mean or 0))


def _names(found: Confused) -> str:
    return taken_for(shorten(found.actual, 12), shorten(found.predicted, 12))
