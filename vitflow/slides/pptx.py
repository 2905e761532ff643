"""Slides as PPTX, 16:9: native text, bullets, tables and notes; figures as PNG with alternative text."""

from __future__ import annotations

import io
import zipfile
from datetime import datetime
from typing import Any

from pptx import Presentation
from pptx.dml.color import RGBColor
from pptx.enum.dml import MSO_THEME_COLOR
from pptx.enum.text import MSO_ANCHOR, PP_ALIGN
from pptx.oxml.ns import qn
from pptx.util import Emu, Pt

from vitflow.slides import boxes
from vitflow.slides.boxes import Box
from vitflow.slides.deck import Block, Bullets, Deck, Numbers, Paragraph, Slide, Span, Table, Text, plain
from vitflow.slides.fit import (
    CAPTION_GAP,
    NUMBER_LEADING,
    TITLE_LEADING,
    block_height,
    body_size,
    caption_height,
    figure_box,
    is_note,
    item_gap,
    table_size,
    text_box,
    title_box,
    title_size,
)
from vitflow.slides.patches import patches
from vitflow.slides.shapes import (
    ACCENT,
    DAY,
    DUSK,
    INK,
    MUTED,
    PALE,
    RULE,
    WARNING,
    bullet,
    fill,
    rectangle,
    rule_below,
    textbox,
)
from vitflow.slides.tables import LEADING as TABLE_LEADING
from vitflow.slides.tables import Setting
from vitflow.slides.theme import dress, emu

_NO_STYLE = "{2D5ABB26-0587-4C30-8999-92F81FD0307C}"  # PowerPoint's "No Style, No Grid"
_TITLE_ONLY = 5  # layout of the default template


def pptx(deck: Deck) -> bytes:
    """The deck as PPTX, dated as the results are; equal input gives equal bytes."""
    presentation = Presentation()
    dress(presentation)
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
    opening = slide.layout == "opening"
    if opening:
        _night(sheet, deck)
    elif slide.layout == "statement":
        rectangle(sheet, boxes.STATEMENT_BAR, ACCENT)
    title, box = sheet.shapes.title, title_box(slide)
    title.left, title.top, title.width, title.height = emu(box)
    title.text_frame.vertical_anchor = MSO_ANCHOR.TOP
    fill(
        title.text_frame, [slide.heading], title_size(slide), DAY if opening else INK, bold=True, leading=TITLE_LEADING
    )
    if slide.label:
        fill(textbox(sheet, boxes.KICKER), [(Span(slide.label, "strong"),)], boxes.KICKER_PX, ACCENT)

    if slide.figure is not None:
        _figure(sheet, slide)
    body = text_box(slide)
    top = body.y
    for block in slide.blocks:
        height = block_height(block, slide, body.width)
        _block(sheet, block, Box(body.x, top, body.width, height), slide)
        top += height + (0 if slide.layout == "full" else boxes.GAP)
    footer = (
        boxes.FOOTER._replace(x=boxes.OPENING_TITLE.x, width=boxes.OPENING_TITLE.width) if opening else boxes.FOOTER
    )
    corner = Box(footer.x + footer.width - 100, footer.y, 100, footer.height)
    for text, place in ((deck.footer, footer), (deck.page(slide), corner)):
        frame = textbox(sheet, place)
        fill(frame, [(Span(text),)], boxes.FOOTER_PX, DUSK if opening else MUTED)
    frame.paragraphs[0].alignment = PP_ALIGN.RIGHT
    sheet.notes_slide.notes_text_frame.text = f"[{slide.timing}]\n{slide.notes}"


def _night(sheet: Any, deck: Deck) -> None:
    """The opening slide's ground and squares."""
    ground = sheet.background.fill
    ground.solid()
    ground.fore_color.theme_color = MSO_THEME_COLOR.TEXT_2
    for box, colour in patches(deck):
        square = rectangle(sheet, box, ACCENT)
        square.fill.fore_color.rgb = RGBColor.from_string(colour)


