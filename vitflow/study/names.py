"""Names of studies, groups and points, words that are shown, and what a mistake is told as."""

from __future__ import annotations

import difflib
import re
import unicodedata

#: letters of a name: two of them, and more, make a file's, of which file systems take 255
LONGEST = 100
#: control and format characters, halves of a character (bytes that are no UTF-8), separators of lines
_CONTROLS = ("Cc", "Cf", "Cs", "Zl", "Zp")
#: they join emoji, and part letters of Persian and of Indian scripts
_JOINERS = "\u200c\u200d"
#: letters that Unicode calls letters, and that draw a blank
_BLANK = re.compile(r"[\u115f\u1160\u2800\u3164\uffa0]")
#: what else draws nothing, Unicode's Default_Ignorable_Code_Point
_NOTHING = re.compile(
    r"[\u00ad\u034f\u061c\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff"
    r"\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)


class ConfigError(ValueError):
    """A mistake in a configuration, told in one line: where, what, and the nearest valid choice."""


def nearest(word: str, choices: list[str]) -> str:
    """``; did you mean 'x'?`` or the list of choices, to end an error message with."""
    close = difflib.get_close_matches(word, choices, n=1, cutoff=0.6)
    if close:
        return f"; did you mean '{close[0]}'?"
    return f"; valid: {', '.join(choices)}" if choices else ""


def check_name(name: str, what: str) -> str:
    """``name``, if it may be part of a path; raises ConfigError saying that it cannot name ``what``."""
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]*", name) or ".." in name or len(name) > LONGEST:
        safe = re.sub(r"[^A-Za-z0-9_-]+", "-", name).strip("-_") or "my-study"
        raise ConfigError(
            f"'{shortened(name)}' cannot name {what}: letters, digits, '-', '_' and single '.' only, a letter or a "
            f"digit first, {LONGEST} at most; for example '{safe[:40]}'"
        )
    return name


def shortened(text: str) -> str:
    """The beginning of a text, as a message quotes it."""
    return text if len(text) <= LONGEST else f"{text[:40]}..."


def counted(number: int, noun: str) -> str:
    """``1 seed``, ``1,000 seeds``."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def is_text(text: str) -> bool:
    """Whether terminals, pages and slides can show a text on one line: no controls, nothing invisible but joiners."""
    return not any(_is_control(letter) for letter in text)


def seen(text: str) -> str:
    """A text without what nobody sees of it, with single spaces; '' where all of it is blank."""
    return " ".join(_NOTHING.sub("", _BLANK.sub(" ", text)).split())


def check_words(text: str) -> str:
    """``text``, if slides and pages can show it on one line; raises ConfigError naming what they cannot."""
    if text and not seen(text):
        raise ConfigError("blank; write some words, or leave it out")
    for letter in text:
        if _is_control(letter):
            raise ConfigError(f"{letter!a} cannot be shown; words on one line only")
    return text


def _is_control(letter: str) -> bool:
    code = ord(letter)
    never = code & 0xFFFE == 0xFFFE or 0xFDD0 <= code <= 0xFDEF  # Unicode's noncharacters, which no XML may have
    return never or (unicodedata.category(letter) in _CONTROLS and letter not in _JOINERS)
