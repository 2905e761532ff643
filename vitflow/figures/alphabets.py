"""Letters that matplotlib's own font lacks, Japanese ones for instance: drawn with a font of this machine, if any."""

from __future__ import annotations

import unicodedata
from functools import cache
from pathlib import Path

from matplotlib import font_manager
from matplotlib.ft2font import FT2Font

OWN = "DejaVu Sans"  #: ships with matplotlib: the same glyphs everywhere
#: Debian's packages by how Unicode's names of letters begin
PACKAGES = {
    ("CJK", "HIRAGANA", "KATAKANA", "HANGUL", "BOPOMOFO", "IDEOGRAPHIC", "FULLWIDTH", "HALFWIDTH"): "fonts-noto-cjk",
    ("",): "fonts-noto-core",
}
PICTURES = "fonts-symbola"


def families(text: str) -> list[str]:
    """Names of fonts that hold the letters of ``text`` between them, matplotlib's own first."""
    return [OWN, *(_register(file) for file in _chosen(_lacking(text))[0])]


def advice(text: str) -> str:
    """One line on the letters of ``text`` that no font here has, and the package that does; '' where there are none."""
    letters = _chosen(_lacking(text))[1]
    if not letters:
        return ""
    packages = dict.fromkeys(map(_package, sorted(letters)))
    shown = " ".join(sorted(letters)[:8]) + (" ..." if len(letters) > 8 else "")
    return (
        f"no font here has {shown}, so figures and PDF show boxes; `apt install {' '.join(packages)}` (or a font for "
        "that alphabet), then `vitflow figures` and `vitflow slides`"
    )


def _lacking(text: str) -> frozenset[str]:
    """Letters that the own font lacks; marks that only join or vary others need no shape."""
    own = _font(font_manager.findfont(OWN))
    shapes = (letter for letter in set(text) if unicodedata.category(letter) not in ("Cf", "Cc", "Zs", "Mn"))
    return frozenset(letter for letter in shapes if not own.get_char_index(ord(letter)))


@cache
def _chosen(letters: frozenset[str]) -> tuple[list[str], frozenset[str]]:
    """(files of fonts, in an order that is the same on every run; letters that none of them has)."""
    left, chosen = set(letters), []
    files = font_manager.findSystemFonts() if left else []
    for file in sorted(files, key=lambda file: (not _is_plain(file), file)):
        if not left:
            break
        try:
            font = _font(file)
        except (OSError, RuntimeError):  # a format that matplotlib does not read
            continue
        held = {letter for letter in left if font.scalable and font.get_char_index(ord(letter))}
        if held:
            chosen.append(file)
            left -= held
    return chosen, frozenset(left)


def _is_plain(file: str) -> bool:
    name = Path(file).stem.lower()
    return "sans" in name and name.endswith(("regular", "sans", "cjk"))


@cache
def _register(file: str) -> str:
    """The name by which matplotlib then knows the font."""
    font_manager.fontManager.addfont(file)
    return _font(file).family_name


def _font(file: str) -> FT2Font:
    return FT2Font(file)


def _package(letter: str) -> str:
    if unicodedata.category(letter) == "So":
        return PICTURES
    name = unicodedata.name(letter, "")
    return next(package for starts, package in PACKAGES.items() if name.startswith(starts))
