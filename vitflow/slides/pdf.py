"""HTML to PDF, one page of 1280 x 720 pixels a slide, and the check that nothing runs out of its slide.

WeasyPrint draws it; where its system library Pango is missing, a Chromium does.
"""

from __future__ import annotations

import json
import logging
import os
import re
import shutil
import subprocess
import tempfile
from html import unescape
from pathlib import Path
from typing import Any, Protocol

from vitflow.slides import boxes
from vitflow.slides.deck import Deck, SlidesError, plain
from vitflow.slides.fit import text_box, title_box

BROWSERS = (
    "chromium",
    "chromium-browser",
    "google-chrome",
    "chrome",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
)
#: pixels that rounding may add
TOLERANCE = 1.0


class Renderer(Protocol):
    """Something that lays out and prints an HTML page."""

    def ends(self, page: str) -> dict[str, float]:
        """{id: y in pixels below the slide's top} of the elements that mark where text ends."""

    def paper(self, page: str, date: str) -> tuple[bytes, list[tuple[float, float]]]:
        """The PDF, and width and height of its pages in pixels; equal input gives equal bytes."""


def pdf(page: str, deck: Deck) -> bytes:
    """The deck as PDF.

    Raises SlidesError naming a slide whose text runs over, where pages are missing or of a wrong size,
    and where neither Pango nor a Chromium is installed.
    """
    renderer = find_renderer()
    check_ends(deck, renderer.ends(page))
    data, sizes = renderer.paper(page, deck.date)
    wanted = (boxes.PAGE.width, boxes.PAGE.height)
    if len(sizes) != len(deck.slides) or any(round(w) != wanted[0] or round(h) != wanted[1] for w, h in sizes):
        raise SlidesError(
            f"deck.pdf: {type(renderer).__name__} made {len(sizes)} pages (first {sizes[:1]}) "
            f"for {len(deck.slides)} slides of {wanted[0]} x {wanted[1]} pixels"
        )
    return data


def check_ends(deck: Deck, ends: dict[str, float]) -> None:
    """Raise SlidesError naming the first slide, and the part of it, that needs more room than there is."""
    for slide in deck.slides:
        limits = {"title": (title_box(slide), "title"), "text": (text_box(slide), "text")}
        if slide.figure is not None:
            limits["figure"] = (boxes.BODY, "caption")
        for part, (box, name) in limits.items():
            excess = ends[f"end-{slide.number}-{part}"] - box.bottom
            if excess > TOLERANCE:
                raise SlidesError(
                    f"{deck.template} line {slide.line}: slide {slide.number} '{plain(slide.title)}': "
                    f"the {name} runs {excess:.0f} pixels over; shorten it or split the slide"
                )


def find_renderer() -> Renderer:
    """WeasyPrint, else a Chromium. Raises SlidesError saying what to install."""
    try:
        return WeasyPrint()
    except (ImportError, OSError):
        pass
    for name in BROWSERS:
        if found := shutil.which(name):
            return Chromium(found)
    raise SlidesError(
        "no PDF: WeasyPrint needs Pango, and no Chromium was found; install Pango "
        "(Debian, Ubuntu: apt-get install libpango-1.0-0 libpangoft2-1.0-0; macOS: brew install pango)"
    )


class WeasyPrint:
    """Prints through the WeasyPrint package. Raises ImportError or OSError where Pango is missing."""

    def __init__(self) -> None:
        import weasyprint

        self.module: Any = weasyprint

    def ends(self, page: str) -> dict[str, float]:
        # On its own page a text that runs over would be cut or moved to the next; a tall page shows where it ends.
        tall = self.module.CSS(string="@page { size: 1280px 6000px !important } .slide { height: 6000px !important }")
        # Figures state their size, so they need not be read for this.
        document = self._document(re.sub(r'src="data:image[^"]*"', "", page), [tall])
        marks = {name: place for sheet in document.pages for name, place in sheet.anchors.items()}
        return {name: place[1] for name, place in marks.items() if name.startswith("end-")}

    def paper(self, page: str, date: str) -> tuple[bytes, list[tuple[float, float]]]:
        document = self._document(page, [])
        return document.write_pdf(pdf_tags=True), [(sheet.width, sheet.height) for sheet in document.pages]

    def _document(self, page: str, styles: list[Any]) -> Any:
        problems: list[str] = []
        listener = logging.Handler(logging.ERROR)
        listener.emit = lambda record: problems.append(record.getMessage())  # type: ignore[method-assign]
        logger = logging.getLogger("weasyprint")
        logger.addHandler(listener)
        try:
            document = self.module.HTML(string=page).render(stylesheets=styles)
        finally:
            logger.removeHandler(listener)
        if problems:
            raise SlidesError(f"deck.pdf: WeasyPrint: {problems[0][:200]}")
        return document


class Chromium:
    """Prints through a Chromium or Chrome at ``path``, without a window."""

    def __init__(self, path: str) -> None:
        self.path = path

    def ends(self, page: str) -> dict[str, float]:
        measure = """<script>
document.documentElement.className = "";
for (const slide of document.querySelectorAll(".slide")) slide.removeAttribute("style");
Promise.all([...document.fonts].map((font) => font.load())).then(() => {
  const ends = {};
  for (const mark of document.querySelectorAll(".end"))
    ends[mark.id] = mark.getBoundingClientRect().top - mark.closest(".slide").getBoundingClientRect().top;
  document.body.dataset.ends = JSON.stringify(ends);
});
</script></body>"""
        dom = self._run(page.replace("</body>", measure), "--dump-dom", "--virtual-time-budget=10000").decode()
        found = re.search(r'data-ends="([^"]*)"', dom)
        if found is None:
            raise SlidesError(f"deck.pdf: {self.path} did not lay out the slides; install Pango to print without it")
        ends: dict[str, float] = json.loads(unescape(found[1]))
        return ends

    def paper(self, page: str, date: str) -> tuple[bytes, list[tuple[float, float]]]:
        with tempfile.TemporaryDirectory() as folder:
            target = Path(folder) / "deck.pdf"
            # a tagged PDF numbers its elements differently in every run
            self._run(page, f"--print-to-pdf={target}", "--no-pdf-header-footer", "--disable-pdf-tagging")
            data = target.read_bytes() if target.exists() else b""
        # the time of printing, replaced by a text of equal length
        stamp = b"(D:" + date.replace("-", "").encode() + b"000000+00'00')"
        data = re.sub(rb"\(D:\d{14}\+00'00'\)", stamp, data)
        points = re.findall(rb"/MediaBox ?\[0 0 ([\d.]+) ([\d.]+)\]", data)
        return data, [(float(w) * 96 / 72, float(h) * 96 / 72) for w, h in points]

    def _run(self, page: str, *arguments: str) -> bytes:
        with tempfile.TemporaryDirectory() as folder:
            source = Path(folder) / "deck.html"
            source.write_text(page, encoding="utf-8")
            command = [self.path, "--headless", "--disable-gpu", "--disable-quic", "--no-first-run"]
            command += ["--disable-background-networking", "--disable-component-update", "--disable-sync"]
            command += [f"--user-data-dir={folder}/profile"]
            command += ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
            try:
                done = subprocess.run([*command, *arguments, source.as_uri()], capture_output=True, timeout=180)
            except (OSError, subprocess.TimeoutExpired) as error:
                raise SlidesError(f"deck.pdf: {self.path} failed: {error}; install Pango to print without it") from None
        return done.stdout
