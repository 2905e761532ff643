"""A talk as data: slides with their title, blocks, figure and notes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from vitflow.slides.boxes import FIGURE_BESIDE


class SlidesError(ValueError):
    """A mistake in the talk, told in one line: file, line or slide, and what to do."""


@dataclass(frozen=True)
class Span:
    """A piece of text in one style."""

    text: str
    style: Literal["plain", "strong", "em", "code"] = "plain"
    href: str = ""


Text = tuple[Span, ...]


@dataclass(frozen=True)
class Paragraph:
    text: Text


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


Block = Paragraph | Bullets | Table


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
    """One slide. ``line`` is where it begins in the template."""

    number: int
    line: int
    opening: bool
    title: Text
    blocks: tuple[Block, ...]
    figure: Figure | None
    notes: str
    seconds: int
    part: Literal["talk", "short", "backup"]

    @property
    def layout(self) -> Literal["opening", "text", "beside", "full"]:
        if self.opening:
            return "opening"
        if self.figure is None:
            return "text"
        return "beside" if self.figure.width <= FIGURE_BESIDE.width + 1 else "full"

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


def plain(text: Text) -> str:
    """The words without their style."""
    return "".join(span.text for span in text)
