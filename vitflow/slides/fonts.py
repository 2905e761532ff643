"""The deck's typeface, that of the figures, cut down to the glyphs in use; and how wide text is in it.

It travels under a family name of its own: its licence wants one for a font that was cut, and one that is named like an
installed font loses glyphs in WeasyPrint.
"""

from __future__ import annotations

import base64
import functools
import io
from pathlib import Path

import matplotlib
from fontTools import subset
from fontTools.ttLib import TTFont

from vitflow.figures.alphabets import FONTS

FAMILY, SPARE_FAMILY = "Vitflow Deck", "Vitflow Deck Spare"
#: style of a span: (file, CSS font-weight, CSS font-style); other styles are set in the plain letters
FACES = {
    "plain": ("IBMPlexSans-Regular.ttf", 400, "normal"),
    "strong": ("IBMPlexSans-SemiBold.ttf", 600, "normal"),
    "em": ("IBMPlexSans-Italic.ttf", 400, "italic"),
}
#: how much wider Arial is than the strong face
BOLDER = 1.05
#: what has the letters that the faces lack
SPARE = "DejaVuSans.ttf"


def embedded(styles: list[str], characters: str) -> str:
    """CSS ``@font-face`` rules that hold the glyphs of ``characters``; equal input gives equal bytes."""
    rules = [_rule(FAMILY, style, *FACES[style], characters) for style in styles]
    lacking = "".join(c for c in characters if ord(c) not in _metrics(FACES["plain"][0])[0])
    return "\n".join([*rules, *([_rule(SPARE_FAMILY, "plain", SPARE, 400, "normal", lacking)] if lacking else [])])


def width(text: str, size: float, style: str = "plain") -> float:
    """Width in pixels of one line of ``text`` set at ``size`` pixels; strong text is taken for PowerPoint's Arial."""
    characters, advances, em = _metrics(FACES.get(style, FACES["plain"])[0])
    spare, spare_advances, spare_em = _metrics(SPARE)
    length = 0.0
    for c in text:
        if glyph := characters.get(ord(c)):
            length += advances[glyph][0] / em
        else:
            length += spare_advances[spare.get(ord(c), ".notdef")][0] / spare_em
    return length * size * (BOLDER if style == "strong" else 1)


def _rule(family: str, style: str, file: str, weight: int, slant: str, characters: str) -> str:
    font = _open(file)
    options = subset.Options(name_IDs=[], notdef_outline=True, hinting=False, layout_features=["kern"])
    options.drop_tables += ["FFTM"]  # FontForge's time stamp
    cutter = subset.Subsetter(options)
    cutter.populate(text=characters)
    cutter.subset(font)
    for identifier, name in (
        (1, family),
        (2, style),
        (4, f"{family} {style}"),
        (6, f"{family.replace(' ', '')}-{style}"),
    ):
        font["name"].setName(name, identifier, 3, 1, 0x409)
    data = io.BytesIO()
    font.save(data)
    source = base64.b64encode(data.getvalue()).decode()
    return (
        f'@font-face{{font-family:"{family}";font-weight:{weight};font-style:{slant};'
        f"src:url(data:font/ttf;base64,{source})}}"
    )


def _open(file: str) -> TTFont:
    """A font of the figures; saving it leaves its date alone."""
    folder = Path(matplotlib.get_data_path()) / "fonts" / "ttf" if file == SPARE else FONTS
    return TTFont(folder / file, recalcTimestamp=False)


@functools.cache
def _metrics(file: str) -> tuple[dict[int, str], dict[str, tuple[int, int]], int]:
    font = _open(file)
    return font.getBestCmap(), dict(font["hmtx"].metrics), font["head"].unitsPerEm
