"""A Vision Transformer as boxes and arrows, from image to class, in inches of a figure of full width."""

from __future__ import annotations

import itertools
from collections.abc import Collection

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Circle, FancyBboxPatch, Rectangle

from vitflow.analysis.records import Features, Summary
from vitflow.figures.style import BLACK, BLUE, GREY, PALE, TINT, ink
from vitflow.study.names import counted

#: (left, width) of what stands in a row
IMAGE, EMBEDDING, TOKENS, BLOCK, POOL, HEAD = (
    (0.1, 1.3),
    (1.75, 1.12),
    (3.22, 1.2),
    (4.77, 5.6),
    (10.7, 0.56),
    (11.5, 0.54),
)
#: widths of what stands in a block; the sum is a circle
INSIDE = {"norm": 0.68, "attention": 1.12, "feed-forward": 1.38, "+": 0.26}
ORDER = {
    "pre": ("norm", "attention", "+", "norm", "feed-forward", "+"),
    "post": ("attention", "+", "norm", "feed-forward", "+", "norm"),
}
#: heights: of a box, of the embedding, of a stack of tokens
TALL, EMBEDDED, STACK = 0.6, 0.86, 1.24
LETTERS = 13
MOST_LINES = 16  #: more lines than this would hide the image that they cut


def chain(summary: Summary) -> list[tuple[str, float]]:
    """What stands in a block, in order, with its left edge."""
    order = ORDER[str(summary.model["norm_placement"])]
    air = (BLOCK[1] - sum(INSIDE[name] for name in order)) / (len(order) + 1)
    found, left = [], BLOCK[0] + air
    for name in order:
        found.append((name, left))
        left += INSIDE[name] + air
    return found


def centres(summary: Summary) -> dict[str, float]:
    """The middle of each part's drawing, in inches from the left."""
    inside = {name: left + INSIDE[name] / 2 for name, left in chain(summary)[::-1]}  # of norms the first one
    row = {"patches": IMAGE, "embedding": EMBEDDING, "tokens": TOKENS, "block": BLOCK, "pool": POOL}
    return inside | {part: left + width / 2 for part, (left, width) in row.items()}


def bottom(part: str, middle: float) -> float:
    """Where the drawing of a part ends, in inches."""
    return middle - {"patches": IMAGE[1], "embedding": EMBEDDED, "tokens": STACK}.get(part, TALL) / 2


def sketch(
    axes: Axes, summary: Summary, features: Features, lit: Collection[str], middle: float, height: float
) -> None:
    """Draw it around the line ``middle`` in ``height`` inches, with the parts in ``lit`` in the accent colour."""
    half = height / 2
    _image(axes, summary, features, middle, "patches" in lit)
    _box(axes, EMBEDDING, middle, EMBEDDED, "patch\nembedding", "embedding" in lit)
    _tokens(axes, summary, middle, "tokens" in lit)
    _box(axes, BLOCK, middle, height, "", "block" in lit, ground="white")
    depth = int(str(summary.model["depth"]))
    words = f"{counted(depth, 'block')}, each"
    colour = ink(BLUE) if "block" in lit else BLACK
    axes.text(BLOCK[0] + 0.15, middle + half - 0.12, words, fontsize=LETTERS, va="top", color=colour)
    places = chain(summary)
    stops = [IMAGE, EMBEDDING, TOKENS, *((left, INSIDE[name]) for name, left in places), POOL, HEAD]
    for (left, width), (following, _) in itertools.pairwise(stops):
        _arrow(axes, left + width + 0.04, following - 0.03, middle)
    entry = BLOCK[0] + 0.07
    for name, left in places:
        if name == "+":
            centre, over = left + INSIDE["+"] / 2, middle + TALL / 2 + 0.18
            path = [entry, entry, centre, centre], [middle, over, over, middle + INSIDE["+"] / 2]
            axes.plot(*path, color=GREY, linewidth=1.4, zorder=2)
            axes.add_patch(Circle((centre, middle), INSIDE["+"] / 2, facecolor="white", edgecolor=GREY, zorder=3))
            axes.text(centre, middle, "+", fontsize=LETTERS, ha="center", va="center_baseline", zorder=4)
            entry = left + INSIDE["+"] + 0.06
        else:
            _box(axes, (left, INSIDE[name]), middle, TALL, name, name in lit)
    _box(axes, POOL, middle, TALL, "pool", "pool" in lit)
    _box(axes, HEAD, middle, TALL, "class", False)


