"""The baseline as a drawing on which the parts that were exchanged stand out, each with the values tried."""

from __future__ import annotations

from dataclasses import dataclass

from vitflow.analysis.records import Axis
from vitflow.figures.flow import LINE, Item, Lines, flow, narrowest, write
from vitflow.figures.labels import spread
from vitflow.figures.read import Analysis
from vitflow.figures.scheme import bottom, centres, sketch
from vitflow.figures.style import BLUE, FULL, GREY, Drawing, missing, new_figure
from vitflow.study.fields import spoken
from vitflow.study.grid import BASELINE

#: part by the axes that exchange it; any other axis belongs to the recipe of training
PARTS = {
    "patches": ("patch_size",),
    "embedding": ("patch_embed", "width"),
    "tokens": ("position", "position_base", "cls_position", "registers"),
    "block": ("depth", "layer_scale", "drop_path"),
    "norm": ("norm", "norm_placement"),
    "attention": ("heads", "qk_norm", "attention"),
    "feed-forward": ("feedforward", "mlp_ratio"),
    "pool": ("pool",),
}
#: sizes of the words in points, the first that leaves the drawing its least height in inches; its greatest
SIZES, LEAST, MOST = (18, 16, 15, 14, 13, 12, 11), 1.7, 2.2
#: inches: between columns of words, above and below the drawing, at the edge, and from a column's rule to its words
GAP, AROUND, EDGE, RULE = 0.16, 0.22, 0.1, 0.1
#: a line to a column that begins this near to its part is upright
STRAIGHT = 0.2
#: where the words on training begin
STRIP = 1.3


@dataclass(frozen=True)
class Column:
    """Words on the axes of a part: lines of them, in inches from ``left``."""

    part: str
    left: float
    lines: Lines


def draw(analysis: Analysis) -> Drawing:
    """From image to class, left to right; below each part the axes that exchange it, as ``baseline → tried``.

    What belongs to no part, the recipe of training, stands in a strip at the foot.
    """
    summary = analysis.summary
    if summary.model["family"] != "vit":
        return missing("the baseline is no Vision Transformer, so its parts are not drawn.")
    parts = {part: [axis for axis in summary.axes if axis.axis in names] for part, names in PARTS.items()}
    known = {name for names in PARTS.values() for name in names}
    recipe = [_words(axis, whole=True) for axis in summary.axes if axis.axis not in known]
    figure = new_figure(FULL)
    figure.set_layout_engine("none")
    axes = figure.add_axes((0, 0, 1, 1))
    axes.axis("off")

    for size in SIZES:
        columns = _columns(parts, centres(summary), size)
        strip = flow(recipe, FULL[0] - STRIP - EDGE, size, apart=False) if recipe else []
        words = max((len(column.lines) for column in columns), default=0) * LINE * size
        foot = len(strip) * LINE * size + (AROUND if strip else 0)
        room = FULL[1] - 2 * EDGE - words - foot - 2 * AROUND
        if room >= LEAST:
            break
    height = min(max(room, LEAST), MOST)
    spare = max(room - height, 0) / 3  # above, between and below
    middle = FULL[1] - EDGE - spare - height / 2
    sketch(axes, summary, analysis.features, {part for part, found in parts.items() if found}, middle, height)
    top = middle - height / 2 - 1.5 * AROUND - spare
    for column in columns:
        whole = column.part == "norm" and parts["block"]  # words on whole blocks hang from their frame
        end = middle - height / 2 if whole else bottom(column.part, middle)
        start = centres(summary)[column.part]
        near = abs(start - column.left) < STRAIGHT
        path = [column.left if near else start, column.left, column.left]
        axes.plot(path, [end, top, top - len(column.lines) * LINE * size], color=BLUE, linewidth=1.4, zorder=2)
        write(axes, column.lines, column.left + RULE, top, size)
    if strip:
        axes.plot([EDGE, FULL[0] - EDGE], [EDGE + foot - AROUND / 2] * 2, color=GREY, linewidth=0.8)
        write(axes, [[(0.0, Item("training", GREY))]], EDGE, EDGE + foot - AROUND, size)
        write(axes, strip, STRIP, EDGE + foot - AROUND, size)
    axes.set(xlim=(0, FULL[0]), ylim=(0, FULL[1]), aspect="auto")

    listed = "; ".join(f"{axis.label} {_values(axis)}" for axis in summary.axes) or "none"
    caption = "The baseline and what was changed in it, one component at a time: the baseline's value → values tried."
    if not summary.axes:
        caption = "The model, from image to class."
    alt = (
        f"Drawing of the baseline, from left to right: an image of {summary.dataset.image_size} pixels a side cut into "
        f"patches of {summary.model['patch_size']}, their embedding, tokens and positions, {summary.model['depth']} "
        f"blocks of attention and feed-forward network with norms and residual connections, pooling, the classifier. "
        f"Parts that were changed are blue, n = {len(summary.axes)} axes (baseline → tried): {listed}. "
        "There are no bands."
    )
    return Drawing(figure, caption, alt)


def _values(axis: Axis) -> str:
    """``4 → 2, 8``; the values alone where the baseline has none of its own."""
    own = [place.value for place in axis.values if place.run == BASELINE]
    others = ", ".join(place.value for place in axis.values if place.run != BASELINE)
    return spoken(f"{own[0]} → {others}" if own else others)


def _words(axis: Axis, whole: bool = False) -> list[Item]:
    """An axis in words that a line may break between; its label, kept ``whole`` or not, stands out."""
    label = [axis.label] if whole else axis.label.split()
    return [Item(word, BLUE) for word in label] + [Item(word) for word in _values(axis).split()]


def _columns(parts: dict[str, list[Axis]], centre: dict[str, float], size: int) -> list[Column]:
    """Words by part, in as few lines as the width of the figure allows, each near its part."""
    merged = {part: found for part, found in parts.items() if part != "block"}
    merged["norm"] = parts["block"] + parts["norm"]  # blocks have no place of their own
    told = {
        part: [_words(axis) for axis in merged[part]]
        for part in sorted(merged, key=lambda part: centre[part])
        if merged[part]
    }
    room = FULL[0] - 2 * EDGE - (GAP + RULE) * len(told)
    most = max(map(len, told.values()), default=0)
    for lines in range(most, most + 12):
        widths = {part: narrowest(entries, lines, size) for part, entries in told.items()}
        if sum(widths.values()) <= room:
            break
    sizes = [width + GAP + RULE for width in widths.values()] if told else []
    wanted = [centre[part] - 0.3 + size / 2 for part, size in zip(told, sizes, strict=True)]
    places = spread(wanted, sizes, EDGE, FULL[0] - EDGE + GAP)
    return [
        Column(part, place - taken / 2, flow(told[part], widths[part], size))
        for part, place, taken in zip(told, places, sizes, strict=True)
    ]
