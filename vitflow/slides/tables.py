"""Tables set as by hand: numbers on their decimal points, columns as wide as their words want, room for every row."""

from __future__ import annotations

import math
import re

from vitflow.slides.deck import Table, Text, plain
from vitflow.slides.fonts import width

#: line height as a multiple of the size, and the size of a header as a part of the size, as in deck.css
LEADING, HEAD = 1.28, 0.85
#: around the text of a cell, as parts of the size: at its right, and above and below together
RIGHT, DOWN = 0.9, 0.7
#: pixels of the rule below a row; and more than its longest word for a column, since rounding would break one that fits
RULE, SLACK = 1, 2
#: a table of short cells grows to this part of its own width at most: the eye has to find its way along a row
GROWTH = 1.5
#: the part of its table at most that a column of names takes, if no name is a longer word
NAMES = 0.22
#: a number at the beginning of a cell, up to its decimal point, or the dash in place of one
_WHOLE = re.compile(r"[+\N{MINUS SIGN}-]?\d[\d,]*|\N{EN DASH}$")


class Setting:
    """A table at a size in a room: pixels of columns, rows, and what pads each cell on its right."""

    def __init__(self, table: Table, room: float, size: int) -> None:
        self.table, self.size = table, size
        self.paddings = _paddings(table, size)
        self.least, wanted = self._widths(room)
        # no column asks for more than two thirds, or one long text would starve the others; names are not starved
        most = room * 2 / 3 if table.has_header else room
        wanted = [max(low, min(high, most)) for low, high in zip(self.least, wanted, strict=True)]
        self.columns = _shared(self.least, wanted, room)

    @property
    def keeps_words(self) -> bool:
        """Whether no word is broken."""
        return all(width >= least - SLACK for width, least in zip(self.columns, self.least, strict=True))

    @property
    def has_short_rows(self) -> bool:
        """Whether every row below the header is one line."""
        return all(
            width(plain(text), self.size, "strong") <= column - self.air(k)
            for row in self.table.rows
            for k, (text, column) in enumerate(zip(row, self.columns, strict=True))
        )

    @property
    def rows(self) -> list[int]:
        """Pixels of each row, the header's first."""
        return [self._height(index, row) for index, row in enumerate(self.table.all_rows)]

    def text_size(self, row: int) -> float:
        """Pixels of the text of a row of :attr:`Table.all_rows`."""
        return self.size * HEAD if self.table.has_header and row == 0 else self.size

    def air(self, column: int) -> float:
        """Pixels between the text of a column and the next one."""
        return RIGHT * self.size if column < len(self.table.header) - 1 else 0.0

    def _widths(self, room: float) -> tuple[list[float], list[float]]:
        """(longest word, longest text) of each column, with the air after it."""
        least, wanted = [], []
        for column, texts in enumerate(zip(*self.table.all_rows, strict=True)):
            air = self.air(column) + SLACK
            sized = [(plain(text), self.text_size(row), self.paddings[row][column]) for row, text in enumerate(texts)]
            words = [width(w.strip(" "), size, "strong") + pad for text, size, pad in sized for w in pieces(text)]
            least.append(max(words, default=0.0) + air)
            wanted.append(max(width(text, size, "strong") + pad for text, size, pad in sized) + air)
        if not self.table.has_header:  # names of rows, which leave the room to what they name
            wanted[0] = min(wanted[0], max(least[0], NAMES * room))
        return least, wanted

    def _height(self, index: int, row: tuple[Text, ...]) -> int:
        size = self.text_size(index)
        rooms = [
            w - self.air(k) - pad for k, (w, pad) in enumerate(zip(self.columns, self.paddings[index], strict=True))
        ]
        head = self.table.has_header and index == 0
        tallest = max(
            lines(plain(text), size, room, "strong" if head else _weight(text))
            for text, room in zip(row, rooms, strict=True)
        )
        return math.ceil(tallest * size * LEADING + DOWN * self.size) + RULE


def lines(text: str | Text, size: float, room: float, style: str = "plain") -> int:
    """How many lines ``text`` takes at ``size`` pixels in ``room`` pixels, broken after spaces and hyphens.

    Words alone are in one ``style``, spans each in their own.
    """
    count, used = 1, 0.0
    for words, weight in [(text, style)] if isinstance(text, str) else [(span.text, span.style) for span in text]:
        for word in pieces(words):
            if used and used + width(word.rstrip(" "), size, weight) > room:
                count, used = count + 1, 0.0
            used += width(word, size, weight)
    return count


def pieces(text: str) -> list[str]:
    """A text in pieces that a line may break after: words with their space, or up to a hyphen."""
    return re.findall(r"[^ -]*(?:-+| +)|[^ -]+", text)


def _shared(least: list[float], wanted: list[float], room: float) -> list[float]:
    """Widths of columns, together ``room`` at most, between the least and the wanted ones if that can be."""
    if sum(wanted) <= room:  # every cell on one line: all columns grow alike
        return [w * min(room / sum(wanted), GROWTH) for w in wanted]
    if sum(least) >= room:  # words will be broken
        return [w * room / sum(least) for w in least]
    part = (room - sum(least)) / (sum(wanted) - sum(least))
    return [low + part * (high - low) for low, high in zip(least, wanted, strict=True)]


def _paddings(table: Table, size: int) -> list[list[float]]:
    """Pixels on the right of each cell of all rows that bring the numbers of a right-hand column to one point.

    Numbers of unlike units, 460 k and 2.80 M, have nothing to be compared by and stay flush.
    """
    paddings = [[0.0] * len(table.header) for _ in table.all_rows]
    first = len(table.all_rows) - len(table.rows)
    for column in (k for k, right in enumerate(table.right) if right):
        texts = [plain(row[column]) for row in table.rows]
        tails = [_tail(text, size) for text in texts]
        units = {re.sub(r"[^A-Za-z×%]", "", text) for text in texts if re.search(r"\d", text)}
        longest = max((tail for tail in tails if tail is not None), default=0.0)
        for row, tail in enumerate(tails if len(units) == 1 else [], start=first):
            paddings[row][column] = 0.0 if tail is None else longest - tail
    return paddings


def _weight(text: Text) -> str:
    return "strong" if any(span.style == "strong" for span in text) else "plain"


def _tail(text: str, size: int) -> float | None:
    """Pixels from a number's decimal point, or where it would be, to the end of its cell; None without a number."""
    found = _WHOLE.match(text)
    return width(text[found.end() :], size) if found else None
