"""The typeface of figures and talk, and letters that it lacks, Japanese ones for instance.

IBM Plex Sans 3.005 (SIL Open Font License, beside the files in ``fonts/``): its digits are as wide as each other, so
columns of numbers align, and it runs as wide as Arial, which stands in for it in PowerPoint. What it lacks comes from
DejaVu Sans, which ships with matplotlib; what both lack from a font of this machine, if any.
"""

from __future__ import annotations

import unicodedata
from functools import cache
from pathlib import Path

from matplotlib import font_manager
from matplotlib.ft2font import FT2Font

FONTS = Path(__file__).parent / "fonts"
OWN, SPARE = "IBM Plex Sans", "DejaVu Sans"  #: here on every machine: the same glyphs everywhere
#: Debian's packages by how Unicode's names of letters begin
PACKAGES = {
    ("CJK", "HIRAGANA", "KATAKANA", "HANGUL", "BOPOMOFO", "IDEOGRAPHIC", "FULLWIDTH", "HALFWIDTH"): "fonts-noto-cjk",
    ("",): "fonts-noto-core",
}
PICTURES = "fonts-symbola"


def families(text: str) -> list[str]:
    """Names of fonts that hold the letters of ``text`` between them, our own first."""
    _here()
    return [OWN, SPARE, *(_register(file) for file in _chosen(_lacking(text))[0])]


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
    """Letters that no font of ours has; marks that only join or vary others need no shape."""
    shapes = (letter for letter in set(text) if unicodedata.category(letter) not in ("Cf", "Cc", "Zs", "Mn"))
    return frozenset(letter for letter in shapes if not any(font.get_char_index(ord(letter)) for font in _here()))


@cache
def _here() -> list[FT2Font]:
    """The fonts that every machine has, known to matplotlib from now on."""
    for file in sorted(FONTS.glob("*.ttf")):
        font_manager.fontManager.addfont(file)
    return [_font(font_manager.findfont(family)) for family in (OWN, SPARE)]


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
