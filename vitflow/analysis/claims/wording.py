"""Numbers as sentences say them: as many digits as it takes not to contradict the claim."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from vitflow.analysis.records import Statistics

MINUS = "\N{MINUS SIGN}"
MOST_DIGITS = 3  #: that intervals are stored with


def digits_for(values: Sequence[float], borders: Sequence[float]) -> int:
    """Decimals, one or more, with which every value stays on its side of every border when rounded."""

    def keep(digits: int) -> bool:
        rounded = [round(value, digits) for value in values]
        return all(
            (value > border, value < border) == (shown > border, shown < border)
            for value, shown in zip(values, rounded, strict=True)
            for border in borders
        )

    return next((digits for digits in range(1, MOST_DIGITS) if keep(digits)), MOST_DIGITS)


def signed(value: float, digits: int = 1) -> str:
    """``+0.2``, with a true minus; never ``-0.0``."""
    text = f"{value:+.{digits}f}"
    return f"{0:.{digits}f}" if not text.strip("+-0.") else text.replace("-", MINUS)


def with_sd(values: Statistics) -> str:
    """``84.3 ± 0.2``; ``-`` without a value."""
    if values.mean is None:
        return "-"
    return f"{values.mean:.1f}" + (f" ± {values.sd:.1f}" if values.sd is not None else "")


def count(number: int) -> str:
    """``8.0 million``: three figures at most."""
    for unit, size in (("billion", 1e9), ("million", 1e6), ("thousand", 1e3)):
        if number >= size:
            return f"{number / size:.3g} {unit}"
    return str(number)


def between(numbers: Sequence[int]) -> str:
    """``3``, ``3 to 6``: the smallest and the largest; ``0`` without any."""
    low, high = min(numbers, default=0), max(numbers, default=0)
    return str(low) if low == high else f"{low} to {high}"


def joined(words: Iterable[str]) -> str:
    """``a, b and c``."""
    *rest, last = words
    return f"{', '.join(rest)} and {last}" if rest else last


def several(words: Sequence[str], most: int = 2) -> str:
    """``a, b and 3 more``."""
    more = f" and {len(words) - most} more" if len(words) > most else ""
    return ", ".join(words[:most]) + more
