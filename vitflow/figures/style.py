"""How every figure looks: sizes in inches, fonts in points, colours, and the words for n.

Colours are of Okabe and Ito (2008), distinguishable with any colour vision. Their yellow is left out: it
cannot be read on white. Which run has which: :mod:`vitflow.figures.looks`.
"""

from __future__ import annotations

import logging
import textwrap
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, cast

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.patheffects import AbstractPathEffect, withStroke
from numpy.typing import NDArray

from vitflow.analysis.claims.wording import between
from vitflow.analysis.records import Summary
from vitflow.figures.alphabets import families

FULL = (12.1, 4.7)  # a slide's full width
BESIDE = (7.6, 5.1)  # beside a column of text
BODY, SMALL = 14, 12  # SMALL only for second-rank text

BLACK, ORANGE, SKY, GREEN = "#000000", "#E69F00", "#56B4E9", "#009E73"
BLUE, VERMILLION, PURPLE = "#0072B2", "#D55E00", "#CC79A7"
BROWN = "#8C510A"
GREY, PALE = "#767676", "#ECECEC"
TINT = "#DDECF6"  # BLUE, as a ground for words

HALO: list[AbstractPathEffect] = [withStroke(linewidth=3, foreground="white")]

RC: dict[str, Any] = {
    "font.size": BODY,
    "axes.titlesize": BODY,
    "axes.titlelocation": "left",
    "axes.labelsize": BODY,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.edgecolor": GREY,
    "xtick.color": GREY,
    "ytick.color": GREY,
    "xtick.labelcolor": BLACK,
    "ytick.labelcolor": BLACK,
    "xtick.labelsize": 13,
    "ytick.labelsize": 13,
    "grid.color": "#DDDDDD",
    "lines.linewidth": 2.2,
    "lines.solid_capstyle": "round",
    "text.parse_math": False,  # a class called $x$ is called that
    "image.interpolation": "nearest",  # pixels stay pixels
    "savefig.dpi": 150,
    "figure.dpi": 150,
    "svg.fonttype": "path",  # text as text breaks inside <img>
    "svg.hashsalt": "vitflow",  # ids, and so bytes, are the same on every run
}


@dataclass(frozen=True)
class Drawing:
    """A figure, one line for below it, and a text for those who cannot see it (n, and what bands mean)."""

    figure: Figure
    caption: str
    alt: str
    missing: str = ""  #: why there is nothing to be seen; a slide says so in place of the figure


@contextmanager
def styled(text: str = "") -> Iterator[None]:
    """matplotlib's own defaults with :data:`RC`, whatever the user's matplotlibrc says.

    ``text`` is what will be written: letters that our own fonts lack come from this machine's, if it has them.
    """
    # the spare font has no semi-bold, and says so whenever it is looked up
    logging.getLogger("matplotlib.font_manager").setLevel(logging.ERROR)
    with matplotlib.rc_context(), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing from font")  # told once, with advice: alphabets.py
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(cast(Any, RC | {"font.family": families(text)}))
        yield


def new_figure(size: tuple[float, float]) -> Figure:
    """An empty figure of ``size`` inches with constrained layout, outside pyplot's global state."""
    return Figure(figsize=size, layout=ConstrainedLayoutEngine(w_pad=0.08, h_pad=0.08))


def missing(reason: str, size: tuple[float, float] = FULL) -> Drawing:
    """What stands in place of a picture that has nothing to show: a sentence that says why."""
    figure = new_figure(size)
    figure.text(0.5, 0.5, "\n".join(textwrap.wrap(reason, 64)), ha="center", va="center", color=GREY, linespacing=1.5)
    return Drawing(figure, reason, f"Nothing is drawn, n = 0: {reason} There are no bands.", reason)


def picture(axes: Axes, image: NDArray[np.uint8]) -> None:
    """An image [H, W, 1 or 3] with its pixels as they are."""
    shown = image if image.shape[-1] == 3 else image[..., 0]
    axes.imshow(shown, cmap="gray", vmin=0, vmax=255, interpolation="nearest")
    axes.set_xticks([])
    axes.set_yticks([])
    axes.spines[:].set_visible(False)


def ink(colour: str) -> tuple[float, float, float]:
    """``colour`` darkened until text in it can be read on white: contrast 4.5 to 1 (WCAG 2.1)."""
    rgb = np.array(to_rgb(colour))
    while True:
        linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
        if 1.05 / (linear @ [0.2126, 0.7152, 0.0722] + 0.05) >= 4.5:
            return float(rgb[0]), float(rgb[1]), float(rgb[2])
        rgb = 0.97 * rgb


def seeds(summary: Summary, names: list[str] | None = None) -> str:
    """``n = 3 seeds``, ``n = 2 to 6 seeds``: finished seeds of the named runs (all runs if None)."""
    counts = [run.n for name, run in summary.runs.items() if names is None or name in names]
    return f"n = {between(counts)} seed{'' if max(counts, default=0) == 1 else 's'}"


def diverged(summary: Summary, names: list[str] | None = None) -> str:
    """A sentence on diverged seeds of the named runs, empty if there are none."""
    found = [
        f"{run.label} ({run.diverged} of {run.diverged + run.n})"
        for name, run in summary.runs.items()
        if run.diverged and (names is None or name in names)
    ]
    return f" Diverged, counted but not averaged: {', '.join(found)}." if found else ""


def heading(axes: Axes, text: str) -> None:
    """Name the quantity on the vertical axis above it, where it is read without turning the head."""
    axes.set_title(text, loc="left", pad=10)
