"""From rendered Markdown to slides as data, and the rules that every slide keeps.

The Markdown is Marp's: front matter, ``---`` between slides, notes in HTML comments, and directives in others:
``<!-- _class: title -->`` on the opening slide, ``<!-- _class: statement -->`` where the heading is the content,
``<!-- _class: numbers -->`` where the first table is large numbers (its header) and what each of them counts (its row),
and ``<!-- _header: Cost -->`` for a label above the heading. A slide has one heading, at most one figure, any of
paragraphs, bullets and tables, and notes that begin with the time: ``[45 s]``, ``[45 s, short]`` (kept in
the six-minute cut) or ``[45 s, backup]``. ``[words]{.quiet}`` are grey, for what is not significant;
``[words]{.missing}`` stand in place of what is not there, as a panel where they are a paragraph.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import cast
from xml.etree import ElementTree

import yaml
from markdown_it import MarkdownIt
from markdown_it.token import Token
from mdit_py_plugins.attrs import attrs_plugin

from vitflow.slides.deck import (
    Block,
    Bullets,
    Deck,
    Figure,
    Form,
    Numbers,
    Paragraph,
    Slide,
    SlidesError,
    Span,
    Style,
    Table,
    Text,
    plain,
)

MAX_BULLETS = 4
CLASSES, STYLES = ("title", "statement", "numbers"), ("quiet", "missing")
#: a line that ends a slide, as the template leaves it: ``---`` and the line of the template it stood on
SEPARATOR = re.compile(r"^---<(\d+)>[ \t]*$", re.MULTILINE)
_TIMING = re.compile(r"\[(\d+) s(?:, (short|backup))?\]\s*")
_DIRECTIVE = re.compile(r"_(class|header):\s*(.*)")
_COMMENT = re.compile(r"<!--(.*?)-->", re.DOTALL)


def read_deck(markdown: str, template: str, find: Callable[[str, str, str], Figure]) -> Deck:
    """Slides from rendered Markdown whose separators carry the template's line numbers.

    ``find(source, alt, caption)`` turns an image into a figure. ``template`` is what errors name first.
    Raises SlidesError naming the slide and the line where it begins.
    """
    before, *parts = SEPARATOR.split(markdown)
    if before.strip() or len(parts) < 4:
        raise SlidesError(f"{template} line 1: expected front matter between two lines '---', then slides")
    matter = _front_matter(parts[1], template)
    slides = []
    for number, (line, source) in enumerate(zip(parts[2::2], parts[3::2], strict=True), start=1):
        try:
            slides.append(_slide(number, int(line) + 1, source, find))
        except SlidesError as error:
            heading = re.search(r"^# +(.*)", source, re.MULTILINE)
            name = f" '{heading[1]}'" if heading else ""
            raise SlidesError(f"{template} line {int(line) + 1}: slide {number}{name}: {error}") from None
    return Deck(template=template, slides=tuple(slides), **matter)


def read_figure(svg: Path, png: Path, alt: str, caption: str) -> Figure:
    """A figure with the size its SVG states. Raises SlidesError where a file is missing or damaged."""
    for path in (svg, png):
        if not path.is_file():
            raise SlidesError(f"{path}: no such figure; draw the figures first")
    try:
        root = ElementTree.parse(svg).getroot()
        width, height = (_pixels(root.attrib[side]) for side in ("width", "height"))
    except (ElementTree.ParseError, KeyError, ValueError) as error:
        raise SlidesError(f"{svg}: not an SVG with a width and a height ({error}); draw the figures again") from None
    if not alt.strip():
        raise SlidesError(f"{svg}: has no alternative text in captions.json")
    return Figure(svg, png, alt, caption, width, height)


# ------------------------------------------------------------------------------------------ one slide


def _front_matter(source: str, template: str) -> dict[str, str]:
    try:
        matter = yaml.safe_load(source)
        return {key: str(matter[key] or "").strip() for key in ("title", "author", "date", "footer")}
    except (yaml.YAMLError, TypeError) as error:
        raise SlidesError(f"{template}: front matter is not valid YAML: {' '.join(str(error).split())}") from None
    except KeyError as error:
        raise SlidesError(f"{template}: front matter lacks {error}") from None


def _slide(number: int, line: int, source: str, find: Callable[[str, str, str], Figure]) -> Slide:
    comments = [comment.strip() for comment in _COMMENT.findall(source)]
    directives = {found[1]: found[2] for comment in comments if (found := _DIRECTIVE.fullmatch(comment))}
    notes = [comment for comment in comments if not _DIRECTIVE.fullmatch(comment)]
    form = cast(Form, directives.get("class", ""))
    if form not in ("", *CLASSES):
        raise SlidesError(f"has the class '{form}'; there are {', '.join(CLASSES)}")
    timing = _TIMING.match(notes[0]) if len(notes) == 1 else None
    if timing is None:
        raise SlidesError("needs one comment with notes that begin with the time, such as <!-- [45 s] ... -->")
    title: Text | None = None
    figure: Figure | None = None
    blocks: list[Block] = []
    for block in _blocks(_COMMENT.sub("", source), find):
        if isinstance(block, Figure):
            if figure is not None:
                raise SlidesError("has two figures; a slide shows one")
            figure = block
        elif isinstance(block, tuple):
            if title is not None:
                raise SlidesError("has two headings; begin a new slide with a line '---'")
            title = block
        elif form == "numbers" and isinstance(block, Table) and not blocks:
            if len(block.rows) != 1:
                raise SlidesError("shows large numbers: a table of a header and one row")
            blocks.append(Numbers(block.header, block.rows[0]))
        else:
            blocks.append(block)
    if not title:
        raise SlidesError("has no heading; begin it with '# ' and the finding")
    bullets = sum(len(block.items) for block in blocks if isinstance(block, Bullets))
    if bullets > MAX_BULLETS:
        raise SlidesError(f"has {bullets} bullets; at most {MAX_BULLETS}")
    return Slide(
        number=number,
        line=line,
        form=form,
        kicker=_unescaped(directives.get("header", "")),
        title=title,
        blocks=tuple(blocks),
        figure=figure,
        notes=_unescaped(notes[0][timing.end() :]).strip(),
        seconds=int(timing[1]),
        part=timing[2] or "talk",  # type: ignore[arg-type]  # the expression allows nothing else
    )


def _unescaped(text: str) -> str:
    """The words of a comment, in which Markdown leaves backslashes standing."""
    return re.sub(r"\\([^A-Za-z0-9\s])", r"\1", text)


_PARSER = MarkdownIt("commonmark").enable("table").use(attrs_plugin, spans=True, after=(), allowed=("class",))


def _blocks(source: str, find: Callable[[str, str, str], Figure]) -> Iterator[Text | Figure | Block]:
    """Heading (as Text), figure and blocks of a slide, in order."""
    tokens = _PARSER.parse(source)
    for start, token in enumerate(tokens):
        if token.level:  # inside a block that is read whole
            continue
        inside = _inside(tokens, start)
        if token.type == "heading_open":
            yield _text(inside[0])
        elif token.type == "paragraph_open":
            children = inside[0].children or []
            if len(children) == 1 and children[0].type == "image":
                image = children[0]
                yield find(str(image.attrs["src"]), plain(_text(image)), str(image.attrs.get("title", "")))
            else:
                yield Paragraph(_text(inside[0]))
        elif token.type == "bullet_list_open":
            if any(t.type.endswith("_list_open") for t in inside):
                raise SlidesError("has bullets inside bullets; keep one level")
            yield Bullets(tuple(_text(t) for t in inside if t.type == "inline"))
        elif token.type == "table_open":
            yield _table(inside)
        elif token.nesting >= 0 and token.type != "inline":
            raise SlidesError(f"holds Markdown that slides do not show: {token.type.removesuffix('_open')}")


def _inside(tokens: Sequence[Token], start: int) -> list[Token]:
    """The tokens between an opening token and its closing one."""
    if tokens[start].nesting < 1:
        return []
    end = next(k for k in range(start + 1, len(tokens)) if tokens[k].level == tokens[start].level)
    return list(tokens[start + 1 : end])


def _table(tokens: list[Token]) -> Table:
    rows: list[list[Text]] = []
    right: list[bool] = []
    for token in tokens:
        if token.type == "tr_open":
            rows.append([])
        elif token.type == "th_open":
            right.append("right" in str(token.attrs.get("style", "")))
        elif token.type == "inline":
            rows[-1].append(_text(token))
    return Table(tuple(rows[0]), tuple(tuple(row) for row in rows[1:]), tuple(right))


def _text(inline: Token) -> Text:
    spans: list[Span] = []
    styles: list[Style] = ["plain"]
    href = ""
    for token in inline.children or []:
        match token.type:
            case "text" | "text_special":
                spans.append(Span(_bound(token.content), styles[-1], href))
            case "code_inline":
                spans.append(Span(token.content, "code", href))
            case "softbreak" | "hardbreak":
                spans.append(Span(" ", styles[-1], href))
            case "strong_open":
                styles.append("strong")
            case "em_open":
                styles.append("em")
            case "span_open" if token.attrs.get("class") in STYLES:
                styles.append(cast(Style, token.attrs["class"]))
            case "strong_close" | "em_close" | "span_close":
                styles.pop()
            case "link_open":
                href = str(token.attrs["href"])
            case "link_close":
                href = ""
            case "image":
                raise SlidesError("has a figure inside a line; give it a paragraph of its own")
            case other:
                raise SlidesError(f"holds Markdown that slides do not show: {other}")
    return tuple(spans)


def _bound(text: str) -> str:
    """``text`` whose percent signs stay on the line of their number."""
    return re.sub(r"(?<=\d) (?=%)", "\N{NO-BREAK SPACE}", text)


def _pixels(length: str) -> float:
    """An SVG length in CSS pixels."""
    match = re.fullmatch(r"([\d.]+)(pt|px|in|)", length.strip())
    if match is None:
        raise ValueError(f"length '{length}'")
    return float(match[1]) * {"pt": 96 / 72, "in": 96.0}.get(match[2], 1.0)
