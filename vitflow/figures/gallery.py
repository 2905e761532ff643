"""Example images, and below each what models make of its places."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from vitflow.analysis.records import Features
from vitflow.figures.labels import wrap
from vitflow.figures.looks import looks
from vitflow.figures.pca import MODELS, ONE_SEED, left_out, without_features
from vitflow.figures.read import Analysis
from vitflow.figures.style import BLACK, FULL, SMALL, Drawing, ink, missing, new_figure

FRAME = "#00E5FF"  #: of the patch that asks: no colour of the maps
PICTURES = 10  #: in a row of components, models side by side


def draw_patches(analysis: Analysis) -> Drawing:
    """The first three components of features at every position, as red, green and blue: early, middle and late."""
    data, look = analysis.features, looks(analysis.summary)
    models = data.models[:MODELS]
    if not models:
        return without_features(data)
    examples = min(len(data.example_labels), max(PICTURES // len(models), 3), 8)
    rows = 1 + max(len(model.views) for model in models)
    figure, blocks = _sheet(rows, examples, len(models))
    for block, model in zip(blocks, models, strict=True):
        _images(block[0], data, wrap(data.names[model.run], 11, 4), look[model.run].colour)
        for row, view in zip(block[1:], model.views, strict=False):
            _row(row, view.maps.values, f"{view.place}\n{view.layer}\n{100 * view.patch_colours:.0f} %")
    told = "; ".join(
        f"{m.label} "
        + ", ".join(
            f"{v.place} ({v.layer}, {v.maps.shape[1]} x {v.maps.shape[2]}) {100 * v.patch_colours:.0f} %"
            for v in m.views
        )
        for m in models
    )
    caption = (
        f"Three components of features at every position as red, green, blue (fitted on {data.images} {data.split} "
        f"images); percent: the variance they explain.{left_out(data)}"
    )
    alt = (
        f"Rows of pictures: {examples} {data.split} images, and below each the first three principal components of "
        f"its features at every position as red, green and blue, {ONE_SEED}, fitted on {data.images} images. Variance "
        f"explained: {told}. Colours cannot be compared between layers or models.{left_out(data)} There are no bands."
    )
    return Drawing(figure, caption, alt)


def draw_attention(analysis: Analysis) -> Drawing:
    """What [CLS] and the patch at the centre attend to, in the first and in the last block of the first ViT."""
    data, look = analysis.features, looks(analysis.summary)
    model = next((m for m in data.models if m.attention), None)
    if model is None or model.attention is None:
        return missing("No model with attention gives features") if data.models else without_features(data)
    seen, side = model.attention, model.attention.image.shape[-1]
    depth, examples = seen.image.shape[:2]
    late = max(depth - 2, 0) if seen.asks == "[CLS]" else depth - 1  # patches of the last block are read by no [CLS]
    blocks = {seen.asks: dict.fromkeys([0, depth - 1]), "a patch": dict.fromkeys([0, late])}
    asked = [(q, maps, k) for q, maps in ((seen.asks, seen.image), ("a patch", seen.patch)) for k in blocks[q]]
    figure, (grid,) = _sheet(1 + len(asked), examples, 1)
    _images(grid[0], data, wrap(model.label, 11, 4), look[model.run].colour)
    for row, (query, maps, block) in zip(grid[1:], asked, strict=True):
        _row(row, maps.values[block], f"{wrap(query, 11)},\nblock {block + 1}")
        for axes in row[1:] if query == "a patch" else []:
            axes.add_patch(Rectangle((side // 2 - 0.5, side // 2 - 0.5), 1, 1, fill=False, color=FRAME, linewidth=1.5))
    patches = "; ".join(f"block {k + 1} {number:.1f}" for k, number in enumerate(seen.patches))
    caption = (
        f"{model.label}: attention to patches, heads averaged, each map from 0 (dark) to its own largest value; "
        "the framed patch is the query."
    )
    alt = (
        f"Rows of pictures: {examples} {data.split} images, and below each where {model.label} attends, {ONE_SEED}, "
        f"heads averaged: {seen.asks}, then the patch at the centre, in blocks "
        f"{' and '.join(str(block + 1) for _, _, block in asked)} of {depth}. Patches of {side**2} that {seen.asks} "
        f"effectively attends to, exp(entropy): {patches}. There are no bands."
    )
    return Drawing(figure, caption, alt)


def _sheet(rows: int, pictures: int, blocks: int) -> tuple[Figure, list[NDArray[Any]]]:
    """A grid of axes for each block, side by side: [rows, 1 + pictures], words in the first column."""
    figure = new_figure(FULL)
    axes = figure.subplots(rows, blocks * (1 + pictures), squeeze=False)
    for cell in axes.flat:
        cell.axis("off")
    # square pictures leave gaps in a plain grid: compress them
    figure.set_layout_engine(ConstrainedLayoutEngine(w_pad=0.03, h_pad=0.03, wspace=0, hspace=0, compress=True))
    return figure, np.split(axes, blocks, axis=1)


def _images(row: NDArray[Any], data: Features, label: str, colour: str) -> None:
    _row(row, data.examples.values, label, colour)
    for axes, example in zip(row[1:], data.example_labels, strict=False):
        axes.set_title(wrap(data.classes[example], 10), loc="center", fontsize=SMALL, pad=3)


def _row(row: NDArray[Any], pictures: NDArray[Any], label: str, colour: str = BLACK) -> None:
    for axes, picture in zip(row[1:], pictures, strict=False):
        _pixels(axes, picture)
    row[0].set_box_aspect(1)
    row[0].text(0.95, 0.5, label, ha="right", va="center", fontsize=SMALL, color=ink(colour))


def _pixels(axes: Axes, picture: NDArray[Any]) -> None:
    """A picture [H, W] of numbers, or [H, W, 1 or 3] of colours, its pixels as they are."""
    grey = picture.ndim == 3 and picture.shape[-1] == 1
    shown = picture[..., 0] if grey else picture
    axes.imshow(shown, cmap="gray" if grey else "magma", vmin=0, vmax=255, interpolation="nearest")
