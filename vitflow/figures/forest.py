"""A forest plot: one row a run, its seeds, its mean difference from the baseline and the interval of that."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple, cast

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.text import Text
from matplotlib.ticker import MaxNLocator

from vitflow.analysis.claims import Evidence, signed
from vitflow.analysis.claims.wording import digits_for
from vitflow.figures.labels import shorten, wrap
from vitflow.figures.looks import Look, handles
from vitflow.figures.style import BLACK, FULL, GREY, PALE, SMALL, ink

#: beyond this many times the 85 % quantile of all differences, a run is an arrow at the edge
FAR = 2.0
SIZE = SMALL + 1  #: of texts, in points
#: characters of a label that stands alone; of an axis and a value that stand side by side
ALONE, HEADING, VALUE = 44, 34, 24
#: inches: from the edge, between columns, the line above the rows, ticks below them, a line of text
EDGE, GAP, ABOVE, TICKS, LINE = 0.1, 0.18, 0.36, 0.34, 0.27
#: few rows are not stretched over all the height
LEAST_ROWS = 5


class Row(NamedTuple):
    """One line of a forest plot."""

    name: str  #: of its run
    label: str
    look: Look
    evidence: Evidence | None  #: None where nothing can be compared
    dots: tuple[float, ...]  #: one a seed, in points; they average to those of the evidence
    diverged: int  #: seeds
    heading: str = ""  #: what this row and those below it have in common
    ruled: bool = False  #: below a thin line

    @property
    def colour(self) -> str:
        """Its own where the difference is significant, or described without an interval; grey where it is neither."""
        if self.evidence is None or self.evidence.diverged:
            return GREY
        return self.look.colour if self.evidence.significant or self.evidence.interval is None else GREY


class Forest(NamedTuple):
    """Rows on one scale, and the part of the figure's width that they have."""

    rows: Sequence[Row]
    scale: Sequence[Row]  #: most of them are within it: arrows at its edge stand for what is not
    title: str
    span: tuple[float, float] = (0.0, 1.0)
    brief: bool = False  #: of numbers, the points alone


def forest(
    forests: Sequence[Forest], margin: float, legend: Mapping[str, Look] | None = None, note: str = ""
) -> Figure:
    """Forests side by side, a row of each at the same height; below them the ``legend`` and one line of ``note``.

    Left of each panel stand headings and labels, right of it points, intervals and seeds.
    """
    figure = Figure(figsize=FULL)
    FigureCanvasAgg(figure)
    height = FULL[1]
    below = TICKS + LINE * (bool(legend) + bool(note))
    lines = max(LEAST_ROWS, *(len(one.rows) for one in forests))
    step = (height - ABOVE - below) / lines  # inches a row
    for one in forests:
        centres = [1 - (ABOVE + (k + 0.5) * step) / height for k in range(len(one.rows))]
        right = _numbers(figure, one, centres)
        left = _labels(figure, one, centres, two_lines=72 * step > 2.4 * SIZE)
        axes = figure.add_axes((left, below / height, right - left, 1 - (ABOVE + below) / height))
        axes.set(ylim=(lines - 0.5, -0.5), xlim=_limits(one.scale, margin))
        axes.xaxis.set_major_locator(MaxNLocator(nbins=int(1.5 * FULL[0] * (right - left)), steps=[1, 2, 3, 4, 5, 10]))
        _panel(axes, one.rows, margin)
        figure.text(left, 1 - ABOVE / 2 / height, one.title, va="center_baseline", fontsize=SIZE)
        for row, y in zip(one.rows, centres, strict=True):
            if row.ruled:
                y += step / 2 / height
                figure.add_artist(Line2D(one.span, [y, y], color="#CCCCCC", linewidth=0.8))
    if note:
        figure.text(EDGE / FULL[0], LINE / 2 / height, note, va="center_baseline", fontsize=SMALL, color=GREY)
    if legend:
        _legend(figure, legend, LINE * bool(note) / height)
    return figure


def in_words(row: Row) -> str:
    """``patch size 2 +4.1 (+3.6 to +4.6), n = 3``, for alternative texts."""
    points, interval, _ = _cells(row)
    said = f"{points} ({interval})" if interval else points
    lost = f", {row.diverged} diverged" if row.diverged else ""
    return f"{row.heading} {row.label} {said}, n = {len(row.dots)}{lost}".strip()


def _cells(row: Row) -> tuple[str, str, str]:
    """Points, interval and seeds, as they stand right of the panel."""
    seeds = str(len(row.dots)) + (f", {row.diverged} \N{MULTIPLICATION SIGN}" if row.diverged else "")
    if row.evidence is None:
        return ("diverged" if row.diverged else "\N{EN DASH}"), "", seeds
    ends = row.evidence.interval or ()
    digits = digits_for(ends, [0.0])
    return signed(row.evidence.points, digits), " to ".join(signed(end, digits) for end in ends), seeds


