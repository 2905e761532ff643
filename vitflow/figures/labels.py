"""Direct labels: texts beside what they name, placed so that they cover neither points nor each other."""

from __future__ import annotations

import re
import textwrap
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text
from numpy.typing import NDArray

from vitflow.figures.style import BODY, GREY, HALO, ink
from vitflow.study.fields import spoken

#: where a label may stand, in points from its point to its nearest edge: (x, y), nearest places first
PLACES = [
    (x * distance, y * distance)
    for distance in (7, 14, 24, 38, 56, 80, 110, 145)
    for x, y in ((1, 0), (-1, 0), (0, 1), (0, -1), (0.8, 0.8), (-0.8, 0.8), (0.8, -0.8), (-0.8, -0.8))
]
#: what the field writes for words of long labels, whose ends tell them apart
ABBREVIATIONS = {"learning rate": "lr", "weight decay": "wd"}
#: a space at which no line ends
BOUND = "\N{NO-BREAK SPACE}"
#: how much worse it is to cover words than points, and for a line to cross words, in points of length
WORDS, CROSSED = 20, 40


@dataclass(frozen=True)
class Label:
    """A text for the point (x, y) in data coordinates. One that must stand is placed at any price."""

    x: float
    y: float
    text: str
    colour: str
    must: bool = True


def wrap(text: str, width: int, lines: int = 2) -> str:
    """``text`` in at most ``lines`` lines of ``width`` characters; also broken after '-', not before a number.

    What does not fit is abbreviated (``lr 0.008``), and what still does not is cut with '…'.
    """
    text = spoken(text)
    if len(textwrap.wrap(_bound(text, width), width)) > lines:
        for words, letters in ABBREVIATIONS.items():
            text = text.replace(words, letters)
    wrapped = textwrap.wrap(_bound(text, width), width, max_lines=lines, placeholder="…")
    return "\n".join(wrapped).replace(BOUND, " ") or text


def _bound(text: str, width: int) -> str:
    """``text`` whose numbers stay on the line of their word, where the two fit into one."""
    return re.sub(r"\S+ \d\S*", lambda pair: pair[0].replace(" ", BOUND) if len(pair[0]) <= width else pair[0], text)


def shorten(name: str, letters: int = 24) -> str:
    """A name that leaves room for the picture: cut off, with an ellipsis, where it is longer."""
    return name if len(name) <= letters else f"{name[: letters - 1].rstrip()}…"


def taken_for(actual: str, predicted: str) -> str:
    """``cat → dog``, left to right whatever the names' direction: else an Arabic name would turn the arrow round."""
    return f"{_isolated(actual)} → {_isolated(predicted)}"


def _isolated(name: str) -> str:
    """A name whose letters run from right to left, set apart from what stands beside it (Unicode annex 9)."""
    runs_left = any(unicodedata.bidirectional(letter) in ("R", "AL") for letter in name)
    return f"\N{FIRST STRONG ISOLATE}{name}\N{POP DIRECTIONAL ISOLATE}" if runs_left else name


def spread(wanted: list[float], sizes: list[float], low: float, high: float) -> list[float]:
    """Centres near ``wanted`` for boxes of the given sizes: in the same order, not overlapping, inside [low, high].

    Where the boxes need more room than there is, they shrink alike.
    """
    if not wanted:
        return []
    order = np.argsort(wanted, kind="stable")
    size = np.array(sizes, dtype=float)[order]
    size *= min(1.0, (high - low) / size.sum())
    offsets = np.cumsum(size) - size / 2  # of the centres, if the boxes were stacked from zero
    # with the stack's offsets taken out, "not overlapping" becomes "not decreasing": least-squares isotonic
    levels: list[tuple[float, int]] = []
    for value in np.array(wanted, dtype=float)[order] - offsets:
        levels.append((float(value), 1))
        while len(levels) > 1 and levels[-2][0] >= levels[-1][0]:
            (a, m), (b, n) = levels.pop(-2), levels.pop()
            levels.append(((a * m + b * n) / (m + n), m + n))
    shifts = np.repeat([value for value, _ in levels], [count for _, count in levels])
    centres = np.empty(len(wanted))
    centres[order] = np.clip(shifts, low, high - size.sum()) + offsets
    return [float(value) for value in centres]


