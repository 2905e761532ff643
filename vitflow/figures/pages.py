"""How the rows of an ablation group are shared out over pictures: known from the study alone, before it has run."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

#: rows of a group's first picture, and of each that holds all rows where the first cannot
FIRST, PAGE = 14, 16


def pages(axes: Sequence[str]) -> list[range]:
    """Which rows each further picture of a group holds; none where the first holds all.

    ``axes`` names the axis of every row, in order. An axis stays on one page where a page can hold it.
    """
    if len(axes) <= FIRST:
        return []
    starts, end = [0], 0
    for _, rows in groupby(axes):
        size = len(list(rows))
        if end > starts[-1] and end + size - starts[-1] > PAGE >= size:
            starts.append(end)
        end += size
        while end - starts[-1] > PAGE:
            starts.append(starts[-1] + PAGE)
    return [range(start, stop) for start, stop in zip(starts, [*starts[1:], end], strict=True)]


def stem(group: str, page: int | None = None) -> str:
    """The stem of a group's first picture, or of its ``page``-th further one, from 1: no group's name has a '+'."""
    return f"forest-{group}" if page is None else f"forest-{group}+{page}"
