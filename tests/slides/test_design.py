"""That the talk looks as it was designed: read at a distance, inside its grid, alike in all forms, without any font."""

from __future__ import annotations

import dataclasses
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from support.analysis import ARCHITECTURE, MANY
from support.talk import Talk, cell, make_talk, table_slide, words_of

from vitflow.analysis.records import Features
from vitflow.slides import boxes, fit, palette, pdf
from vitflow.slides.deck import Deck, Paragraph, Slide, Span, plain
from vitflow.slides.html import page
from vitflow.slides.patches import patches
from vitflow.slides.tables import lines


def luminance(code: str) -> float:
    """Relative luminance of WCAG 2.1, of six hexadecimal digits."""
    parts = [int(code[k : k + 2], 16) / 255 for k in (0, 2, 4)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_contrast_is_that_of_wcag() -> None:
    assert contrast("000000", "FFFFFF") == pytest.approx(21) and contrast("767676", "FFFFFF") == pytest.approx(
        4.54, abs=0.01
    )


@pytest.mark.parametrize(("text", "ground"), palette.PAIRS)
def test_text_can_be_read_on_its_ground(text: str, ground: str) -> None:
    assert contrast(text, ground) >= 4.5


def test_text_has_only_colours_that_were_checked(deck: Deck) -> None:
    html = page(deck)
    css = re.sub(r"@font-face\{[^}]*\}", "", re.search(r"<style>(.*?)</style>", html, re.DOTALL)[1])  # type: ignore[index]
    named = {f"--{name.lower()}": value for name, value in vars(palette).items() if isinstance(value, str)}
    used = set(re.findall(r"(?<![\w-])color: var\((--\w+)\)", css))
    assert used and {named[name] for name in used} <= {text for text, _ in palette.PAIRS}
    assert not re.search(r"(?<![\w-])color: (?!var)", css)


@pytest.fixture(scope="module")
def ends(deck: Deck) -> dict[str, float]:
    """Where the parts of each slide end, as WeasyPrint sets them."""
    return pdf.WeasyPrint().ends(page(deck))


def test_no_title_takes_more_than_two_lines(deck: Deck, ends: dict[str, float]) -> None:
    for slide in (slide for slide in deck.slides if slide.layout not in ("opening", "statement")):
        height = ends[f"end-{slide.number}-title"] - boxes.TITLE.y
        assert round(height / (fit.title_size(slide) * fit.TITLE_LEADING)) <= 2, plain(slide.title)


def test_what_is_measured_beforehand_is_what_is_set(deck: Deck, ends: dict[str, float]) -> None:
    """PPTX places its boxes by these heights, and figures shrink by them."""
    for slide in deck.slides:
        box = fit.text_box(slide)
        gap = 0 if slide.layout == "full" else boxes.GAP
        heights = [fit.block_height(block, slide, box.width) for block in slide.blocks]
        wanted = box.y + sum(heights) + gap * max(len(heights) - 1, 0)
        # an estimate may be a line or two on the safe side, never on the other
        assert -3 <= wanted - ends[f"end-{slide.number}-text"] <= 70, plain(slide.title)


def titled(words: str, **changes: object) -> Slide:
    return dataclasses.replace(table_slide([]), title=cell(words), blocks=(), **changes)  # type: ignore[arg-type]


def test_longer_titles_are_smaller_and_their_lines_of_about_equal_length() -> None:
    short, long = titled("Patch size 2 gains"), titled("Patch size 2 gains more than any other of the values " * 3)
    assert fit.title_size(short) == boxes.TITLE_SIZES[0] > fit.title_size(long)
    assert fit.title_box(short).width == boxes.TITLE.width
    two = titled("After forty epochs the baseline has nearly all training images right, and few of the others")
    room = fit.title_box(two).width
    assert room < 0.85 * boxes.TITLE.width and lines(plain(two.title), fit.title_size(two), room, "strong") == 2


def test_no_line_of_a_title_ends_within_an_interval() -> None:
    shown = plain(titled("Position rope2d gains 2.7 points (1.7 to 3.6); none loses 8.4 points (7.4 to 9.4)").heading)
    gap = "\N{NO-BREAK SPACE}"
    assert shown == f"Position rope2d gains 2.7 points (1.7{gap}to{gap}3.6); none loses 8.4 points (7.4{gap}to{gap}9.4)"


def test_backup_slides_say_so_in_their_label_and_not_in_their_title(deck: Deck) -> None:
    html = page(deck)
    backup = [slide for slide in deck.slides if slide.part == "backup"]
    assert backup and all(slide.label.startswith("Backup") and "Backup" not in plain(slide.heading) for slide in backup)
    assert html.count('<p class="kicker">Backup') == len(backup)
    assert "Backup" not in "".join(slide.label for slide in deck.slides if slide.part != "backup")
    assert plain(titled("Backup: all runs").heading) == "All runs"


def test_pages_count_to_the_end_of_the_talk_and_backup_to_the_end_of_the_deck(deck: Deck) -> None:
    talk = [slide for slide in deck.slides if slide.part != "backup"]
    assert [deck.page(slide) for slide in talk] == [f"{k} / {len(talk)}" for k in range(1, len(talk) + 1)]
    assert deck.page(deck.slides[-1]) == f"{len(deck.slides)} / {len(deck.slides)}"


def test_the_squares_of_the_opening_fill_its_side_and_follow_the_results(deck: Deck) -> None:
    squares = list(patches(deck))
    assert len({box for box, _ in squares}) == boxes.PATCH_ROWS * boxes.PATCH_COLUMNS
    assert max(box.x + box.width for box, _ in squares) == boxes.PAGE.width
    assert min(box.x for box, _ in squares) > boxes.OPENING_TITLE.x + boxes.OPENING_TITLE.width
    assert squares == list(patches(deck)) != list(patches(dataclasses.replace(deck, footer="other results")))


def test_a_figure_that_is_not_there_is_told_in_its_place(talk: Talk) -> None:
    captions = talk.root / "figures" / "captions.json"
    told = '"caption": "What pca shows", "missing": "no model has [features]."'
    captions.write_text(re.sub(r'"caption":\s*"What pca shows"', told, captions.read_text()))
    title = Features.read(talk.root / "analysis" / "features.json").titles.components
    slide = next(slide for slide in talk.deck().slides if words_of(slide.title) == title)
    assert slide.figure is None and slide.layout == "text"
    panel = slide.blocks[0]
    assert panel == Paragraph((Span("Not shown: no model has [features].", "missing"),))
    html = page(dataclasses.replace(talk.deck(), slides=(slide,)))
    assert '<p class=panel><span class="missing">Not shown: no model has [features].' in html


@pytest.mark.skipif(shutil.which("pdffonts") is None, reason="needs pdffonts")
def test_the_pdf_is_small_and_brings_its_fonts(real: Talk) -> None:
    path = real.root / "slides" / "deck.pdf"
    told = subprocess.run(["pdffonts", path], capture_output=True, check=True, text=True).stdout.splitlines()[2:]
    assert told and all("Vitflow" in line and re.search(r"\byes +yes +yes\b", line) for line in told)
    assert path.stat().st_size < 5e6


def test_letters_that_the_face_lacks_are_brought_too(deck: Deck) -> None:
    html = page(dataclasses.replace(deck, title="قط", slides=(titled("قط ∈"),)))
    assert html.count("@font-face") == 3 and 'font-family:"Vitflow Deck Spare"' in html
    assert page(deck).count("@font-face") == 2


@pytest.mark.parametrize(
    "study", [{"ablations": {"architecture": ARCHITECTURE}}, {"ablations": MANY}], ids=["4", "13 axes"]
)
def test_every_picture_has_an_alternative_text(tmp_path: Path, study: dict[str, object]) -> None:
    html = page(make_talk(tmp_path, **study).deck())
    pictures = re.findall(r"<img [^>]*>", html)
    assert pictures and all(re.search(r'alt="[^"]{10,}"', picture) for picture in pictures)
