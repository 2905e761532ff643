"""The deck's typeface: DejaVu Sans as matplotlib ships it, cut down to the glyphs in use.

It travels under a family name of its own: a font named like an installed one loses glyphs in WeasyPrint.
"""

from __future__ import annotations

import base64
import io
from pathlib import Path

import matplotlib
from fontTools import subset
from fontTools.ttLib import TTFont

FAMILY = "Vitflow Deck"
#: style of a span: (file, CSS font-weight, CSS font-style); code is set in the same letters, slanted by CSS alone
FACES = {
    "plain": ("DejaVuSans.ttf", 400, "normal"),
    "strong": ("DejaVuSans-Bold.ttf", 700, "normal"),
    "em": ("DejaVuSans-Oblique.ttf", 400, "italic"),
}


def embedded(style: str, characters: str) -> str:
    """A CSS ``@font-face`` rule that holds the glyphs of ``characters``; equal input gives equal bytes."""
    file, weight, slant = FACES[style]
    font = open_font(file)
    options = subset.Options(name_IDs=[], notdef_outline=True, hinting=False, layout_features=["kern"])
    options.drop_tables += ["FFTM"]  # FontForge's time stamp
    cutter = subset.Subsetter(options)
    cutter.populate(text=characters)
    cutter.subset(font)
    for identifier, name in ((1, FAMILY), (2, style), (4, f"{FAMILY} {style}"), (6, f"VitflowDeck-{style}")):
        font["name"].setName(name, identifier, 3, 1, 0x409)
    data = io.BytesIO()
    font.save(data)
    source = base64.b64encode(data.getvalue()).decode()
    return (
        f'@font-face{{font-family:"{FAMILY}";font-weight:{weight};font-style:{slant};'
        f"src:url(data:font/ttf;base64,{source})}}"
    )


def open_font(file: str) -> TTFont:
    """One of matplotlib's fonts; saving it leaves its date alone."""
    return TTFont(Path(matplotlib.get_data_path()) / "fonts" / "ttf" / file, recalcTimestamp=False)
