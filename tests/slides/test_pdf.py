"""The PDF: either renderer sees the same, prints the same bytes, and what is missing or runs over is told."""

from __future__ import annotations

import re
import shutil
from typing import Any

import pytest
from support.chromium import chromium, needs_chromium
from support.talk import RUNS_OVER, Talk, shortened

from vitflow.slides import pdf
from vitflow.slides.deck import Deck, SlidesError
from vitflow.slides.html import page


def _no_pango(*_: Any) -> None:
    raise OSError("cannot load library 'libpango-1.0-0'")


@needs_chromium
def test_chromium_sees_the_same_overflow(talk: Talk) -> None:
    deck = shortened(talk.deck(talk.edited(*RUNS_OVER[1][:2])), 6)
    html = page(deck)
    ours, theirs = pdf.WeasyPrint().ends(html), chromium().ends(html)
    assert ours.keys() == theirs.keys()
    assert max(abs(ours[key] - theirs[key]) for key in ours) < 2
    with pytest.raises(SlidesError, match="slide 2"):
        pdf.check_ends(deck, theirs)


def test_without_pango_and_chromium_the_packages_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pdf.WeasyPrint, "__init__", _no_pango)
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(SlidesError, match=r"apt-get install libpango-1.0-0 .*brew install pango"):
        pdf.find_renderer()


@needs_chromium
def test_without_pango_chromium_prints_equal_bytes(deck: Deck, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pdf.WeasyPrint, "__init__", _no_pango)
    short = shortened(deck, 4)
    html = page(short)
    first = pdf.pdf(html, short)
    assert b"Skia" in first and b"20250314000000" in first
    assert len(re.findall(rb"/Type ?/Page\b", first)) == 4
    again, sizes = chromium().paper(html, short.date)  # where the ends are is not asked twice
    assert again == first and len(sizes) == 4


@pytest.mark.parametrize("sizes", [[(1280.0, 720.0)], [(1280.0, 720.0)] * 3, [(1280.0, 720.0), (794.0, 1123.0)]])
def test_missing_pages_and_wrong_sizes_are_noticed(
    deck: Deck, monkeypatch: pytest.MonkeyPatch, sizes: list[tuple[float, float]]
) -> None:
    short = shortened(deck, 2)
    monkeypatch.setattr(pdf.WeasyPrint, "paper", lambda *_: (b"%PDF", sizes))
    with pytest.raises(SlidesError, match="pages"):
        pdf.pdf(page(short), short)
