"""Text and shapes of a PPTX slide, in the theme's fonts and colours, so that a change of the theme changes them all."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from lxml import etree
from pptx.enum.dml import MSO_THEME_COLOR
from pptx.enum.text import PP_ALIGN
from pptx.oxml.ns import qn
from pptx.util import Pt

from vitflow.slides import boxes
from vitflow.slides.boxes import Box
from vitflow.slides.deck import Text
from vitflow.slides.fit import LEADING
from vitflow.slides.theme import FONT, emu

#: as in theme.py
INK, DAY, PALE = MSO_THEME_COLOR.TEXT_1, MSO_THEME_COLOR.BACKGROUND_1, MSO_THEME_COLOR.BACKGROUND_2
ACCENT, WARNING, MUTED, DUSK = (
    MSO_THEME_COLOR.ACCENT_1,
    MSO_THEME_COLOR.ACCENT_2,
    MSO_THEME_COLOR.ACCENT_3,
    MSO_THEME_COLOR.ACCENT_5,
)
RULE = "accent4"
_STYLES = {"quiet": MUTED, "missing": WARNING}
_RECTANGLE = 1
#: line height of Arial as a multiple of its size
NATURAL_LEADING = 1.15


def fill(
    frame: Any,
    texts: Iterable[Text],
    size: float,
    colour: Any,
    bold: bool | None = None,
    more: bool = False,
    leading: float = LEADING,
) -> None:
    """Set a text frame to paragraphs of ``size`` pixels, or add them to it as ``more``."""
    frame.word_wrap = True
    frame.margin_left = frame.margin_right = frame.margin_top = frame.margin_bottom = 0
    for index, text in enumerate(texts):
        paragraph = frame.paragraphs[0] if index == 0 and not more else frame.add_paragraph()
        paragraph.alignment, paragraph.line_spacing = PP_ALIGN.LEFT, leading / NATURAL_LEADING
        for span in text:
            run = paragraph.add_run()
            run.text = span.text
            run.font.size = Pt(size * 0.75)
            run.font.bold, run.font.italic = bold or span.style == "strong", span.style == "em"
            run.font.color.theme_color = _STYLES.get(span.style, colour)
            if span.href:
                run.hyperlink.address = span.href


def textbox(sheet: Any, box: Box) -> Any:
    """An empty frame for text."""
    return sheet.shapes.add_textbox(*emu(box)).text_frame


def rectangle(sheet: Any, box: Box, colour: Any) -> Any:
    """A shape that only decorates, and says so to those who cannot see it."""
    shape = sheet.shapes.add_shape(_RECTANGLE, *emu(box))
    shape.fill.solid()
    shape.fill.fore_color.theme_color = colour
    shape.line.fill.background()
    shape.shadow.inherit = False
    shape._element.nvSpPr.cNvPr.set("descr", "")
    return shape


def bullet(paragraph: Any) -> None:
    """A real bullet in the accent colour, with a hanging indent."""
    properties = paragraph._p.get_or_add_pPr()
    properties.set("marL", str(boxes.INDENT * 9525))
    properties.set("indent", str(-boxes.INDENT * 9525))
    colour = etree.SubElement(properties, qn("a:buClr"))
    etree.SubElement(colour, qn("a:schemeClr"), val="accent1")
    etree.SubElement(properties, qn("a:buFont"), typeface=FONT)
    etree.SubElement(properties, qn("a:buChar"), char="\N{BLACK SMALL SQUARE}")


def rule_below(cell: Any, colour: str) -> None:
    """A hairline below a cell, in one of the theme's colours."""
    line = etree.SubElement(cell._tc.get_or_add_tcPr(), qn("a:lnB"), w="9525")
    fill = etree.SubElement(line, qn("a:solidFill"))
    etree.SubElement(fill, qn("a:schemeClr"), val=colour)
