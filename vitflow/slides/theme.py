"""The PPTX file's theme and master: fonts, colours and the place of titles, so that slides added by hand look alike."""

from __future__ import annotations

from typing import Any

from lxml import etree
from pptx.opc.constants import RELATIONSHIP_TYPE
from pptx.oxml.ns import qn
from pptx.util import Emu

from vitflow.slides import boxes, palette
from vitflow.slides.boxes import Box

#: as wide as the deck's own face, and present or replaced by a face of equal widths everywhere
FONT = "Arial"
#: the theme's colours by the names that PowerPoint gives them
COLOURS = {
    "dk1": palette.INK,
    "lt1": palette.DAY,
    "dk2": palette.NIGHT,
    "lt2": palette.PALE,
    "accent1": palette.ACCENT,
    "accent2": palette.WARNING,
    "accent3": palette.MUTED,
    "accent4": palette.RULE,
    "accent5": palette.DUSK,
    "accent6": palette.NIGHT,
    "hlink": palette.ACCENT,
    "folHlink": palette.ACCENT,
}


def dress(presentation: Any) -> None:
    """Give python-pptx's own template the deck's size, theme and title."""
    _widen(presentation)
    part = presentation.slide_master.part.part_related_by(RELATIONSHIP_TYPE.THEME)
    theme = etree.fromstring(part.blob)
    theme.set("name", "vitflow")
    for name, colour in COLOURS.items():
        slot = theme.find(f".//{qn(f'a:{name}')}")
        slot[:] = [etree.Element(qn("a:srgbClr"), val=colour)]
    for kind in ("majorFont", "minorFont"):
        theme.find(f".//{qn(f'a:{kind}')}/{qn('a:latin')}").set("typeface", FONT)
    part._blob = etree.tostring(theme, xml_declaration=True, encoding="UTF-8", standalone=True)
    style = presentation.slide_master.element.find(f".//{qn('p:titleStyle')}/{qn('a:lvl1pPr')}")
    style.set("algn", "l")
    style.find(qn("a:defRPr")).attrib.update({"sz": str(75 * boxes.TITLE_SIZES[0]), "b": "1"})
    for sheet in (presentation.slide_master, *presentation.slide_layouts):
        for shape in sheet.placeholders:
            if shape.placeholder_format.type == 1:  # title
                shape.left, shape.top, shape.width, shape.height = emu(boxes.TITLE)


def emu(box: Box) -> tuple[Emu, Emu, Emu, Emu]:
    """A box in English metric units: 9525 to the pixel."""
    return Emu(box.x * 9525), Emu(box.y * 9525), Emu(box.width * 9525), Emu(box.height * 9525)


def _widen(presentation: Any) -> None:
    """python-pptx begins with 4:3; scale master and layouts along."""
    across = boxes.PAGE.width * 9525 / presentation.slide_width
    down = boxes.PAGE.height * 9525 / presentation.slide_height
    presentation.slide_width, presentation.slide_height = Emu(boxes.PAGE.width * 9525), Emu(boxes.PAGE.height * 9525)
    for sheet in (presentation.slide_master, *presentation.slide_layouts):
        for shape in sheet.shapes:
            left, top, width, height = shape.left, shape.top, shape.width, shape.height
            shape.left, shape.width = Emu(round(left * across)), Emu(round(width * across))
            shape.top, shape.height = Emu(round(top * down)), Emu(round(height * down))
