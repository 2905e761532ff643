"""Which classes the baseline takes for which."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from vitflow.figures.labels import shorten, taken_for
from vitflow.figures.read import Analysis
from vitflow.figures.style import BLACK, BLUE, FULL, GREY, SMALL, Drawing, heading, new_figure
from vitflow.study.names import counted

#: with more classes, cells are too small to be read: colours only
NUMBERED = 12
PAIRS = 8


def draw(analysis: Analysis) -> Drawing:
    """The confusion matrix in percent of each true class, and the pairs most often confused."""
    data = analysis.confusion
    classes = data.classes
    counts = [cell.images for cell in data.cells]
    matrix = np.array(counts, dtype=float).reshape(len(classes), len(classes))  # [true class, predicted class]
    percent = 100 * matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    label = analysis.summary.runs[data.run].label
    figure = new_figure(FULL)
    shown, worst = [shorten(name) for name in classes], _most_confused(percent)
    if worst:
        cells, pairs = figure.subplots(1, 2, width_ratios=[1.25, 1])
        _pairs(pairs, percent, worst, shown)
    else:
        cells = figure.subplots()
    _matrix(cells, percent, shown)

    of = f"{data.split} images, n = {counted(data.n, 'seed')} summed"
    told = ", ".join(f"{classes[i]} taken for {classes[j]} {percent[i, j]:.1f} %" for i, j in worst) or "none"
    right = ", ".join(f"{name} {percent[k, k]:.0f} %" for k, name in enumerate(classes))
    caption = f"Confusions of {label} ({of}), in percent of each true class."
    alt = (
        f"Confusion matrix of {label}, {of} ({int(matrix.sum())} predictions), rows the true class, columns the "
        f"predicted one, in percent of the true class; the diagonal, on grey, is the share that is right: {right}. "
        f"Most often confused: {told}. There are no bands."
    )
    return Drawing(figure, caption, alt)


def _matrix(axes: Axes, percent: NDArray[np.float64], classes: Sequence[str]) -> None:
    """Errors in blue; the diagonal, which would outshine them, on grey."""
    number = len(classes)
    errors = np.ma.masked_array(percent, mask=np.eye(number, dtype=bool))
    picture = axes.imshow(errors, cmap="Blues", vmin=0, vmax=max(float(errors.max()), 1), interpolation="nearest")
    axes.set_facecolor("#DDDDDD")
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)
    heading(axes, "true class (rows), predicted (columns), %")
    if number > NUMBERED:
        axes.set_xticks([])
        axes.set_yticks([])
        axes.figure.colorbar(picture, ax=axes, label="% of true class", shrink=0.8)
        return
    axes.set_xticks(
        range(number),
        classes,
        rotation=45 if max(map(len, classes)) > 2 else 0,
        ha="right",
        rotation_mode="anchor",
        fontsize=SMALL,
    )
    axes.set_yticks(range(number), classes, fontsize=SMALL)
    for i in range(number):
        for j in range(number):
            shown = f"{percent[i, j]:.0f}"
            if shown != "0":
                dark = i != j and percent[i, j] > 0.6 * float(errors.max())
                axes.text(j, i, shown, ha="center", va="center", fontsize=SMALL, color="white" if dark else BLACK)


def _most_confused(percent: NDArray[np.float64]) -> list[tuple[int, int]]:
    errors = percent.copy()
    np.fill_diagonal(errors, 0)
    order = np.argsort(-errors, axis=None, kind="stable")[:PAIRS]
    return [(int(k // len(errors)), int(k % len(errors))) for k in order if errors.flat[k] > 0]


def _pairs(axes: Axes, percent: NDArray[np.float64], worst: list[tuple[int, int]], classes: Sequence[str]) -> None:
    values = [percent[i, j] for i, j in worst]
    axes.hlines(range(len(worst)), 0, values, color=BLUE, linewidth=2)
    axes.plot(values, range(len(worst)), "o", color=BLUE, markersize=9)
    for y, value in enumerate(values):
        axes.annotate(f"{value:.1f}", (value, y), xytext=(9, 0), textcoords="offset points", va="center", fontsize=13)
    axes.set_yticks(range(len(worst)), [taken_for(classes[i], classes[j]) for i, j in worst])
    axes.set_ylim(max(len(worst), 4) - 0.5, -0.5)
    axes.set_xlim(0, 1.2 * max(values, default=1.0))
    axes.set_xticks([])
    axes.spines["bottom"].set_visible(False)
    axes.spines["left"].set_color(GREY)
    axes.tick_params(axis="y", length=0)
    heading(axes, "most often confused, % of true class")