def _figure(sheet: Any, slide: Slide) -> None:
    """A figure and its caption."""
    assert slide.figure is not None
    box = figure_box(slide)
    picture = sheet.shapes.add_picture(str(slide.figure.png), *emu(box))
    picture._element.nvPicPr.cNvPr.set("descr", slide.figure.alt)
    column = boxes.FIGURE_BESIDE if slide.layout == "beside" else boxes.FIGURE_FULL
    below = Box(column.x, box.bottom + CAPTION_GAP, column.width, caption_height(slide))
    fill(textbox(sheet, below), [(Span(slide.figure.caption),)], boxes.CAPTION_PX, MUTED)


def _block(sheet: Any, block: Block, box: Box, slide: Slide) -> None:
    colour = DUSK if slide.layout == "opening" else INK
    match block:
        case Paragraph(text):
            if block.is_panel:
                rectangle(sheet, box, PALE)
                rectangle(sheet, box._replace(width=6), WARNING)
                pad = boxes.PANEL_PAD
                box = Box(box.x + pad, box.y + pad, box.width - 2 * pad, box.height - 2 * pad)
            note = is_note(block, slide)
            size = boxes.NOTE_PX if note else body_size(slide)
            fill(textbox(sheet, box), [text], size, MUTED if note else colour)
        case Bullets(items):
            frame = textbox(sheet, box)
            fill(frame, items, body_size(slide), colour)
            for paragraph in frame.paragraphs:
                paragraph.space_after = Pt(item_gap(slide) * 0.75)
                bullet(paragraph)
        case Table():
            _table(sheet, Setting(block, box.width, table_size(slide)), box)
        case Numbers(values, counted):
            _numbers(sheet, values, counted, box)


def _table(sheet: Any, setting: Setting, box: Box) -> None:
    table, rows = setting.table, setting.table.all_rows
    width = round(sum(setting.columns))
    grid = sheet.shapes.add_table(len(rows), len(table.header), *emu(box._replace(width=width))).table
    grid._tbl.tblPr.find(qn("a:tableStyleId")).text = _NO_STYLE
    grid.first_row, grid.horz_banding = table.has_header, False
    for column, pixels in enumerate(setting.columns):
        grid.columns[column].width = Emu(round(pixels * 9525))
    down = round(0.34 * setting.size * 9525)
    for index, (row, height) in enumerate(zip(rows, setting.rows, strict=True)):
        grid.rows[index].height = Emu(height * 9525)
        head, last = table.has_header and index == 0, index == len(rows) - 1
        for column, text in enumerate(row):
            cell = grid.cell(index, column)
            cell.margin_left, cell.margin_top, cell.margin_bottom = Emu(0), Emu(down), Emu(down)
            cell.margin_right = Emu(round((setting.air(column) + setting.paddings[index][column]) * 9525))
            cell.vertical_anchor = MSO_ANCHOR.BOTTOM if head else MSO_ANCHOR.TOP
            named = not table.has_header and column == 0
            colour = MUTED if head or named else ACCENT if table.is_chosen(row) else INK
            text = (Span(plain(text)),) if named else text
            fill(cell.text_frame, [text], setting.text_size(index), colour, bold=head or None, leading=TABLE_LEADING)
            if table.right[column]:
                cell.text_frame.paragraphs[0].alignment = PP_ALIGN.RIGHT
            rule_below(cell, "tx1" if head or last else RULE)


def _numbers(sheet: Any, values: tuple[Text, ...], counted: tuple[Text, ...], box: Box) -> None:
    column = box.width // len(values)
    for index, (value, words) in enumerate(zip(values, counted, strict=True)):
        frame = textbox(sheet, Box(box.x + index * column, box.y, column - boxes.GAP, box.height))
        fill(frame, [value], boxes.NUMBER_PX, ACCENT, bold=True, leading=NUMBER_LEADING)
        fill(frame, [words], boxes.COUNTED_PX, MUTED, more=True)


# --------------------------------------------------------------------------------------------- the file


def _undated(data: bytes) -> bytes:
    """The same package with the times of its members set to one fixed moment."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            member = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            member.compress_type = zipfile.ZIP_DEFLATED
            new.writestr(member, old.read(name))
    return out.getvalue()