def end_labels(axes: Axes, labels: list[Label]) -> None:
    """Write labels in a column right of ``axes``, each at the height of its point, spread where they crowd.

    Call it last: heights are read from the finished limits and layout.
    """
    figure = cast(Figure, axes.get_figure(root=True))
    figure.draw_without_rendering()  # the layout settles how high the panel is
    panel = axes.get_window_extent().height * 72 / figure.dpi  # points
    low, high = axes.get_ylim()
    wanted = [(label.y - low) / (high - low) for label in labels]
    sizes = [BODY * (1.2 * (label.text.count("\n") + 1) + 0.35) / panel for label in labels]
    for label, height in zip(labels, spread(wanted, sizes, -0.05, 1.0), strict=True):
        axes.annotate(
            label.text,
            (1.02, height),
            xycoords="axes fraction",
            color=ink(label.colour),
            va="center",
            fontsize=BODY,
            annotation_clip=False,
        )


def place(
    axes: Axes,
    labels: list[Label],
    obstacles: Sequence[tuple[float, float]],
    *,
    centred: bool = False,
    around: Sequence[Text] = (),
) -> list[str]:
    """Write each label next to its point where it covers no obstacle, words or edge; return those left out.

    ``labels`` come in order of importance; ``obstacles`` are all drawn points in data coordinates, ``around`` words
    that stand in the panel already. A label away from its point gets a thin line to it; ``centred`` labels may stand on
    their own point. One that must stand covers points before it covers words. Call it last: it fixes the layout.
    """
    figure = cast(Figure, axes.get_figure(root=True))
    FigureCanvasAgg(figure)
    figure.draw_without_rendering()
    pixels = figure.dpi / 72  # pixels a point
    reach = 6 * pixels  # a marker and a little air
    points = axes.transData.transform(np.array(obstacles, dtype=float).reshape(-1, 2))  # [obstacles, 2]
    markers = np.hstack([points - reach, points + reach])  # boxes [obstacles, 4]: x0, y0, x1, y1 in pixels
    words = np.array([Text.get_window_extent(text).padded(2 * pixels).extents for text in around]).reshape(-1, 4)
    inside = np.array([axes.get_window_extent().extents])  # [1, 4]
    offsets = np.array([(0.0, 0.0), *PLACES] if centred else PLACES)  # [places, 2]
    omitted = []
    for label in labels:
        text = axes.annotate(
            label.text,
            (label.x, label.y),
            xytext=(0, 0),
            textcoords="offset points",
            color=ink(label.colour),
            va="bottom",
            fontsize=BODY - 1,
            path_effects=HALO,
            arrowprops={"arrowstyle": "-", "color": GREY, "linewidth": 0.8, "shrinkA": 0, "shrinkB": 4},
            zorder=5,
        )
        text.set_in_layout(False)
        extent = Text.get_window_extent(text)  # of the letters: an annotation's own includes its line
        size = np.array([extent.width, extent.height])
        anchor = axes.transData.transform((label.x, label.y))
        # lower left corners such that the nearest edge or corner of the box is ``offsets`` away
        corners = anchor + offsets * pixels + (np.sign(offsets) - 1) / 2 * size
        boxes = np.hstack([corners, corners + size])  # [places, 4]
        outside = size.prod() - _shared(boxes, inside)[:, 0]
        hidden = _shared(boxes, markers).sum(axis=1) + WORDS * (_shared(boxes, words).sum(axis=1) + outside)
        lines = _lines(anchor, boxes, pixels)  # [places, steps, 4]
        for at, line in enumerate(lines):
            hidden[at] += CROSSED * pixels**2 * (_shared(line, words) > 0).any(axis=1).sum()
        best = int(np.argmin(hidden.round()))  # the first of equals: the nearest
        if hidden[best] >= 1 and not label.must:
            text.remove()
            omitted.append(label.text)
            continue
        text.set_position(tuple((corners[best] - anchor) / pixels))
        if text.arrow_patch is not None:
            text.arrow_patch.set_visible(bool(np.abs(offsets[best]).max() > 7))
        words = np.vstack([words, boxes[best]])
        markers = np.vstack([markers, lines[best]])
    return omitted


def _lines(anchor: NDArray[np.float64], boxes: NDArray[np.float64], pixels: float) -> NDArray[np.float64]:
    """What the line from a point to the middle of each of its possible labels covers, as little boxes outside of it."""
    ends = np.clip(anchor, boxes[:, :2], boxes[:, 2:])  # the nearest place of each box: [places, 2]
    steps = np.linspace(0.15, 0.95, 12)[None, :, None]
    middles = anchor + steps * (ends - anchor)[:, None, :]
    return np.concatenate([middles - pixels, middles + pixels], axis=2)


def _shared(ones: NDArray[np.float64], others: NDArray[np.float64]) -> NDArray[np.float64]:
    """Areas that each of one set of boxes shares with each of another: [ones, others]."""
    low = np.maximum(ones[:, None, :2], others[None, :, :2])
    high = np.minimum(ones[:, None, 2:], others[None, :, 2:])
    area: NDArray[np.float64] = np.clip(high - low, 0, None).prod(axis=-1)
    return area
