"""Words of several weights in lines, broken where they would be too wide: matplotlib sets a text in one weight only."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import matplotlib
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties

from vitflow.figures.style import BLACK, ink

#: inches of a line, and of the space after a word and after a coloured one, as parts of the size in points
LINE, SPACE, LABEL_SPACE = 1.28 / 72, 0.27 / 72, 0.45 / 72
#: inches between entries that share a line
APART = 0.35


class Item(NamedTuple):
    """A word; coloured ones are semi-bold."""

    text: str
    colour: str = ""


Lines = list[list[tuple[float, Item]]]  #: words with the inches from their line's left edge


def flow(entries: list[list[Item]], width: float, size: int, apart: bool = True) -> Lines:
    """Lines of ``width`` inches that hold the words of all entries, each ``apart`` or running on."""
    lines: Lines = []
    x = 0.0
    for number, words in enumerate(entries):
        if apart or not lines:
            lines.append([])
            x = 0.0
        elif number:
            x += APART
        for word in words:
            long = _width(word, size)
            if lines[-1] and x + long > width:
                lines.append([])
                x = 0.0
            lines[-1].append((x, word))
            x += long + (LABEL_SPACE if word.colour else SPACE) * size
    return lines


def narrowest(entries: list[list[Item]], lines: int, size: int) -> float:
    """The least width in inches, in steps of a tenth, at which the entries take no more than ``lines`` lines."""
    longest = max(_width(word, size) for words in entries for word in words)
    widths = (longest + step / 10 for step in range(60))
    return next((width for width in widths if len(flow(entries, width, size)) <= lines), longest + 6)


def write(axes: Axes, lines: Lines, left: float, top: float, size: int) -> None:
    """Draw lines below and right of a point, in inches of axes whose data are inches."""
    for number, words in enumerate(lines):
        for x, word in words:
            axes.text(
                left + x,
                top - (number + 0.75) * LINE * size,
                word.text,
                fontsize=size,
                weight="semibold" if word.colour else "normal",
                color=ink(word.colour or BLACK),
                va="baseline",
            )


def _width(word: Item, size: int) -> float:
    return _measured(word.text, "semibold" if word.colour else "normal", *matplotlib.rcParams["font.family"]) * size


@cache
def _measured(text: str, weight: str, *families: str) -> float:
    """Inches that a text takes at one point."""
    renderer = FigureCanvasAgg(Figure(dpi=72)).get_renderer()
    fonts = FontProperties(family=list(families), weight=weight, size=100)
    return renderer.get_text_width_height_descent(text, fonts, ismath=False)[0] / 100 / 72
