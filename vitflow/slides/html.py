"""Slides as one self-contained HTML page: fonts, figures, style and script inside."""

from __future__ import annotations

import base64
import re
from html import escape, unescape
from pathlib import Path

from vitflow.slides import boxes, palette
from vitflow.slides.boxes import Box
from vitflow.slides.deck import Block, Bullets, Deck, Numbers, Paragraph, Slide, Table, Text
from vitflow.slides.fit import body_size, figure_box, is_note, item_gap, table_size, text_box, title_box, title_size
from vitflow.slides.fonts import FAMILY, SPARE_FAMILY, embedded
from vitflow.slides.patches import patches
from vitflow.slides.tables import Setting

_HERE = Path(__file__).parent
_TAGS = {"strong": ("<strong>", "</strong>"), "em": ("<em>", "</em>"), "code": ("<code>", "</code>")}
_TAGS |= {style: (f'<span class="{style}">', "</span>") for style in ("quiet", "missing")}


def page(deck: Deck) -> str:
    """The whole deck as HTML. Elements ``end-<slide>-<part>`` stand where the text of a part ends."""
    slides = "\n".join(_slide(slide, deck) for slide in deck.slides)
    characters = "".join(sorted(set(unescape(re.sub(r"<[^>]*>", "", slides))) - set("\n")))
    used = ["plain", "strong", *(["em"] if "<em>" in slides else [])]
    faces = embedded(used, characters)
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
    title, text = title_box(slide), text_box(slide)
    label = f'<p class="kicker">{escape(slide.label)}</p>' if slide.label else ""
    parts = [f'<section class="slide {slide.layout}-slide{last}" id="slide-{number}">']
    if slide.layout == "opening":
        parts.append(_mosaic(deck))
    parts.append(
        f'{label}<header style="{_at(title)}"><h1 style="font-size:{title_size(slide)}px">{_text(slide.heading)}</h1>'
        f"{_end(number, 'title')}</header>"
    )
    if slide.figure is not None:
        parts.append(_figure(slide))
    blocks = "".join(_block(block, slide) for block in slide.blocks)
    parts.append(
        f'<div class="text" style="{_at(text)};font-size:{body_size(slide)}px">{blocks}{_end(number, "text")}</div>'
    )
    parts.append(f'<footer>{escape(deck.footer)}<span class="number">{deck.page(slide)}</span></footer>')
    parts.append("</section>")
    notes = "".join(f"<p>{escape(' '.join(p.split()))}</p>" for p in re.split(r"\n\s*\n", slide.notes) if p.strip())
    parts.append(f'<aside class="notes"><p><strong>Slide {number}</strong> ({slide.timing})</p>{notes}</aside>')
    return "\n".join(parts)


def _mosaic(deck: Deck) -> str:
    squares = "".join(
        f'<rect x="{box.x}" y="{box.y}" width="{box.width}" height="{box.height}" fill="#{colour}"/>'
        for box, colour in patches(deck)
    )
    size = f'width="{boxes.PAGE.width}" height="{boxes.PAGE.height}"'
    return f'<svg class="mosaic" aria-hidden="true" {size}>{squares}</svg>'


def _figure(slide: Slide) -> str:
    assert slide.figure is not None
    box = figure_box(slide)
    column = boxes.FIGURE_BESIDE if slide.layout == "beside" else boxes.FIGURE_FULL
    source = base64.b64encode(slide.figure.svg.read_bytes()).decode()
    return (
        f'<figure style="{_at(column)}"><img src="data:image/svg+xml;base64,{source}" '
        f'alt="{escape(slide.figure.alt)}" style="width:{box.width}px;height:{box.height}px">'
        f"<figcaption>{escape(slide.figure.caption)}</figcaption>{_end(slide.number, 'figure')}</figure>"
    )


def _block(block: Block, slide: Slide) -> str:
    match block:
        case Paragraph(text):
            kind = "panel" if block.is_panel else "note" if is_note(block, slide) else ""
            return f"<p{kind and f' class={kind}'}>{_text(text)}</p>"
        case Bullets(items):
            list_items = "".join(f"<li>{_text(item)}</li>" for item in items)
            return f'<ul style="--item-gap:{item_gap(slide)}px">{list_items}</ul>'
        case Table():
            return _table(block, table_size(slide))
        case Numbers(values, counted):
            cells = (f"<td><b>{_text(v)}</b><br>{_text(c)}</td>" for v, c in zip(values, counted, strict=True))
            return f'<table class="numbers"><tr>{"".join(cells)}</tr></table>'


def _table(table: Table, size: int) -> str:
    setting = Setting(table, boxes.BODY.width, size)
    columns = "".join(f'<col style="width:{width:.1f}px">' for width in setting.columns)
    rows = [_row(setting, index) for index in range(len(table.all_rows))]
    head = f"<thead>{rows.pop(0)}</thead>" if table.has_header else ""
    kind = "" if table.has_header else ' class="named"'
    return (
        f'<table{kind} style="font-size:{size}px;width:{sum(setting.columns):.1f}px">'
        f"<colgroup>{columns}</colgroup>{head}<tbody>{''.join(rows)}</tbody></table>"
    )


def _row(setting: Setting, index: int) -> str:
    table, row = setting.table, setting.table.all_rows[index]
    head = table.has_header and index == 0
    tag = "th" if head else "td"
    cells = ""
    for column, (text, right) in enumerate(zip(row, table.right, strict=True)):
        pad = setting.air(column) + setting.paddings[index][column]
        cells += f'<{tag}{" class=right" if right else ""} style="padding-right:{pad:.1f}px">{_text(text)}</{tag}>'
    return f"<tr{' class=chosen' if not head and table.is_chosen(row) else ''}>{cells}</tr>"


def _text(text: Text) -> str:
    html = ""
    for span in text:
        before, after = _TAGS.get(span.style, ("", ""))
        piece = f"{before}{escape(span.text)}{after}"
        html += f'<a href="{escape(span.href)}">{piece}</a>' if span.href else piece
    return html


def _at(box: Box) -> str:
    return f"left:{box.x}px;top:{box.y}px;width:{box.width}px"


def _end(number: int, part: str) -> str:
    return f'<div class="end" id="end-{number}-{part}"></div>'


def _properties() -> str:
    """The grid's sizes and footer, and the colours, as CSS custom properties."""
    sizes = {name: f"{value}px" for name, value in vars(boxes).items() if isinstance(value, int)}
    for name in ("KICKER", "FOOTER", "STATEMENT_BAR"):
        box: Box = getattr(boxes, name)
        sizes |= {f"{name}-{side}": f"{getattr(box, side)}px" for side in ("x", "y", "width", "height")}
    colours = {name: f"#{value}" for name, value in vars(palette).items() if isinstance(value, str) and name.isupper()}
    rules = "".join(f"--{name.replace('_', '-').lower()}:{value};" for name, value in (sizes | colours).items())
    return f':root{{--family:"{FAMILY}","{SPARE_FAMILY}";{rules}}}'
