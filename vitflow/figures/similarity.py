"""How alike layers of models are, and learned vectors of places."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.image import AxesImage

from vitflow.analysis.features import pair
from vitflow.analysis.records import Inside
from vitflow.figures.labels import shorten
from vitflow.figures.pca import ONE_SEED, left_out, without_features
from vitflow.figures.read import Analysis
from vitflow.figures.style import BESIDE, BLACK, FULL, SMALL, Drawing, missing, new_figure

NUMBERED = 8  #: layers of a model, up to which cells hold their number


def draw(analysis: Analysis) -> Drawing:
    """Linear CKA of all layers: of one model with another, in the middle; of each with itself beside."""
    data = analysis.features
    models = {model.run: model for model in data.models}
    if not models:
        return without_features(data)
    beside = pair({run: model.family for run, model in models.items()})
    one, other = beside or (next(iter(models)),) * 2
    shown = [(one, one), (one, other), (other, other)] if beside else [(one, one)]
    values = {(s.one, s.other): np.array(s.values) for s in data.similarities}
    figure = new_figure(FULL)
    widths = [len(models[columns].layers) for _, columns in shown]
    *panels, scale = figure.subplots(1, len(shown) + 1, width_ratios=[*widths, 0.25])
    for axes, (rows, columns) in zip(panels, shown, strict=True):
        picture = _matrix(axes, values[rows, columns], models[rows], models[columns])
        axes.set_xlabel(_axis(data.names[columns], models[columns]))
        axes.set_ylabel(_axis(data.names[rows], models[rows]))
    figure.colorbar(picture, cax=scale, label="linear CKA")
    scale.set_box_aspect(14)
    _settle(figure)
    told = "; ".join(
        f"{models[rows].label} and {models[columns].label} "
        + ", ".join(
            f"{layer.name} most like {models[columns].layers[int(k)].name} ({row[int(k)]:.2f})"
            for layer, row, k in zip(
                models[rows].layers, values[rows, columns], values[rows, columns].argmax(1), strict=True
            )
        )
        for rows, columns in shown
        if rows != columns or not beside
    )
    of = f"{data.images} {data.split} images, {ONE_SEED}"
    caption = f"Linear CKA of features averaged over positions, every layer with every other ({of}).{left_out(data)}"
    alt = (
        f"Heat maps of linear CKA, from 0 to 1, of features averaged over positions, {of}: {told}.{left_out(data)} "
        "There are no bands."
    )
    return Drawing(figure, caption, alt)


def draw_positions(analysis: Analysis) -> Drawing:
    """For every place a map: the cosine of its learned vector with all others."""
    data = analysis.features
    model = next((m for m in data.models if m.position), None)
    if model is None or model.position is None:
        if not data.models:
            return without_features(data)
        return missing("No model has learned its positions", BESIDE)
    cosine = model.position.values / 127.5 - 1  # [T, T]
    side = round(len(cosine) ** 0.5)
    framed = np.full((side, side, side + 1, side + 1), np.nan)
    framed[:, :, :side, :side] = cosine.reshape(side, side, side, side)
    sheet = framed.transpose(0, 2, 1, 3).reshape(side * (side + 1), -1)[:-1, :-1]
    figure = new_figure(BESIDE)
    axes = figure.subplots()
    others = cosine[~np.eye(len(cosine), dtype=bool)]
    reach = max(float(np.abs(others).max(initial=0)), 0.1)
    picture = axes.imshow(sheet, cmap="RdBu_r", vmin=-reach, vmax=reach, interpolation="nearest")
    ticks = np.arange(side) * (side + 1) + (side - 1) / 2
    axes.set_xticks(ticks, [str(k + 1) for k in range(side)])
    axes.set_yticks(ticks, [str(k + 1) for k in range(side)])
    axes.set(xlabel="column of the patch", ylabel="row of the patch")
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    figure.colorbar(picture, ax=axes, label="cosine", extend="max")
    caption = f"{model.label}: position embeddings: a map per patch, its cosine similarity to all others ({ONE_SEED})."
    alt = (
        f"{side} x {side} small maps, one for each patch of {model.label}, {ONE_SEED}: the cosine of its learned "
        f"position vector with those of all patches, from {others.min(initial=0):.2f} to {others.max(initial=0):.2f} "
        "apart from itself. There are no bands."
    )
    return Drawing(figure, caption, alt)


def _settle(figure: Figure) -> None:
    """Fix the layout, rounded: the last bits of its solver differ between processes, and names in the SVG with them."""
    figure.draw_without_rendering()
    figure.set_layout_engine("none")
    for axes in figure.axes:
        left, bottom, width, height = (round(side, 5) for side in axes.get_position().bounds)
        axes.set_position((left, bottom, width, height))


def _matrix(axes: Axes, values: np.ndarray, rows: Inside, columns: Inside) -> AxesImage:
    picture = axes.imshow(values, cmap="viridis", vmin=0, vmax=1, interpolation="nearest")
    small = max(values.shape) > NUMBERED
    axes.set_xticks(range(values.shape[1]), _ticks(columns), fontsize=SMALL)
    axes.set_yticks(range(values.shape[0]), _ticks(rows), fontsize=SMALL)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    for (i, j), value in np.ndenumerate(values):
        if not small:
            dark = value < 0.6
            axes.text(
                j,
                i,
                f"{value:.1f}".lstrip("0"),
                ha="center",
                va="center",
                fontsize=SMALL,
                color="white" if dark else BLACK,
            )
    return picture


def _ticks(model: Inside) -> list[str]:
    return ["in", *(str(k) for k in range(1, len(model.layers)))]


def _axis(name: str, model: Inside) -> str:
    return f"{shorten(name, 26)}, {'block' if model.family == 'vit' else 'stage'}"