def _image(axes: Axes, summary: Summary, features: Features, middle: float, lit: bool) -> None:
    """The first example image, cut into the baseline's patches; an empty square without one."""
    left, side = IMAGE
    low, high = middle - side / 2, middle + side / 2
    if features.example_labels:
        pixels = features.examples.values[0]  # [H, W, C]
        shown = pixels if pixels.shape[-1] == 3 else pixels.repeat(3, axis=-1)
        axes.imshow(shown, extent=(left, left + side, low, high), interpolation="nearest", zorder=1)
    else:
        axes.add_patch(Rectangle((left, low), side, side, facecolor=PALE, linewidth=0))
    cuts = summary.dataset.image_size // int(summary.model["patch_size"] or 1)
    if cuts <= MOST_LINES:
        places = np.linspace(0, side, cuts + 1)
        axes.hlines(low + places, left, left + side, color="white", linewidth=1.2, zorder=2)
        axes.vlines(left + places, low, high, color="white", linewidth=1.2, zorder=2)
    if lit:
        axes.add_patch(Rectangle((left, low), side, side, fill=False, edgecolor=BLUE, linewidth=2.4, zorder=3))


def _tokens(axes: Axes, summary: Summary, middle: float, lit: bool) -> None:
    """Tokens, a darker one for [CLS] on top, and the positions that are added to them."""
    left, width = TOKENS
    rows, gap = 5, 0.06
    size = (STACK + gap) / rows - gap
    added = not str(summary.model["position"]).startswith(("none", "rope"))
    top = middle + STACK / 2
    stacks = [left + 0.15, left + width - 0.15 - size] if added else [left + (width - size) / 2]
    edge, fill = (BLUE, TINT) if lit else (GREY, PALE)
    for place, colour in zip(stacks, (fill, "white"), strict=False):
        for row in range(rows):
            special = row == 0 and colour == fill and summary.model["pool"] == "cls"
            face = edge if special else colour
            corner = (place, top - size - row * (size + gap))
            axes.add_patch(Rectangle(corner, size, size, facecolor=face, edgecolor=edge, linewidth=1.2, zorder=2))
    if added:
        axes.text(left + width / 2, middle, "+", fontsize=LETTERS, ha="center", va="center_baseline", zorder=4)
    words = "tokens + positions" if added else "tokens"
    dark = ink(BLUE) if lit else BLACK
    axes.text(left + width / 2, top + 0.08, words, fontsize=12, ha="center", va="bottom", color=dark)


def _box(
    axes: Axes, place: tuple[float, float], middle: float, height: float, words: str, lit: bool, ground: str = ""
) -> None:
    left, width = place
    shape = FancyBboxPatch(
        (left, middle - height / 2),
        width,
        height,
        boxstyle="round,pad=0,rounding_size=0.06",
        facecolor=ground or (TINT if lit else "white"),
        edgecolor=BLUE if lit else GREY,
        linewidth=2 if lit else 1.2,
        zorder=1 if ground else 3,
    )
    axes.add_patch(shape)
    weight, colour = ("semibold", ink(BLUE)) if lit else ("normal", BLACK)
    axes.text(
        left + width / 2,
        middle,
        words,
        fontsize=LETTERS,
        ha="center",
        va="center",
        weight=weight,
        color=colour,
        linespacing=1.1,
        zorder=4,
    )


def _arrow(axes: Axes, start: float, end: float, y: float) -> None:
    style = {
        "arrowstyle": "-|>,head_width=0.22,head_length=0.4",
        "color": GREY,
        "linewidth": 1.2,
        "shrinkA": 0,
        "shrinkB": 0,
    }
    axes.annotate("", (end, y), (start, y), arrowprops=style, zorder=2)
