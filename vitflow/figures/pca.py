"""Principal components of features: how models lay out classes, and what they see within an image."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import numpy as np
from matplotlib.axes import Axes
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.ticker import MultipleLocator
from numpy.typing import NDArray

from vitflow.analysis.records import Pca
from vitflow.figures.labels import Label, end_labels, place, shorten, wrap
from vitflow.figures.looks import looks
from vitflow.figures.read import Analysis
from vitflow.figures.style import (
    BESIDE,
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
    instead,
    new_figure,
)

#: classes that get a colour and a name, further ones are grey; past Okabe and Ito's, names tell them apart
CLASS_COLOURS = (BLUE, VERMILLION, GREEN, PURPLE, ORANGE, SKY, BLACK, "#8C510A", "#5E3C99", "#4D9221")
NAMED_CLASSES = len(CLASS_COLOURS)


def draw(analysis: Analysis) -> Drawing:
    """Pooled features on their first two components, one panel a model; below, the variance they explain."""
    data, look = analysis.pca, looks(analysis.summary)
    models, classes = data.models, data.classes
    if not models:
        return instead(f"No model has features.{_left_out(data)}", BESIDE)
    labels = np.array(data.labels)  # [images]
    figure = new_figure(BESIDE)
    above, below = cast(Any, figure.subfigures(2, 1, height_ratios=[1.5, 1]))
    panels = above.subplots(1, len(models), squeeze=False)[0]
    spectrum = below.subplots()

    ends = []
    for axes, model in zip(panels, models, strict=True):
        colour = look[model.run].colour
        points = np.array(model.pooled.points)  # [images, 2]
        _clouds(axes, points, labels)
        explained = 100 * np.array(model.pooled.explained)
        axes.set_title(wrap(model.label, 54 // len(models)), loc="left", color=ink(colour))
        axes.set_xlabel(f"PC 1 ({explained[0]:.0f} %)", fontsize=SMALL)
        axes.set_ylabel(f"PC 2 ({explained[1]:.0f} %)" if len(explained) > 1 else "", fontsize=SMALL)
        total = np.cumsum(explained)
        spectrum.plot(np.arange(1, len(total) + 1), total, color=colour, marker=look[model.run].marker, markersize=5)
        ends.append(Label(len(total), float(total[-1]), wrap(model.label, 18), colour))
    spectrum.set(ylim=(0, 105), xlabel="number of components")
    spectrum.yaxis.set_major_locator(MultipleLocator(25))
    spectrum.xaxis.set_major_locator(MultipleLocator(5))
    spectrum.grid(axis="y")
    heading(spectrum, "variance explained (%)")
    end_labels(spectrum, ends)
    for axes, model in zip(panels, models, strict=True):
        _name_classes(axes, np.array(model.pooled.points), labels, classes)

    told = "; ".join(
        f"{m.label} ({m.dimension} dimensions) {100 * sum(m.pooled.explained[:2]):.0f} % in two and "
        f"{100 * sum(m.pooled.explained):.0f} % in {len(m.pooled.explained)} components"
        for m in models
    )
    few = (
        "" if len(classes) <= NAMED_CLASSES else f" Only the first {NAMED_CLASSES} of {len(classes)} classes are named."
    )
    caption = (
        f"Pooled features of {data.images} {data.split} images, centred, on their first two components.{few}"
        f"{_left_out(data)}"
    )
    alt = (
        f"Scatter plots of pooled features, n = {data.images} {data.split} images, one trained seed per model, "
        f"on their first two principal components, coloured by class, class names at class medians; below, variance "
        f"explained by the number of components: {told}.{few}{_left_out(data)} There are no bands."
    )
    return Drawing(figure, caption, alt)


def draw_patches(analysis: Analysis) -> Drawing:
    """Example images above the first three components of their patch features, shown as red, green and blue."""
    data, look = analysis.pca, looks(analysis.summary)
    models, examples = data.models, data.examples
    if not models:
        return instead(f"No model has features.{_left_out(data)}", FULL)
    figure = new_figure(FULL)
    rows = figure.subplots(1 + len(models), len(examples), squeeze=False)
    # square pictures leave gaps in a plain grid: compress them
    figure.set_layout_engine(ConstrainedLayoutEngine(w_pad=0.03, h_pad=0.03, wspace=0, hspace=0, compress=True))
    for column, example in enumerate(examples):
        image = np.array(example.image, dtype=np.uint8)  # [H, W, C]
        _pixels(rows[0, column], image)
        rows[0, column].set_title(wrap(data.classes[example.label], 11), loc="center", fontsize=13, pad=4)
        for row, model in enumerate(models, start=1):
            _pixels(rows[row, column], np.array(model.patch.maps[column], dtype=np.uint8))
    _row_label(rows[0, 0], "image", BLACK)
    for row, model in enumerate(models, start=1):
        share = 100 * sum(model.patch.explained[:3])
        text = f"{wrap(model.label, 18)}\n{model.layer}\n3 PCs: {share:.0f} %"
        _row_label(rows[row, 0], text, look[model.run].colour)

    told = "; ".join(
        f"{m.label}, {m.layer}, {m.positions} positions, three components explain "
        f"{100 * sum(m.patch.explained[:3]):.0f} % of the variance"
        for m in models
    )
    caption = (
        f"First three components of position-wise features as red, green, blue ({data.images} {data.split} "
        f"images); below the names, the variance they explain.{_left_out(data)}"
    )
    alt = (
        f"Rows of pictures: n = {len(examples)} {data.split} images, and under each the first three principal "
        f"components of its features at every position as red, green and blue, components fitted on {data.images} "
        f"images, one trained seed per model: {told}. Colours cannot be compared between models.{_left_out(data)} "
        f"There are no bands."
    )
    return Drawing(figure, caption, alt)


def _left_out(data: Pca) -> str:
    """A sentence on the models without features, empty if there are none."""
    found = [f"{model.label} ({model.reason})" for model in data.absent]
    return f" Left out: {', '.join(found)}." if found else ""


def _clouds(axes: Axes, points: NDArray[np.float64], labels: NDArray[np.int64]) -> None:
    colours = np.array([GREY, *CLASS_COLOURS], dtype=object)[np.where(labels < NAMED_CLASSES, labels + 1, 0)]
    order = np.argsort(labels < NAMED_CLASSES, kind="stable")  # named classes over grey ones
    x, y = points[order].T
    # thousands of dots as paths would make the SVG slow: they become pixels
    axes.scatter(x, y, s=9, c=list(colours[order]), alpha=0.45, linewidth=0, rasterized=True)
    axes.set_xticks([])
    axes.set_yticks([])
    axes.spines[:].set_visible(True)
    axes.spines[:].set_color("#BBBBBB")


def _name_classes(axes: Axes, points: NDArray[np.float64], labels: NDArray[np.int64], classes: Sequence[str]) -> None:
    names = []
    for k, (name, colour) in enumerate(zip(classes, CLASS_COLOURS, strict=False)):
        if (labels == k).any():
            x, y = np.median(points[labels == k], axis=0)
            names.append(Label(float(x), float(y), shorten(name), colour))
    place(axes, names, [], centred=True)


def _pixels(axes: Axes, image: Any) -> None:
    """An image [H, W, 1 or 3] with its pixels as they are."""
    axes.imshow(
        image if image.shape[-1] == 3 else image[..., 0], cmap="gray", vmin=0, vmax=255, interpolation="nearest"
    )
    axes.set_xticks([])
    axes.set_yticks([])
    axes.spines[:].set_visible(False)


def _row_label(axes: Axes, text: str, colour: str) -> None:
    axes.set_ylabel(text, rotation=0, ha="right", va="center", fontsize=13, color=ink(colour), labelpad=10)
