"""The same slides with the real figures in all forms, self-contained and the same every time."""

from __future__ import annotations

import base64
import contextlib
import io
import re
import shutil
import subprocess
import zlib
from html import unescape

import pytest
from fontTools.ttLib import TTFont
from pptx import Presentation
from support.talk import FORMS, Talk, texts, visible

from vitflow.slides.deck import plain


def pdf_objects(data: bytes) -> bytes:
    """A PDF with its compressed streams, where objects may hide, unpacked behind it."""
    unpacked = []
    for packed in re.findall(rb"stream\r?\n(.*?)endstream", data, re.DOTALL):
        with contextlib.suppress(zlib.error):
            unpacked.append(zlib.decompressobj().decompress(packed))
    return b"\n".join([data, *unpacked])


def test_all_forms_hold_the_same_slides_with_the_real_figures(real: Talk) -> None:
    slides, deck = real.root / "slides", real.deck()
    titles = [plain(slide.heading) for slide in deck.slides]
    html = (slides / "deck.html").read_text(encoding="utf-8")
    assert [unescape(re.sub("<[^>]*>", "", t)) for t in re.findall(r"<h1[^>]*>(.*?)</h1>", html)] == titles
    presentation = Presentation(str(slides / "deck.pptx"))
    assert [sheet.shapes.title.text_frame.text for sheet in presentation.slides] == titles
    objects = pdf_objects((slides / "deck.pdf").read_bytes())
    assert len(re.findall(rb"/Type ?/Page\b", objects)) == len(titles)
    assert set(re.findall(rb"/MediaBox ?\[0 0 ([\d.]+) ([\d.]+)\]", objects)) == {(b"960", b"540")}
    assert {p.name for p in slides.iterdir()} == set(FORMS)


def test_best_validation_accuracy_stands_in_every_form(real: Talk) -> None:
    assert real.summary.best is not None
    slides, number = real.root / "slides", f"{real.summary.best.validation:.1f}"
    assert number in (slides / "deck.md").read_text(encoding="utf-8")
    assert number in visible((slides / "deck.html").read_text(encoding="utf-8"))
    presentation = Presentation(str(slides / "deck.pptx"))
    assert any(number in text for sheet in presentation.slides for text in texts(sheet))


@pytest.mark.skipif(shutil.which("pdftotext") is None, reason="needs pdftotext")
def test_pdf_text_can_be_read_back(real: Talk) -> None:
    path = real.root / "slides" / "deck.pdf"
    text = subprocess.run(["pdftotext", "-layout", path, "-"], capture_output=True, check=True).stdout.decode()
    pages = text.split("\f")[:-1]
    for slide, shown in zip(real.deck().slides, pages, strict=True):
        assert re.sub(r"\s", "", plain(slide.heading)) in re.sub(r"\s", "", shown)
        assert "3f9c0a7e" in shown  # the footer


def test_html_refers_to_nothing_outside(real: Talk) -> None:
    html = (real.root / "slides" / "deck.html").read_text(encoding="utf-8")
    outside = re.findall(r"(?:src|href)=\"(?!data:)[^\"]*|url\((?!data:)[^)]*|<link|@import", html)
    assert outside == []
    assert html.count("<img ") == sum(slide.figure is not None for slide in real.deck().slides)


def test_deck_markdown_points_at_the_figures(real: Talk) -> None:
    sources = re.findall(r"!\[.*?\]\((\S+) ", (real.root / "slides" / "deck.md").read_text(encoding="utf-8"))
    assert sources and all((real.root / "slides" / source).resolve().is_file() for source in sources)


def test_deck_markdown_has_plain_separators(real: Talk) -> None:
    markdown = (real.root / "slides" / "deck.md").read_text(encoding="utf-8")
    assert "---<" not in markdown and markdown.lstrip().startswith("---\nmarp: true\n")


def test_embedded_font_has_its_own_name_and_every_glyph(real: Talk) -> None:
    html = (real.root / "slides" / "deck.html").read_text(encoding="utf-8")
    faces = re.findall(r'font-family:"([^"]+)".*?base64,([^)]+)\)', html)
    assert [name for name, _ in faces] == ["Vitflow Deck"] * 2
    needed = {ord(c) for c in visible(html) if not c.isspace()}
    for _, data in faces:
        font = TTFont(io.BytesIO(base64.b64decode(data)))
        assert needed <= set(font.getBestCmap())
        assert "DejaVu" not in "".join(record.toUnicode() for record in font["name"].names)
        assert len(font.getGlyphOrder()) < 250


def test_reruns_give_equal_bytes(real: Talk) -> None:
    before = {name: (real.root / "slides" / name).read_bytes() for name in FORMS}
    real.render(out="again")  # beside the first, so that paths in deck.md stay the same
    assert [name for name in FORMS if (real.root / "again" / name).read_bytes() != before[name]] == []
