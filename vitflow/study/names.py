"""Names of studies, groups and points, and what a mistake is told as."""

from __future__ import annotations

import difflib
import re
import unicodedata


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
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]*", name) or ".." in name:
        safe = re.sub(r"[^A-Za-z0-9_-]+", "-", name).strip("-_") or "my-study"
        raise ConfigError(f"'{name}' cannot name {what}: letters, digits, '-' and '_' only; for example '{safe}'")
    return name


def check_words(text: str) -> str:
    """``text``, if slides and pages can show it on one line; raises ConfigError naming what they cannot."""
    for letter in text:
        if unicodedata.category(letter) in ("Cc", "Cs", "Zl", "Zp") or letter in "\uffff\ufffe":
            raise ConfigError(f"{letter!a} cannot be shown; words on one line only")
    if text and not text.strip():
        raise ConfigError("blank; write some words, or leave it out")
    return text
