"""What a source of images gives, before it has its canonical form, and how it says that it cannot.

Shape letters: N images, H height, W width, C channels.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import numpy as np

from vitflow.study.dataset import Dataset

SPLITS = ("train", "test")
SHOWN = 10  #: files that a message names
#: control and format characters, halves of a character (bytes that are no UTF-8), separators of lines
CONTROLS = ("Cc", "Cf", "Cs", "Zl", "Zp")
JOINERS = "\u200c\u200d"
#: what file managers and disks leave behind, in any case; hidden files and editors' copies (``x~``) are passed over too
CLUTTER = {
    "__macosx", "icon\r",
    "thumbs.db", "ehthumbs.db", "ehthumbs_vista.db", "desktop.ini", "picasa.ini", "$recycle.bin",
    "system volume information",
    "@eadir", "#recycle", "@recycle", "lost+found",
}  # fmt: skip
SUFFIXES = (".png", ".jpg", ".jpeg", ".webp")
EMPTY = "a class without images; remove the folder, or fill it"
LARGEST = 64 * 2**20  #: bytes of an image file


class DataError(RuntimeError):
    """Data that cannot be used, told in one line: which file, what is wrong, what to do."""


class File(NamedTuple):
    """A file of a source, not read yet."""

    parts: tuple[str, ...]  # names of its folders below the source, then its own
    where: str  # what a message names
    read: Callable[[], bytes]


class Labelled(NamedTuple):
    """Images of one split."""

    images: np.ndarray  # uint8 [N, H, W, C]
    labels: np.ndarray  # int64 [N], index into the classes
    names: Sequence[str] = ()  # [N], as people find them: files, or places in the official order; () where unknown


class Raw(NamedTuple):
    """What a source holds, in no particular order."""

    splits: dict[str, Labelled]  # by the names in SPLITS
    classes: tuple[str, ...]


class Refusals:
    """Files of a source that cannot be used, told all at once."""

    def __init__(self) -> None:
        self._by_reason: dict[str, dict[str, None]] = {}  # names in order, each once

    def add(self, where: str, reason: str) -> None:
        """Note a file; ``reason`` says what is wrong and what to do."""
        self._by_reason.setdefault(reason, {})[where] = None

    def raise_if_any(self) -> None:
        """Raise DataError naming SHOWN files and saying how many more there are, where there are any."""
        count = sum(map(len, self._by_reason.values()))
        told, left = [], SHOWN
        for reason, files in self._by_reason.items():
            named = [spell_name(file) for file in list(files)[:left]]
            left -= len(named)
            if named:
                told.append(f"{', '.join(named)}: {reason}")
        if count == 1:
            raise DataError(told[0])
        if count:
            more = f" (and {count - SHOWN} more)" if count > SHOWN else ""
            raise DataError(f"{count} files cannot be used: {' | '.join(told)}{more}")


def is_clutter(parts: Sequence[str]) -> bool:
    """Whether a file, or a folder that it lies in, is hidden or left behind by a file manager or an editor."""
    return any(part.startswith(".") or part.endswith("~") or part.lower() in CLUTTER for part in parts)


def spell_name(name: str) -> str:
    """A name as it may be printed: with escapes, in quotes, where it would move the cursor or is no text."""
    return name if is_text(name) else ascii(name)


def is_text(name: str) -> bool:
    """Whether a name is UTF-8 without control characters; the joiners of emoji and of Indian scripts are none."""
    return all(unicodedata.category(letter) not in CONTROLS or letter in JOINERS for letter in name)


def existing(dataset: Dataset) -> Path:
    """The local copy that a configuration names. Raises DataError where nothing is there."""
    path = Path(str(dataset.path)).expanduser()
    if not path.exists():
        raise DataError(f"{path}: no such file or folder; correct dataset.path")
    return path
