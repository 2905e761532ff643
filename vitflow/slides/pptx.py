"""Slides as PPTX, 16:9: native text, bullets, tables and notes; figures as PNG with alternative text."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from lxml import etree
from pptx import Presentation
from pptx.dml.color import RGBColor
from pptx.enum.text import MSO_ANCHOR, PP_ALIGN
from pptx.oxml.ns import qn
from pptx.util import Emu, Pt

from vitflow.slides import boxes
from vitflow.slides.boxes import Box
from vitflow.slides.deck import Block, Bullets, Deck, Paragraph, Slide, Span, Table, Text
from vitflow.slides.fit import (
    CELL_RIGHT,
    block_height,
    body_size,
    caption_height,
    column_widths,
    figure_box,
    item_gap,
    row_heights,
    table_size,
    title_size,
)

#: present or replaced by a face of equal widths everywhere, and narrower than the face the boxes are checked with
FONT = "Arial"
_colour: Any = RGBColor  # python-pptx does not annotate its constructor
INK, ACCENT, GREY, RULE = (_colour.from_string(code) for code in ("1B1F24", "0072B2", "57606A", "D0D7DE"))
_NO_STYLE = "{2D5ABB26-0587-4C30-8999-92F81FD0307C}"  # PowerPoint's "No Style, No Grid"
_TITLE_ONLY = 5  # layout of the default template


def pptx(deck: Deck) -> bytes:
    """The deck as PPTX, dated as the results are; equal input gives equal bytes."""
    presentation = Presentation()
    _widen(presentation)
    properties = presentation.core_properties
    properties.title, properties.author, properties.last_modified_by = deck.title, deck.author, deck.author
    properties.created = properties.modified = datetime.fromisoformat(deck.date)
    for slide in deck.slides:
        _slide(presentation, slide, deck)
    data = io.BytesIO()
    presentation.save(data)
    return _undated(data.getvalue())


def _slide(presentation: Any, slide: Slide, deck: Deck) -> None:
    sheet = presentation.slides.add_slide(presentation.slide_layouts[_TITLE_ONLY])
    title_box = boxes.OPENING_TITLE if slide.opening else boxes.TITLE
    title = sheet.shapes.title
    _place(title, title_box)
    _fill(title.text_frame, [slide.title], title_size(slide), bold=True)

    body = {"opening": boxes.OPENING_TEXT, "beside": boxes.TEXT_BESIDE}.get(slide.layout, boxes.BODY)
    top = body.y
    if slide.figure is not None:
        bottom = _figure(sheet, slide)
        top = bottom + 4 if slide.layout == "full" else top
    if slide.opening:
        bar = sheet.shapes.add_shape(1, *_emu(Box(0, 0, 18, boxes.PAGE.height)))
        bar.fill.solid()
        bar.fill.fore_color.rgb = ACCENT
        bar.line.fill.background()
        bar._element.nvSpPr.cNvPr.set("descr", "")
    for block in slide.blocks:
        height = block_height(block, slide, body.width)
        _block(sheet, block, Box(body.x, top, body.width, height), slide)
        top += height + boxes.GAP
    _note(sheet, deck.footer, boxes.FOOTER, boxes.FOOTER_PX)
    corner = Box(boxes.FOOTER.x + boxes.FOOTER.width - 80, boxes.FOOTER.y, 80, boxes.FOOTER.height)
    _note(sheet, str(slide.number), corner, boxes.FOOTER_PX, right=True)
    sheet.notes_slide.notes_text_frame.text = f"[{slide.timing}]\n{slide.notes}"


def _figure(sheet: Any, slide: Slide) -> int:
    """Draw a figure and its caption; returns where they end, in pixels."""
    assert slide.figure is not None
    box = figure_box(slide)
    picture = sheet.shapes.add_picture(str(slide.figure.png), *_emu(box))
    picture._element.nvPicPr.cNvPr.set("descr", slide.figure.alt)
    column = boxes.FIGURE_BESIDE if slide.layout == "beside" else boxes.FIGURE_FULL
    below = Box(column.x, box.bottom + 6, column.width, caption_height(slide))
    _note(sheet, slide.figure.caption, below, boxes.CAPTION_PX)
    return below.bottom


def _block(sheet: Any, block: Block, box: Box, slide: Slide) -> None:
    match block:
        case Paragraph(text):
            _fill(_textbox(sheet, box), [text], body_size(slide))
        case Bullets(items):
            frame = _textbox(sheet, box)
            _fill(frame, items, body_size(slide))
            for paragraph in frame.paragraphs:
                paragraph.space_after = Pt(item_gap(slide) * 0.75)
                _bullet(paragraph)
        case Table():
            _table(sheet, block, box, table_size(slide))


def _table(sheet: Any, table: Table, box: Box, size: int) -> None:
    rows = table.all_rows
    grid = sheet.shapes.add_table(len(rows), len(table.header), *_emu(box)).table
    grid._tbl.tblPr.find(qn("a:tableStyleId")).text = _NO_STYLE
    grid.first_row, grid.horz_banding = table.has_header, False
    for column, width in enumerate(column_widths(table, box.width, size)):
        grid.columns[column].width = Emu(round(width * 9525))
    for index, (row, height) in enumerate(zip(rows, row_heights(table, box.width, size), strict=True)):
        grid.rows[index].height = Emu(height * 9525)
        head = table.has_header and index == 0
        for column, text in enumerate(row):
            cell = grid.cell(index, column)
            cell.margin_left, cell.margin_top, cell.margin_bottom = Emu(0), Emu(5 * 9525), Emu(5 * 9525)
            cell.margin_right = Emu(CELL_RIGHT * 9525 if column < len(row) - 1 else 0)
            cell.vertical_anchor = MSO_ANCHOR.BOTTOM if head else MSO_ANCHOR.TOP
            _fill(cell.text_frame, [text], size, bold=head, colour=ACCENT if head else INK)
            if table.right[column]:
                cell.text_frame.paragraphs[0].alignment = PP_ALIGN.RIGHT
            _rule_below(cell, ACCENT if head else RULE, 1.5 if head else 0.75)


# -------------------------------------------------------------------------------------- text and shapes


def _fill(frame: Any, texts: Iterable[Text], size: float, bold: bool = False, colour: RGBColor = INK) -> None:
    """Set a text frame to paragraphs of ``size`` pixels."""
    frame.word_wrap = True
    frame.margin_left = frame.margin_right = frame.margin_top = frame.margin_bottom = 0
    for index, text in enumerate(texts):
        paragraph = frame.paragraphs[0] if index == 0 else frame.add_paragraph()
        paragraph.alignment = PP_ALIGN.LEFT
        for span in text:
            run = paragraph.add_run()
            run.text = span.text
            run.font.name, run.font.size = FONT, Pt(size * 0.75)
            run.font.bold, run.font.italic = bold or span.style == "strong", span.style == "em"
            run.font.color.rgb = colour
            if span.href:
                run.hyperlink.address = span.href


def _note(sheet: Any, text: str, box: Box, size: int, right: bool = False) -> None:
    """Grey text: a caption or the footer."""
    frame = _textbox(sheet, box)
    _fill(frame, [(Span(text),)], size, colour=GREY)
    if right:
        frame.paragraphs[0].alignment = PP_ALIGN.RIGHT


def _textbox(sheet: Any, box: Box) -> Any:
    return sheet.shapes.add_textbox(*_emu(box)).text_frame


def _place(shape: Any, box: Box) -> None:
    shape.left, shape.top, shape.width, shape.height = _emu(box)
    shape.text_frame.vertical_anchor = MSO_ANCHOR.TOP


def _bullet(paragraph: Any) -> None:
    """A real bullet in the accent colour, with a hanging indent."""
    properties = paragraph._p.get_or_add_pPr()
    properties.set("marL", str(boxes.INDENT * 9525))
    properties.set("indent", str(-boxes.INDENT * 9525))
    colour = etree.SubElement(properties, qn("a:buClr"))
    etree.SubElement(colour, qn("a:srgbClr"), val=str(ACCENT))
    etree.SubElement(properties, qn("a:buFont"), typeface=FONT)
    etree.SubElement(properties, qn("a:buChar"), char="\N{EN DASH}")


def _rule_below(cell: Any, colour: RGBColor, points: float) -> None:
    properties = cell._tc.get_or_add_tcPr()
    line = etree.SubElement(properties, qn("a:lnB"), w=str(round(points * 12700)))
    fill = etree.SubElement(line, qn("a:solidFill"))
    etree.SubElement(fill, qn("a:srgbClr"), val=str(colour))


def _emu(box: Box) -> tuple[Emu, Emu, Emu, Emu]:
    """A box in English metric units: 9525 to the pixel."""
    return Emu(box.x * 9525), Emu(box.y * 9525), Emu(box.width * 9525), Emu(box.height * 9525)


# --------------------------------------------------------------------------------------------- the file


def _widen(presentation: Any) -> None:
    """python-pptx begins with 4:3; scale master and layouts along, so that slides added by hand fit."""
    across = boxes.PAGE.width * 9525 / presentation.slide_width
    down = boxes.PAGE.height * 9525 / presentation.slide_height
    presentation.slide_width, presentation.slide_height = Emu(boxes.PAGE.width * 9525), Emu(boxes.PAGE.height * 9525)
    for sheet in (presentation.slide_master, *presentation.slide_layouts):
        for shape in sheet.shapes:
            left, top, width, height = shape.left, shape.top, shape.width, shape.height
            shape.left, shape.width = Emu(round(left * across)), Emu(round(width * across))
            shape.top, shape.height = Emu(round(top * down)), Emu(round(height * down))


def _undated(data: bytes) -> bytes:
    """The same package with the times of its members set to one fixed moment."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            member = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            member.compress_type = zipfile.ZIP_DEFLATED
            new.writestr(member, old.read(name))
    return out.getvalue()
