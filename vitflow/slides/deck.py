"""A talk as data: slides with their title, blocks, figure and notes."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from vitflow.slides.boxes import FIGURE_BESIDE

#: how titles of slides for questions begin in the Markdown; the slides bear a label instead
BACKUP = "Backup: "
_INTERVAL = re.compile(r"\(\S+ to \S+\)")


class SlidesError(ValueError):
    """A mistake in the talk, told in one line: file, line or slide, and what to do."""


#: ``quiet``: not significant, or second-rank; ``missing``: words in place of what is not there
Style = Literal["plain", "strong", "em", "code", "quiet", "missing"]


@dataclass(frozen=True)
class Span:
    """A piece of text in one style."""

    text: str
    style: Style = "plain"
    href: str = ""


Text = tuple[Span, ...]


@dataclass(frozen=True)
class Paragraph:
    text: Text

    @property
    def is_panel(self) -> bool:
        """Whether it stands where something else should, and looks like it."""
        return bool(self.text) and all(span.style == "missing" for span in self.text)


@dataclass(frozen=True)
class Bullets:
    items: tuple[Text, ...]


@dataclass(frozen=True)
class Table:
    header: tuple[Text, ...]
    rows: tuple[tuple[Text, ...], ...]
    right: tuple[bool, ...]
    """per column: set flush right"""

    @property
    def has_header(self) -> bool:
        """A header of empty cells, which Markdown needs, is not shown."""
        return any(plain(text).strip() for text in self.header)

    @property
    def all_rows(self) -> tuple[tuple[Text, ...], ...]:
        return (self.header, *self.rows) if self.has_header else self.rows

    def is_chosen(self, row: tuple[Text, ...]) -> bool:
        """Whether a row is the one that the table leads to: its name and a number of it are strong."""
        strong = [any(span.style == "strong" for span in text) for text in row]
        return self.has_header and strong[0] and sum(strong) > 1


@dataclass(frozen=True)
class Numbers:
    """A few numbers that are the content of their slide, and what each of them counts."""

    values: tuple[Text, ...]
    counted: tuple[Text, ...]


Block = Paragraph | Bullets | Table | Numbers
#: what a slide's class makes of it: see markdown.py
Form = Literal["", "title", "statement", "numbers"]


@dataclass(frozen=True)
class Figure:
    """A picture in both forms, with its size in CSS pixels."""

    svg: Path
    png: Path
    alt: str
    caption: str
    width: float
    height: float


@dataclass(frozen=True)
class Slide:
    """One slide. ``line`` is where it begins in the template, ``kicker`` a label above its title, '' for none."""

    number: int
    line: int
    form: Form
    kicker: str
    title: Text
    blocks: tuple[Block, ...]
    figure: Figure | None
    notes: str
    seconds: int
    part: Literal["talk", "short", "backup"]

    @property
    def layout(self) -> Literal["opening", "statement", "text", "beside", "full"]:
        if self.form == "title":
            return "opening"
        if self.form == "statement":
            return "statement"
        if self.figure is None:
            return "text"
        return "beside" if self.figure.width <= FIGURE_BESIDE.width + 1 else "full"

    @property
    def heading(self) -> Text:
        """The title as it is shown: no line ends within an interval; backup slides say so in their label."""
        title = tuple(replace(span, text=_INTERVAL.sub(_unbroken, span.text)) for span in self.title)
        if self.part != "backup" or not plain(title).startswith(BACKUP):
            return title
        first, *others = title
        words = first.text.removeprefix(BACKUP)
        return (replace(first, text=words[:1].upper() + words[1:]), *others)

    @property
    def label(self) -> str:
        """The words above the title."""
        return " · ".join(filter(None, ["Backup" if self.part == "backup" else "", self.kicker]))

    @property
    def timing(self) -> str:
        extra = {"talk": "", "short": ", kept in the six-minute cut", "backup": ", backup"}[self.part]
        return f"{self.seconds} s{extra}"


@dataclass(frozen=True)
class Deck:
    """All slides, and what the front matter says of them. ``date`` is that of the results, YYYY-MM-DD."""

    template: str
    title: str
    author: str
    date: str
    footer: str
    slides: tuple[Slide, ...]

    def page(self, slide: Slide) -> str:
        """``5 / 15``: a slide's number, and how many the talk has; backup slides count to the end of the deck."""
        talk = [other.number for other in self.slides if other.part != "backup"]
        return f"{slide.number} / {self.slides[-1].number if slide.part == 'backup' else max(talk, default=0)}"


def plain(text: Text) -> str:
    """The words without their style."""
    return "".join(span.text for span in text)


def _unbroken(found: re.Match[str]) -> str:
    return found[0].replace(" ", "\N{NO-BREAK SPACE}")
