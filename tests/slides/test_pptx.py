"""The PPTX: native text, tables and notes, on slides of 16:9."""

from __future__ import annotations

import io

from pptx import Presentation
from pptx.util import Inches
from support.talk import Talk, texts

from vitflow.slides.deck import Deck, Table, plain
from vitflow.slides.pptx import pptx


def test_pptx_is_native_and_dated_as_the_results(plain_talk: Talk, deck: Deck) -> None:
    presentation = Presentation(io.BytesIO(pptx(deck)))
    assert (presentation.slide_width, presentation.slide_height) == (Inches(40 / 3), Inches(7.5))
    assert presentation.core_properties.created.strftime("%Y-%m-%d") == plain_talk.summary.date
    for slide, sheet in zip(deck.slides, presentation.slides, strict=True):
        assert sheet.notes_slide.notes_text_frame.text == f"[{slide.timing}]\n{slide.notes}"
        pictures = [shape for shape in sheet.shapes if shape.shape_type == 13]
        assert [p._element.nvPicPr.cNvPr.get("descr") for p in pictures] == ([slide.figure.alt] if slide.figure else [])
        shown = texts(sheet)
        assert deck.footer in shown and deck.page(slide) in shown
        for block in slide.blocks:
            wanted = [c for row in block.all_rows for c in row] if isinstance(block, Table) else []
            wanted = wanted or list(getattr(block, "items", ())) or [getattr(block, "text", ())]
            assert all(plain(text) in "\n".join(shown) for text in wanted)
        bottom = max(shape.top + shape.height for shape in sheet.shapes)
        assert bottom <= presentation.slide_height
