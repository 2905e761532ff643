"""Every slide as it is seen, in Chromium and in LibreOffice: something is on it, and nothing leaves its margins."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from support.chromium import chromium, needs_chromium
from support.talk import Talk

from vitflow.slides import boxes
from vitflow.slides.deck import Slide, plain

pytestmark = pytest.mark.slow
SOFFICE = shutil.which("soffice")


def pixels(path: Path) -> NDArray[np.uint8]:
    """A photograph as grey levels, [720, 1280]."""
    with Image.open(path) as picture:
        shown = picture.convert("L").resize((boxes.PAGE.width, boxes.PAGE.height))
        return np.array(shown)


def check(slide: Slide, seen: NDArray[np.uint8]) -> None:
    """Ink inside the margins, none outside; the opening slide has squares to its right edge."""
    words = plain(slide.title)
    body = seen[boxes.TITLE.y : boxes.FOOTER.y]
    assert body.std() > 5, f"nothing on '{words}'"
    if slide.layout != "opening":
        left, right = boxes.BODY.x - 8, boxes.BODY.x + boxes.BODY.width + 8
        outside = [seen[:, :left], seen[:, right:], seen[: boxes.KICKER.y - 8], seen[boxes.FOOTER.bottom + 6 :]]
        assert min(part.min() for part in outside) > 235, f"'{words}' leaves its margins"
        between = seen[boxes.BODY.bottom + 6 : boxes.FOOTER.y - 2]
        assert between.min() > 235, f"'{words}' runs into its footer"


@needs_chromium
def test_every_slide_of_the_page_is_seen_in_chromium(real: Talk, tmp_path: Path) -> None:
    html = (real.root / "slides" / "deck.html").read_text(encoding="utf-8")
    for slide in real.deck().slides:
        there = html.replace("<body>", f'<body><script>location.hash = "#slide-{slide.number}"</script>')
        path = tmp_path / f"{slide.number}.png"
        size = f"--window-size={boxes.PAGE.width},{boxes.PAGE.height}"
        chromium()._run(there, size, "--hide-scrollbars", f"--screenshot={path}")
        check(slide, pixels(path))


@pytest.mark.skipif(SOFFICE is None, reason="needs LibreOffice: apt-get install libreoffice-impress")
@pytest.mark.skipif(shutil.which("pdftoppm") is None, reason="needs poppler-utils")
def test_every_slide_of_the_pptx_is_seen_in_libreoffice(real: Talk, tmp_path: Path) -> None:
    profile = f"-env:UserInstallation={(tmp_path / 'profile').as_uri()}"
    source = real.root / "slides" / "deck.pptx"
    command = [str(SOFFICE), profile, "--headless", "--convert-to", "pdf", "--outdir", str(tmp_path), str(source)]
    subprocess.run(command, capture_output=True, check=True, timeout=300)
    shown = tmp_path / "deck.pdf"
    subprocess.run(["pdftoppm", "-r", "96", "-png", shown, tmp_path / "page"], check=True, timeout=300)
    slides, pages = real.deck().slides, sorted(tmp_path.glob("page-*.png"))
    assert len(pages) == len(slides)
    text = subprocess.run(["pdftotext", shown, "-"], capture_output=True, check=True, text=True).stdout.split("\f")
    for slide, path, words in zip(slides, pages, text, strict=False):
        check(slide, pixels(path))
        assert re.sub(r"\s", "", plain(slide.heading)) in re.sub(r"\s", "", words)
