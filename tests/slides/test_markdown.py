"""From Markdown to slides: every kind of block, and the rules that a slide keeps."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.talk import cell

from vitflow.slides.cells import escaped
from vitflow.slides.deck import Bullets, Deck, Figure, Numbers, Paragraph, SlidesError, Span, Table
from vitflow.slides.markdown import read_deck, read_figure

MATTER = "---<3>\ntitle: T\nauthor: ''\ndate: '2025-01-01'\nfooter: F\n---<8>\n"
FIGURE = Figure(Path("a.svg"), Path("a.png"), "alt", "caption", 100, 100)
NOTES = "<!-- [5 s] -->"


def deck_of(markdown: str) -> Deck:
    return read_deck(markdown, "talk.md", lambda *_: FIGURE)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("# A\n\ntext", "needs one comment with notes"),
        ("# A\n\n<!-- soon -->", "begin with the time"),
        ("text\n\n<!-- [5 s] -->", "has no heading"),
        ("# A\n\n# B\n\n<!-- [5 s] -->", "has two headings"),
        ("# A\n\n- 1\n- 2\n- 3\n- 4\n- 5\n\n<!-- [5 s] -->", "has 5 bullets; at most 4"),
        ("# A\n\n- 1\n  - 2\n\n<!-- [5 s] -->", "bullets inside bullets"),
        ("# A\n\n![x](a.svg)\n\n![x](b.svg)\n\n<!-- [5 s] -->", "two figures"),
        ("# A\n\n```\ncode\n```\n\n<!-- [5 s] -->", "do not show: fence"),
        ("# A\n\nsee ![x](a.svg)\n\n<!-- [5 s] -->", "has a figure inside a line"),
        ("# A\n\n1. one\n\n<!-- [5 s] -->", "do not show: ordered_list"),
        ("<!-- _class: loud -->\n# A\n\n<!-- [5 s] -->", "class 'loud'; there are title, statement, numbers"),
        ("<!-- _class: numbers -->\n# A\n\n| 1 |\n|---|\n\n<!-- [5 s] -->", "a table of a header and one row"),
        ("# A\n\n[b]{.loud}\n\n<!-- [5 s] -->", "do not show: span_open"),
    ],
)
def test_a_slide_against_the_rules_is_named(body: str, said: str) -> None:
    with pytest.raises(SlidesError, match=r"talk\.md line 9: slide 1") as caught:
        deck_of(MATTER + body)
    assert said in str(caught.value)


def test_blocks_keep_their_order_and_their_styles() -> None:
    body = "# A **b**\n\nsee *c* `d` [e](f)\n\n- one\n- two\n\n| a | b |\n|---|---:|\n| 1 | 2 |\n\n<!-- [5 s] -->"
    slide = deck_of(MATTER + body).slides[0]
    assert [span for span in slide.title if span.text] == [Span("A "), Span("b", "strong")]
    spaced = (Span("see "), Span("c", "em"), Span(" "), Span("d", "code"), Span(" "), Span("e", href="f"))
    assert slide.blocks == (
        Paragraph(spaced),
        Bullets((cell("one"), cell("two"))),
        Table((cell("a"), cell("b")), ((cell("1"), cell("2")),), (False, True)),
    )
    assert (slide.form, slide.figure, slide.part, slide.seconds, slide.layout) == ("", None, "talk", 5, "text")


def test_slides_have_their_numbers_lines_notes_and_places() -> None:
    opening = f"<!-- _class: title -->\n# A\n\n{NOTES}\n"
    shown = "# B\n\n![x](a.svg)\n\n<!-- [45 s, short]\nSay \\*this\\_, not \\that. -->\n"
    deck = deck_of(f"{MATTER}{opening}---<20>\n{shown}---<30>\n# C\n\n<!-- [30 s, backup] -->")
    assert [(slide.number, slide.line, slide.part) for slide in deck.slides] == [
        (1, 9, "talk"),
        (2, 21, "short"),
        (3, 31, "backup"),
    ]
    assert [slide.layout for slide in deck.slides] == ["opening", "beside", "text"]
    assert deck.slides[1].notes == "Say *this_, not \\that."
    assert [slide.timing for slide in deck.slides] == ["5 s", "45 s, kept in the six-minute cut", "30 s, backup"]
    assert (deck.title, deck.author, deck.date, deck.footer, deck.template) == ("T", "", "2025-01-01", "F", "talk.md")


def test_words_can_be_quiet_or_stand_for_what_is_missing() -> None:
    body = "# A\n\n[b **c**]{.quiet} d\n\n[not *e* yet]{.missing}\n\n[all of it]{.missing}\n\n<!-- [5 s] -->"
    quiet, mixed, panel = deck_of(MATTER + body).slides[0].blocks
    assert isinstance(quiet, Paragraph) and isinstance(mixed, Paragraph) and isinstance(panel, Paragraph)
    assert [span for span in quiet.text if span.text] == [Span("b ", "quiet"), Span("c", "strong"), Span(" d")]
    assert (quiet.is_panel, mixed.is_panel, panel.is_panel) == (False, False, True)


def test_a_percent_sign_stays_on_the_line_of_its_number() -> None:
    (paragraph,) = deck_of(f"{MATTER}# A\n\n76 %, **of 25 %** (8 %) and 12 px\n\n{NOTES}").slides[0].blocks
    assert isinstance(paragraph, Paragraph)
    assert [span.text for span in paragraph.text] == ["76\xa0%, ", "of 25\xa0%", " (8\xa0%) and 12 px"]


def test_brackets_of_a_study_are_no_marks() -> None:
    slide = deck_of(MATTER + f"# A\n\n{escaped('[b]{.quiet} [c]{.missing}')}\n\n<!-- [5 s] -->").slides[0]
    assert isinstance(slide.blocks[0], Paragraph)
    assert {span.style for span in slide.blocks[0].text} == {"plain"}
    assert "".join(span.text for span in slide.blocks[0].text) == "[b]{.quiet} [c]{.missing}"


def test_a_class_makes_a_statement_or_large_numbers_and_a_header_a_label() -> None:
    marks = "<!-- _class: {} -->\n<!-- _header: Cost \\& time -->\n\n# A\n\n"
    body = marks + "| 3 | **9** |\n|--|--|\n| b | c |\n\n<!-- [5 s] -->"
    shown = deck_of(MATTER + body.format("numbers")).slides[0]
    assert shown.blocks == (Numbers((cell("3"), (Span(""), Span("9", "strong"), Span(""))), (cell("b"), cell("c"))),)
    assert (shown.layout, shown.kicker, shown.notes) == ("text", "Cost & time", "")
    said = deck_of(MATTER + body.format("statement")).slides[0]
    assert said.layout == "statement" and isinstance(said.blocks[0], Table)


@pytest.mark.parametrize(
    ("markdown", "said"),
    [
        ("# A", "line 1: expected front matter between two lines '---'"),
        (MATTER.replace("footer: F\n", "") + f"# A\n\n{NOTES}", "front matter lacks 'footer'"),
        (MATTER.replace("T", "[T") + f"# A\n\n{NOTES}", "front matter is not valid YAML"),
    ],
)
def test_front_matter_that_cannot_be_read_is_named(markdown: str, said: str) -> None:
    with pytest.raises(SlidesError) as caught:
        deck_of(markdown)
    assert str(caught.value).startswith("talk.md") and said in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ('width="72pt" height="36pt"', (96, 48)),
        ('width="96" height="48px"', (96, 48)),
        ('width="1in" height="2in"', (96, 192)),
    ],
)
def test_a_figure_has_the_size_that_its_svg_states(tmp_path: Path, size: str, expected: tuple[float, float]) -> None:
    svg, png = tmp_path / "a.svg", tmp_path / "a.png"
    svg.write_text(f'<svg xmlns="http://www.w3.org/2000/svg" {size}/>')
    png.touch()
    figure = read_figure(svg, png, "alt", "caption")
    assert (figure.width, figure.height) == pytest.approx(expected)
    with pytest.raises(SlidesError, match=r"a\.svg: has no alternative text"):
        read_figure(svg, png, " ", "caption")


@pytest.mark.parametrize("size", ['width="10em" height="5pt"', 'width="10pt"', ""])
def test_a_figure_without_a_size_is_refused(tmp_path: Path, size: str) -> None:
    svg, png = tmp_path / "a.svg", tmp_path / "a.png"
    svg.write_text(f'<svg xmlns="http://www.w3.org/2000/svg" {size}/>')
    png.touch()
    with pytest.raises(SlidesError, match=r"a\.svg: not an SVG with a width and a height"):
        read_figure(svg, png, "alt", "caption")