def _labels(figure: Figure, one: Forest, centres: Sequence[float], *, two_lines: bool) -> float:
    """Write headings and labels, the latter flush right; return where the panel may begin, in 0..1 of the width."""
    width, lines = FULL[0], 2 if two_lines else 1
    start = one.span[0] + EDGE / width
    headings: dict[str, Text] = {}
    for row, y in zip(one.rows, centres, strict=True):
        if row.heading and row.heading not in headings:
            words = shorten(row.heading, HEADING)
            headings[row.heading] = figure.text(start, y, words, va="center_baseline", fontsize=SIZE)
    if headings:
        start = max(_extent(text)[1] for text in headings.values()) + GAP / width
    room = VALUE if headings else round(ALONE * (one.span[1] - one.span[0]))
    texts = []
    for row, y in zip(one.rows, centres, strict=True):
        text = figure.text(start, y, wrap(row.label, room, lines), va="center_baseline", fontsize=SIZE)
        text.set(color=GREY if row.colour == GREY else ink(row.colour), linespacing=0.95)
        texts.append(text)
    end = max(_extent(text)[1] for text in texts)
    for text in texts:
        text.set(x=end, ha="right")
    return end + GAP / width


def _numbers(figure: Figure, one: Forest, centres: Sequence[float]) -> float:
    """Write points, intervals and seeds, flush right; return where the panel must end, in 0..1 of the width."""
    width, height = FULL
    edge, head = one.span[1] - EDGE / width, 1 - ABOVE / 2 / height
    points, intervals, seeds = zip(*map(_cells, one.rows), strict=True)
    columns = [(points, "points"), (intervals, "95 % interval"), (seeds, "n")]
    for column, title in [(points, "")] if one.brief else columns[::-1]:
        if not any(column):
            continue
        texts = [figure.text(edge, head, title, va="center_baseline", ha="right", fontsize=SIZE, color=GREY)]
        for cell, row, y in zip(column, one.rows, centres, strict=True):
            colour = GREY if row.colour == GREY else BLACK
            texts.append(figure.text(edge, y, cell, va="center_baseline", ha="right", fontsize=SIZE, color=colour))
        edge = min(_extent(text)[0] for text in texts if text.get_text()) - GAP / width
    return edge - GAP / width


def _extent(text: Text) -> tuple[float, float]:
    """Where a text begins and ends, in 0..1 of the figure's width."""
    box = text.get_window_extent()
    width = cast(Figure, text.get_figure(root=True)).bbox.width
    return box.x0 / width, box.x1 / width


def _panel(axes: Axes, rows: Sequence[Row], margin: float) -> None:
    axes.axvspan(-margin, margin, color=PALE, zorder=0)
    axes.axvline(0, color=GREY, linewidth=1, zorder=1)
    axes.grid(axis="x")
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    for y, row in enumerate(rows):
        if row.evidence is not None:
            _row(axes, y, row, row.evidence)


def _row(axes: Axes, y: int, row: Row, evidence: Evidence) -> None:
    """Seeds as dots, the mean as a marker, the interval as a line; or an arrow where the mean is out of scale."""
    low, high = axes.get_xlim()
    if not low < evidence.points < high:
        air = 0.025 * (high - low)
        edge, arrow = (low + air, "<") if evidence.points < low else (high - air, ">")
        axes.plot(edge, y, arrow, markersize=9, color=row.colour)
        return
    if evidence.interval:
        ends = np.clip(evidence.interval, low, high)
        axes.plot(ends, [y, y], color=row.colour, linewidth=1.8, solid_capstyle="butt", zorder=2)
    # seeds a little lower, so that the mean does not hide them
    axes.plot(row.dots, [y + 0.26] * len(row.dots), "o", markersize=4.5, color=row.colour, alpha=0.5, mew=0, zorder=3)
    axes.plot(evidence.points, y, row.look.marker, markersize=8.5, color=row.colour, mec="white", mew=0.8, zorder=4)


def _limits(rows: Sequence[Row], margin: float) -> tuple[float, float]:
    """A scale for most rows: the few that lie far out (:data:`FAR`) would shrink all others to a line."""
    known = [(row, row.evidence) for row in rows if row.evidence]
    far = FAR * float(np.quantile([abs(evidence.points) for _, evidence in known] or [0.0], 0.85))
    near = [(row, evidence) for row, evidence in known if abs(evidence.points) <= far]
    shown = [dot for row, _ in near for dot in row.dots]
    ends = [end for _, evidence in near for end in evidence.interval or () if abs(end) <= 2 * far]
    low, high = min([*shown, *ends, -2 * margin]), max([*shown, *ends, 2 * margin])
    air = 0.06 * (high - low)
    return low - air, high + air


def _legend(figure: Figure, legend: Mapping[str, Look], bottom: float) -> None:
    figure.legend(
        handles=handles(legend),
        loc="lower left",
        bbox_to_anchor=(0, bottom),
        ncols=len(legend),
        frameon=False,
        fontsize=SMALL,
        borderpad=0.2,
        borderaxespad=0,
        handletextpad=0.1,
        columnspacing=1.2,
    )
