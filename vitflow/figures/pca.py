"""Principal components of features: how models lay out classes, and in how many directions."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MultipleLocator
from numpy.typing import NDArray

from vitflow.analysis.records import Features, View
from vitflow.figures.labels import Label, end_labels, shorten, wrap
from vitflow.figures.looks import looks
from vitflow.figures.read import Analysis
from vitflow.figures.style import (
    BLACK,
    BLUE,
    FULL,
    GREEN,
    GREY,
    ORANGE,
    PURPLE,
    SKY,
    SMALL,
    VERMILLION,
    Drawing,
    heading,
    ink,
    missing,
    new_figure,
)

#: classes that get a colour and a name, further ones are grey; past Okabe and Ito's, names tell them apart
CLASS_COLOURS = (BLUE, VERMILLION, GREEN, PURPLE, ORANGE, SKY, BLACK, "#8C510A", "#5E3C99", "#4D9221")
NAMED_CLASSES = len(CLASS_COLOURS)
MODELS = 3  #: more have no room below each other
ONE_SEED = "n = 1 seed per model"


def draw(analysis: Analysis) -> Drawing:
    """Images on the first two components of their patches' mean: a row a model, a column early, middle and late."""
    data, look = analysis.features, looks(analysis.summary)
    models = data.models[:MODELS]
    if not models:
        return without_features(data)
    figure = new_figure(FULL)
    columns = max(len(model.views) for model in models)
    grid = figure.add_gridspec(len(models), columns + 1, width_ratios=[3] * columns + [1.1])
    for row, model in enumerate(models):
        for column in range(columns):
            axes = figure.add_subplot(grid[row, column])
            if column >= len(model.views):
                axes.axis("off")
                continue
            view = model.views[column]
            _cloud(axes, view, data.labels.values)
            axes.set_title(f"{view.place}: {view.layer}, classes {100 * view.between:.0f} %", fontsize=SMALL, pad=4)
            if not column:
                name = wrap(data.names[model.run], 13, 4)
                axes.set_ylabel(name, rotation=0, ha="right", va="center", color=ink(look[model.run].colour))
    _legend(figure.add_subplot(grid[:, -1]), data)

    told = "; ".join(
        f"{model.label} "
        + ", ".join(
            f"{v.place} ({v.layer}) {100 * v.between:.0f} %, components explaining "
            f"{' and '.join(f'{100 * share:.0f} %' for share in v.explained)} of all variance"
            for v in model.views
        )
        for model in models
    )
    few = (
        "" if len(data.classes) <= NAMED_CLASSES else f" Only {NAMED_CLASSES} of {len(data.classes)} classes are named."
    )
    caption = (
        f"{data.images} {data.split} images on the first two principal components of their features, averaged over "
        f"positions ({ONE_SEED}); large dots: means of classes; percent: variance between classes."
        f"{few}{left_out(data)}"
    )
    alt = (
        f"Scatter plots, a row a model, of {data.images} {data.split} images, {ONE_SEED}: features averaged over "
        f"positions, on their first two principal components, coloured by class, a large dot at the mean of each. "
        f"Share of the variance on the two that lies between classes: {told}.{few}{left_out(data)} There are no bands."
    )
    return Drawing(figure, caption, alt)


def draw_spectrum(analysis: Analysis) -> Drawing:
    """Variance of positions that a share of all components holds: a panel early, middle and late."""
    data, look = analysis.features, looks(analysis.summary)
    if not data.models:
        return without_features(data)
    figure = new_figure(FULL)
    columns = max(len(model.views) for model in data.models)
    panels = figure.subplots(1, columns, sharey=True, squeeze=False)[0]
    for column, axes in enumerate(panels):
        places = []
        for model in data.models:
            if column < len(model.views):
                view, style = model.views[column], look[model.run]
                share, held = _spectrum(view)
                axes.plot(share, held, color=style.colour, marker=style.marker, markersize=4)
                places.append(view.place)
        axes.set(xscale="log", ylim=(0, 103), xlabel="components, % of the width")
        axes.set_xticks([1, 10, 100], ["1", "10", "100"])
        axes.minorticks_off()
        axes.yaxis.set_major_locator(MultipleLocator(25))
        axes.grid()
        heading(axes, max(places, key=len) + (": variance explained (%)" if not column else ""))
    ends = []
    for model in data.models:
        view = model.views[-1]
        share, held = _spectrum(view)
        text = f"{wrap(data.names[model.run], 14, 4)}\n90 %: {view.patch_most} of {view.patch_components[-1]}"
        ends.append(Label(100, float(np.interp(10, share, held)), text, look[model.run].colour))
    end_labels(panels[-1], ends)
    told = "; ".join(
        f"{m.label} " + ", ".join(f"{v.place} ({v.layer}) {v.patch_most} of {v.patch_components[-1]}" for v in m.views)
        for m in data.models
    )
    of = f"features at all positions of {data.images} {data.split} images, {ONE_SEED}"
    caption = (
        f"Variance explained by the first components, their number as a percentage of the width; {of}.{left_out(data)}"
    )
    alt = (
        f"Lines of the variance explained by the first principal components, in percent of the number of dimensions, "
        f"of {of}. Components that explain 90 %: {told}.{left_out(data)} There are no bands."
    )
    return Drawing(figure, caption, alt)


def without_features(data: Features) -> Drawing:
    """Words where no model has features."""
    return missing(f"No model has features{left_out(data).rstrip('.').replace(' Left out', ': left out')}")


def left_out(data: Features) -> str:
    """A sentence on the models without features, empty if there are none."""
    found = [f"{model.label} ({model.reason})" for model in data.absent]
    return f" Left out: {', '.join(found)}." if found else ""


def _spectrum(view: View) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    width = view.patch_components[-1]
    return 100 * np.array(view.patch_components) / width, 100 * np.array(view.patch_held)


def _cloud(axes: Axes, view: View, labels: NDArray[Any]) -> None:
    colours = np.array([GREY, *CLASS_COLOURS], dtype=object)[np.where(labels < NAMED_CLASSES, labels + 1, 0)]
    order = np.argsort(labels < NAMED_CLASSES, kind="stable")  # named classes over grey ones
    points = view.points.values.astype(float)
    x, y = points[order].T
    size = float(np.clip(9000 / len(x), 6, 24))
    # thousands of dots as paths would make the SVG slow: they become pixels
    axes.scatter(x, y, s=size, c=list(colours[order]), alpha=0.4, linewidth=0, rasterized=True)
    for label in np.unique(labels[labels < NAMED_CLASSES]):
        centre = points[labels == label].mean(axis=0)
        axes.plot(*centre, "o", color=CLASS_COLOURS[label], markersize=10, markeredgecolor="white")
    axes.set_xticks([])
    axes.set_yticks([])
    axes.spines[:].set_visible(True)
    axes.spines[:].set_color("#BBBBBB")


def _legend(axes: Axes, data: Features) -> None:
    """Names of classes in their colours."""
    axes.axis("off")
    shown = list(zip(data.classes, CLASS_COLOURS, strict=False))
    shown += [("others", GREY)] if len(data.classes) > NAMED_CLASSES else []
    for place, (name, colour) in enumerate(shown):
        height = 0.97 - 0.94 * (place + 0.5) / max(len(shown), 8)
        axes.plot(0, height, "o", color=colour, markersize=7)
        axes.text(0.12, height, shorten(name, 12), va="center", color=ink(colour), fontsize=13)
    axes.set(xlim=(-0.1, 1), ylim=(0, 1))
