"""Slides as one self-contained HTML page: fonts, figures, style and script inside."""

from __future__ import annotations

import base64
import re
from html import escape, unescape
from pathlib import Path

from vitflow.slides import boxes
from vitflow.slides.boxes import Box
from vitflow.slides.deck import Block, Bullets, Deck, Paragraph, Slide, Table, Text
from vitflow.slides.fit import body_size, column_widths, figure_box, item_gap, table_size, title_size
from vitflow.slides.fonts import FACES, FAMILY, embedded

_HERE = Path(__file__).parent
_TAGS = {"strong": "strong", "em": "em", "code": "code"}


def page(deck: Deck) -> str:
    """The whole deck as HTML. Elements ``end-<slide>-<part>`` stand where the text of a part ends."""
    slides = "\n".join(_slide(slide, deck) for slide in deck.slides)
    characters = "".join(sorted(set(unescape(re.sub(r"<[^>]*>", "", slides))) - set("\n")))
    used = ["plain", "strong", *(["em"] if "<em>" in slides else [])]
    faces = "\n".join(embedded(style, characters) for style in FACES if style in used)
    css = (_HERE / "deck.css").read_text(encoding="utf-8")
    script = (_HERE / "deck.js").read_text(encoding="utf-8")
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(deck.title)}</title>
<meta name="author" content="{escape(deck.author)}">
<meta name="dcterms.created" content="{escape(deck.date)}">
<style>
{faces}
{_properties()}
{css}</style>
</head>
<body>
{slides}
<script>
{script}</script>
</body>
</html>
"""


def _slide(slide: Slide, deck: Deck) -> str:
    number, last = slide.number, " last" if slide is deck.slides[-1] else ""
    parts = [
        f'<section class="slide {slide.layout}-slide{last}" id="slide-{number}">',
        f'<header><h1 style="font-size:{title_size(slide)}px">{_text(slide.title)}</h1>',
        f"{_end(number, 'title')}</header>",
    ]
    figure = "" if slide.figure is None else _figure(slide)
    text = "".join(_block(block, slide) for block in slide.blocks) + _end(number, "text")
    beside, inside = (figure, "") if slide.layout == "beside" else ("", figure)
    parts.append(f'{beside}<div class="text" style="font-size:{body_size(slide)}px">{inside}{text}</div>')
    parts.append(f'<footer>{escape(deck.footer)}<span class="number">{number}</span></footer>')
    parts.append("</section>")
    notes = "".join(f"<p>{escape(' '.join(p.split()))}</p>" for p in re.split(r"\n\s*\n", slide.notes) if p.strip())
    parts.append(f'<aside class="notes"><p><strong>Slide {number}</strong> ({slide.timing})</p>{notes}</aside>')
    return "\n".join(parts)


def _figure(slide: Slide) -> str:
    assert slide.figure is not None
    box = figure_box(slide)
    source = base64.b64encode(slide.figure.svg.read_bytes()).decode()
    return (
        f'<figure><img src="data:image/svg+xml;base64,{source}" alt="{escape(slide.figure.alt)}" '
        f'style="width:{box.width}px;height:{box.height}px">'
        f"<figcaption>{escape(slide.figure.caption)}</figcaption>{_end(slide.number, 'figure')}</figure>"
    )


def _block(block: Block, slide: Slide) -> str:
    match block:
        case Paragraph(text):
            return f"<p>{_text(text)}</p>"
        case Bullets(items):
            list_items = "".join(f"<li>{_text(item)}</li>" for item in items)
            return f'<ul style="--item-gap:{item_gap(slide)}px">{list_items}</ul>'
        case Table():
            return _table(block, table_size(slide))


def _table(table: Table, size: int) -> str:
    widths = column_widths(table, boxes.BODY.width, size)
    columns = "".join(f'<col style="width:{width:.1f}px">' for width in widths)
    head = _row("th", table.header, table.right) if table.has_header else ""
    body = "".join(_row("td", row, table.right) for row in table.rows)
    return (
        f'<table style="font-size:{size}px"><colgroup>{columns}</colgroup>'
        f"{head and f'<thead>{head}</thead>'}<tbody>{body}</tbody></table>"
    )


def _row(tag: str, row: tuple[Text, ...], right: tuple[bool, ...]) -> str:
    cells = (f"<{tag}{' class=right' if r else ''}>{_text(text)}</{tag}>" for text, r in zip(row, right, strict=True))
    return f"<tr>{''.join(cells)}</tr>"


def _text(text: Text) -> str:
    html = ""
    for span in text:
        piece = escape(span.text)
        if span.style in _TAGS:
            piece = f"<{_TAGS[span.style]}>{piece}</{_TAGS[span.style]}>"
        html += f'<a href="{escape(span.href)}">{piece}</a>' if span.href else piece
    return html


def _end(number: int, part: str) -> str:
    return f'<div class="end" id="end-{number}-{part}"></div>'


def _properties() -> str:
    """boxes.py as CSS custom properties."""
    sizes = {name.replace("_", "-").lower(): value for name, value in vars(boxes).items() if isinstance(value, int)}
    for name, box in vars(boxes).items():
        if isinstance(box, Box):
            for side in ("x", "y", "width", "height"):
                sizes[f"{name.replace('_', '-').lower()}-{side}"] = getattr(box, side)
    rules = "".join(f"--{name}:{value}px;" for name, value in sizes.items())
    return f':root{{--family:"{FAMILY}";{rules}}}'
